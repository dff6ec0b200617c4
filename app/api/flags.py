"""Flags for operators: see them, change them while the app runs, and see who changed what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from app.api.chat import Caller, Parts
from app.auth import Principal
from app.errors import responses
from flags.errors import BadValue, ConfigurationError, UnknownFlag
from flags.layers import ExplainedFlag, Source
from flags.source import FlagChange
from flags.values import flag_name
from tools.errors import Conflict, InvalidInput, NotFound, StoreUnavailable, ZhiyinError
from tools.stores.protocol import AuditRow

router = APIRouter(prefix="/api/v1", tags=["flags"])

FlagInput = bool | float | str | None
"""A flag's new value; null takes the override away, so that `.env` or the environment counts again."""


class FlagOut(BaseModel):
    """A flag, and which source its value is from."""

    name: str
    value: bool | float | str
    source: Source
    doc: str


class FlagList(BaseModel):
    """All flags."""

    items: list[FlagOut]
    next_cursor: None = None


class FlagBody(BaseModel):
    """A flag's new value."""

    model_config = ConfigDict(strict=True, extra="forbid")

    value: FlagInput


class AuditOut(BaseModel):
    """Who changed what, and when."""

    at: str
    principal: str
    action: str
    target: str
    before: Any
    after: Any
    request_id: str | None


class AuditPage(BaseModel):
    """Some audit rows, newest first."""

    items: list[AuditOut]
    next_cursor: str | None


def admin(caller: Caller) -> Principal:
    """The caller, if it has the `admin` scope. Flags are the whole deployment's, not a tenant's."""
    caller.require("admin")
    return caller


Admin = Annotated[Principal, Depends(admin)]


def known_flag(name: str, _caller: Admin) -> str:
    """The flag that a path names, in any case; only admins learn which there are. Raises NotFound."""
    try:
        return flag_name(name)
    except UnknownFlag as error:
        raise NotFound(str(error)) from error


KnownFlag = Annotated[str, Depends(known_flag)]


@router.get("/flags", responses=responses(401, 403))
async def list_flags(_caller: Admin, app: Parts) -> FlagList:
    """Every flag with its value and where that is from (`default`, `.env`, `environment`, `override`)."""
    return FlagList(items=[_out(flag) for flag in app.flags.explained()])


@router.put("/flags/{name}", responses=responses(400, 401, 403, 404, 409, 415, 422, 503))
async def set_flag(name: KnownFlag, body: FlagBody, caller: Admin, app: Parts, request: Request) -> FlagOut:
    """Override one flag; the next turn sees it, in other processes within a second."""
    changes = await _override({name: body.value}, caller, app, request.scope["request_id"])
    return _out(changes[0].after)


@router.put("/flags", responses=responses(400, 401, 403, 409, 415, 422, 503))
async def set_flags(body: dict[str, FlagInput], caller: Admin, app: Parts, request: Request) -> FlagList:
    """Override several flags at once: all of them, or none if one name or value is wrong."""
    changes = await _override(body, caller, app, request.scope["request_id"])
    return FlagList(items=[_out(change.after) for change in changes])


@router.get("/audit", responses=responses(401, 403, 422))
async def list_audit(
    caller: Admin, app: Parts, limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str | None = None
) -> AuditPage:
    """What was changed, newest first."""
    page = await app.audit.list(caller.tenant_id, limit, cursor)
    return AuditPage(items=[_audit_out(row) for row in page.items], next_cursor=page.next_cursor)


async def _override(
    changes: Mapping[str, FlagInput], caller: Principal, app: Parts, request_id: str
) -> Sequence[FlagChange]:
    """Record the changes, then make them: none goes unrecorded, and one that fails is recorded as such."""
    try:
        planned = app.flags.plan(changes)
    except (UnknownFlag, BadValue) as error:
        raise InvalidInput(str(error)) from error
    for change in planned:
        await app.audit.append(caller.tenant_id, _row(change, "flag.set", caller, request_id))
    try:
        return await app.flags.override(changes, caller.user_id)
    except (ConfigurationError, OSError) as error:
        for change in planned:
            await app.audit.append(caller.tenant_id, _row(change, "flag.set_failed", caller, request_id))
        raise _refusal(error) from error


def _refusal(error: ConfigurationError | OSError) -> ZhiyinError:
    if isinstance(error, ConfigurationError):
        return Conflict("The override file was broken by hand; mend or remove it.")
    return StoreUnavailable("The override file cannot be written.")


def _row(change: FlagChange, action: str, caller: Principal, request_id: str) -> AuditRow:
    before, after = ({"value": flag.value, "source": flag.source} for flag in (change.before, change.after))
    return AuditRow(caller.user_id, action, change.name, before, after, request_id)


def _out(flag: ExplainedFlag) -> FlagOut:
    return FlagOut(name=flag.name, value=flag.value, source=flag.source, doc=flag.doc)


def _audit_out(row: AuditRow) -> AuditOut:
    return AuditOut(
        at=row.at,
        principal=row.principal,
        action=row.action,
        target=row.target,
        before=row.before,
        after=row.after,
        request_id=row.request_id,
    )

"""The erasure of a user."""

from __future__ import annotations

from fastapi import APIRouter, Request

from app.api.chat import Caller, Parts
from app.api.cognition import OwnedUser
from app.errors import responses
from app.wiring import App
from tools.stores.protocol import AuditRow

router = APIRouter(prefix="/api/v1/users", tags=["users"])

PAGE = 100


@router.delete("/{user_id}", status_code=204, responses=responses(401, 403, 404, 503))
async def erase_user(user_id: OwnedUser, caller: Caller, app: Parts, request: Request) -> None:
    """Erase a user: conversations with all that came of them, moods, and the choice about moods.

    Running turns are stopped first. That it was done is recorded, not what was erased.
    """
    await _stop_all(app, caller.tenant_id, user_id)
    row = AuditRow(caller.user_id, "user.erase", user_id, request_id=request.scope["request_id"])
    await app.audit.append(caller.tenant_id, row)
    await app.users.erase(caller.tenant_id, user_id)


async def _stop_all(app: App, tenant_id: str, user_id: str) -> None:
    """Cancel what runs in the user's conversations, and wait for its end."""
    cursor: str | None = None
    while True:
        page = await app.conversations.list(tenant_id, user_id, PAGE, cursor)
        for conversation in page.items:
            await app.turns.stop_conversation(tenant_id, conversation.id)
        cursor = page.next_cursor
        if cursor is None:
            return

"""The door: request id, principal, body size, content type and JSON sanity, before any route runs.

One ASGI middleware does all of it, so no route can forget: a body is read only after its sender is
known, only up to its limit, only in a type that is read here, and JSON only if every value in it can
be kept and sent back (no NaN, no infinity, no lone surrogates).
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from typing import Any, NoReturn

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.auth import LOCAL, Authenticator
from app.errors import Malformed, RequestTimeout, UnsupportedMediaType, problem, problem_of
from tools.errors import InvalidInput, TooLarge, ZhiyinError

log = structlog.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._:\-]{1,128}")
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
MULTIPART_PATHS = frozenset({"/api/v1/knowledge/upload"})
"""Where forms are read, piece by piece; anywhere else one would be held in memory up to the upload's limit."""
BODY_TIMEOUT_SECONDS = 30.0
MAX_DEPTH = 1024
"""Where orjson stops."""
SECURITY_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Door:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, max_body_bytes: int, max_upload_bytes: int) -> None:
        """JSON bodies hold at most `max_body_bytes`, multipart ones `max_upload_bytes` in all."""
        self._app = app
        self._authenticator = authenticator
        self._max_body = max_body_bytes
        self._max_upload = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer with the problem that keeps it out."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers.get("x-request-id"))
        scope["request_id"] = request_id
        started = False

        async def stamped(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                out = MutableHeaders(scope=message)
                out["X-Request-ID"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    out.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, await self._admit(scope, headers, receive), stamped)
            except ZhiyinError as error:
                if started:
                    raise
                await problem_of(error, request_id)(scope, receive, stamped)
            except Exception:
                log.exception("request.failed", path=scope["path"])
                if started:
                    raise
                failure = problem(500, "internal", "Something went wrong on our side.", request_id)
                await failure(scope, receive, stamped)

    async def _admit(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """Check who asks, then what was sent; gives the `receive` that the app reads from."""
        scope["principal"] = LOCAL
        if scope["path"].startswith(("/api/", "/v1/")):
            given, tenants = headers.getlist("authorization"), headers.getlist("x-tenant-id")
            scope["principal"] = self._authenticator.principal(given, tenants)
        if scope["method"] not in WITH_BODY:
            return receive
        return await self._read(scope["path"] in MULTIPART_PATHS, headers, receive)

    async def _read(self, takes_forms: bool, headers: Headers, receive: Receive) -> Receive:
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("Compressed bodies are not read.")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if takes_forms and kind == "multipart/form-data":
            _check_declared(headers, self._max_upload)
            return _capped(receive, self._max_upload)
        _check_declared(headers, self._max_body)
        body = await _read_all(receive, self._max_body)
        if body:
            if kind != "application/json" and not kind.endswith("+json"):
                raise UnsupportedMediaType("Send application/json.")
            check_json(body)
        return _replay(body, receive)


def check_json(body: bytes) -> None:
    """Raise unless `body` is JSON whose values can be kept.

    Raises:
        Malformed: not JSON, not UTF-8, nested deeper than 1,024 levels, absurdly long numbers.
        InvalidInput: JSON in form, with NaN, infinity or lone surrogates.
    """
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        _diagnose(body)


def _diagnose(body: bytes) -> NoReturn:
    """Tell what the fast parser refused; slow, and only on the way to a refusal."""
    if _depth(body) > MAX_DEPTH:
        raise Malformed("The JSON is nested too deeply.")

    def refuse(_name: str) -> Any:
        raise InvalidInput("NaN and infinity are not allowed.")

    try:
        json.loads(body.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not valid JSON in UTF-8.") from error
    raise InvalidInput("The JSON holds a number or a character that cannot be kept.")


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for byte in body:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _check_declared(headers: Headers, limit: int) -> None:
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise TooLarge(f"The body is larger than {limit} bytes.")


async def _read_all(receive: Receive, limit: int) -> bytes:
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Malformed("The body ended early.")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise TooLarge(f"The body is larger than {limit} bytes.")
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError as error:
        raise RequestTimeout("The body did not arrive in time.") from error


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _capped(receive: Receive, limit: int) -> Receive:
    size, complete = 0, False

    async def counted() -> Message:
        nonlocal size, complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                message = await receive()
        except TimeoutError as error:
            raise RequestTimeout("The body did not arrive in time.") from error
        size += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if size > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        return message

    return counted


def _request_id(given: str | None) -> str:
    return given if given and REQUEST_ID.fullmatch(given) else f"req_{uuid.uuid4().hex}"

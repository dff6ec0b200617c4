"""Every refusal as RFC 9457 problem details: one shape, a stable code, nothing of the input."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tools.errors import (
    Conflict,
    InvalidInput,
    NotAvailable,
    NotFound,
    StoreUnavailable,
    TooLarge,
    UpstreamError,
    ZhiyinError,
)

log = structlog.get_logger(__name__)


class Unauthenticated(ZhiyinError):
    """The caller has not shown who it is."""

    code = "auth_missing"


class Forbidden(ZhiyinError):
    """The caller is known and may not."""

    code = "forbidden"


class Malformed(ZhiyinError):
    """The bytes are not what their content type says."""

    code = "malformed"


class RequestTimeout(ZhiyinError):
    """The body did not arrive in time."""

    code = "request_timeout"


class UnsupportedMediaType(ZhiyinError):
    """The body is of a type that is not read here."""

    code = "unsupported_media_type"


STATUS: Mapping[type[ZhiyinError], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    RequestTimeout: 408,
    Conflict: 409,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    InvalidInput: 422,
    NotAvailable: 501,
    UpstreamError: 503,
    StoreUnavailable: 503,
}
TITLES = {
    400: "Malformed request",
    401: "Authentication needed",
    402: "Budget exhausted",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    501: "Not available",
    503: "Unavailable",
}
HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}
RETRY_AFTER_SECONDS = "2"
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


class FieldProblem(BaseModel):
    """Where a request is wrong, and how; never with the value."""

    loc: list[str | int]
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[FieldProblem] | None = None


def status_of(error: ZhiyinError) -> int:
    """The HTTP status of one of our errors: its own class's, else its nearest parent's."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(
    status: int, code: str, detail: str, request_id: str, errors: list[dict[str, Any]] | None = None
) -> Response:
    """A problem response with the headers its status calls for."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id,
    }
    if errors is not None:
        body["errors"] = errors
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="zhiyin"'
    if status == 503:
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


def problem_of(error: ZhiyinError, request_id: str) -> Response:
    """The response to one of our own errors."""
    return problem(status_of(error), error.code, error.message, request_id)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of the problems a route can answer with."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": TITLES[status], "model": Problem, "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Make `app` answer every failure with problem details."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ZhiyinError)  # noqa: S101
        return problem_of(error, request.scope["request_id"])

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        fields = [
            {"loc": _named(e["loc"]), "code": str(e["type"]).replace("-", "_"), "message": _without_input(e)}
            for e in error.errors()[:50]
        ]
        return problem(422, "invalid_input", "The request has invalid fields.", request.scope["request_id"], fields)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        code = HTTP_CODES.get(error.status_code, "malformed" if error.status_code == 400 else "http_error")
        title = TITLES.get(error.status_code, "Error")
        response = problem(error.status_code, code, f"{title}.", request.scope["request_id"])
        if error.headers:
            response.headers.update(error.headers)
        return response

    app.add_exception_handler(ZhiyinError, ours)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)


def _named(loc: Sequence[str | int]) -> list[str | int]:
    """Where the fault is; a key that looks like no field's name, which the client may have made up, is left out."""
    return [part if isinstance(part, int) or FIELD_NAME.fullmatch(part) else "…" for part in loc]


def _without_input(error: Mapping[str, Any]) -> str:
    """Pydantic's message, unless it is one of those that quote what was sent."""
    quoting = {"value_error", "assertion_error", "json_invalid"}
    return "The value is not allowed." if error["type"] in quoting else str(error["msg"])

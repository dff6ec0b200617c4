"""The OpenAPI document: what each route says of itself, and what the door before all routes can answer."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI

from app.errors import TITLES

GUARDED = ("/api/", "/v1/")
ALWAYS = (401, 403, 503)
WITH_PARAMETERS = (422,)
WITH_BODY = (400, 408, 413, 415, 422)
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Not needed on loopback."}


def describe(app: FastAPI) -> None:
    """Complete the document of `app` when it is first asked for."""
    of_routes = app.openapi

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(of_routes())
        return of_routes()

    app.openapi = whole


def _complete(schema: dict[str, Any]) -> None:
    schema["components"].setdefault("securitySchemes", {})["bearer"] = BEARER
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            _declare_parameters(path, operation)
            if path.startswith(GUARDED):
                operation["security"] = [{"bearer": []}, {}]
                _add_refusals(operation)


def _declare_parameters(path: str, operation: dict[str, Any]) -> None:
    known = operation.get("parameters", [])
    declared = {parameter["name"] for parameter in known}
    missing = [name for name in re.findall(r"{(\w+)}", path) if name not in declared]
    added = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in missing]
    if added:
        operation["parameters"] = [*known, *added]


def _add_refusals(operation: dict[str, Any]) -> None:
    statuses = {*ALWAYS, *(WITH_PARAMETERS if operation.get("parameters") else ())}
    if "requestBody" in operation:
        statuses.update(WITH_BODY)
    found: dict[str, Any] = operation["responses"]
    for status in sorted(statuses):
        found[str(status)] = {"description": TITLES[status], "content": PROBLEM}

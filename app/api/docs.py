"""The API's documentation at `/docs`: Swagger UI from the app's own files, so that it needs no network."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import Response

from app.api.page import FILES, HEADERS, PageFiles

POLICY = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'none'",
    )
)
"""Swagger UI writes styles and markup itself; scripts still come from our own files alone."""


def mount_docs(app: FastAPI) -> None:
    """Serve the page's `docs.html` at `/docs`."""
    files = PageFiles(directory=FILES)

    async def docs(request: Request) -> Response:
        response = await files.get_response("docs.html", request.scope)
        response.headers.update({**HEADERS, "Content-Security-Policy": POLICY})
        return response

    app.add_api_route("/docs", docs, methods=["GET", "HEAD"], include_in_schema=False, response_class=Response)

"""The chat page: static files as they lie in `app/page`, and the headers that keep the page to itself."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FILES = Path(__file__).parent.parent / "page"
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types dompurify graph-layout",
    )
)
"""No inline script or style, nothing from elsewhere; markup enters the page through DOMPurify only, and the one
worker it may start is the graph's layout."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""`no-cache` makes a browser ask each time; an unchanged file is answered 304 by its ETag."""


class PageFiles(StaticFiles):
    """The folder `app/page`, each file sent with the page's headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path`, 304 when the browser has it. Raises HTTPException 404 or 405."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def mount_page(app: FastAPI) -> None:
    """Serve the page at `/` and its files under `/page`."""
    for suffix in (".js", ".mjs"):
        mimetypes.add_type("text/javascript", suffix)  # some systems register another type, which nosniff forbids
    files = PageFiles(directory=FILES)

    async def page(request: Request) -> Response:
        return await files.get_response("index.html", request.scope)

    app.add_api_route("/", page, methods=["GET", "HEAD"], include_in_schema=False, response_class=Response)
    app.mount("/page", files, name="page")

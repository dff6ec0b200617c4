"""The ASGI application: routes, the door before them, and the parts' life from start to drain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app import errors
from app.api import (
    chat,
    cognition,
    conversations,
    docs,
    flags,
    graph,
    knowledge,
    operations,
    page,
    planned,
    profile,
    schema,
    search,
    users,
)
from app.limits import Door
from app.settings import Settings
from app.version import VERSION
from app.wiring import Replacements, authenticator_of, open_app


def create_app(
    settings: Settings, replacements: Replacements | None = None, when_open: Callable[[], None] | None = None
) -> FastAPI:
    """An application that opens its parts when it starts and drains them when it stops.

    `replacements` swap parts for others that keep the same Protocol (benchmarks, tests); `when_open` is
    called once all parts are open.
    """

    @asynccontextmanager
    async def lifespan(api: FastAPI) -> AsyncIterator[None]:
        async with open_app(settings, replacements or Replacements()) as parts:
            api.state.app = parts
            await parts.warm_up()
            if when_open is not None:
                when_open()
            warming = asyncio.create_task(parts.warm_up_models())
            yield
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)

    api = FastAPI(
        title="Zhiyin 知音",
        version=VERSION,
        description="Answers from your own documents, with citations that hold.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    for module in (
        chat,
        conversations,
        knowledge,
        graph,
        search,
        cognition,
        profile,
        users,
        flags,
        operations,
        planned,
    ):
        api.include_router(module.router)
    page.mount_page(api)
    docs.mount_docs(api)
    schema.describe(api)
    errors.install(api)
    api.add_middleware(
        Door,
        authenticator=authenticator_of(settings),
        max_body_bytes=settings.max_body_bytes,
        max_upload_bytes=settings.max_upload_request_bytes,
    )
    if settings.allowed_origins:
        # Outside the door: a browser's preflight brings no token, and may read refusals only under these headers.
        api.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["X-Request-ID", "Retry-After", "WWW-Authenticate"],
        )
    return api

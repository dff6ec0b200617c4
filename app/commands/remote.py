"""A running app as its command line sees it: HTTP in, our own errors out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from tools.errors import UpstreamUnavailable, ZhiyinError

SILENCE_SECONDS = 60.0
"""A server that says nothing for this long is gone; a stream says something every 15 s."""


class Refused(ZhiyinError):
    """The server's problem details, in its own words."""

    code = "refused"


@asynccontextmanager
async def connected(url: str, token: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """A client for the app at `url`. Raises UpstreamUnavailable for an address that is none."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with understood():
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=SILENCE_SECONDS) as client:
            yield client


@contextmanager
def understood() -> Iterator[None]:
    """Turn what goes wrong on the way into our own errors."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UpstreamUnavailable(f"The app cannot be reached: {error or type(error).__name__}.") from error


async def checked(response: httpx.Response) -> httpx.Response:
    """The response, if it is a good one. Raises Refused."""
    if response.is_success:
        return response
    await response.aread()
    raise Refused(_detail_of(response))


def _detail_of(response: httpx.Response) -> str:
    try:
        problem: Any = response.json()
    except ValueError:
        problem = None
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return str(detail) if detail else f"The app answered {response.status_code}."

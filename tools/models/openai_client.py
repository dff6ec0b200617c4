"""The client of an OpenAI-compatible server. Importing this costs a CPU-second: import it late, in a thread."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2
from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient
from pydantic import SecretStr

from tools.models.openai_errors import BodyRefused
from tools.models.settings import ChatModelSettings

OPENAI = "https://api.openai.com/v1"
NO_KEY = SecretStr("none")
"""What servers that want no key are sent."""
MAX_ERROR_BYTES = 64 * 1024
MAX_BYTES = 64 * 2**20
BYTES_PER_CHAR = 1024
"""What one character of an answer may cost on the wire; a chunk with one character takes about 250 bytes."""


def open_client(settings: ChatModelSettings) -> ChatOpenAI:
    """A client that never retries, waits only to connect, and reads bounded, uncompressed replies.

    Proxies of the environment are heeded, but never for a server on this machine.
    """
    address = settings.openai_base_url or OPENAI
    limit = min(max(settings.upstream_max_chars * BYTES_PER_CHAR, 2**20), MAX_BYTES)

    async def bound(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise BodyRefused
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101
        response.stream = _Bounded(response.stream, limit if response.is_success else MAX_ERROR_BYTES)

    timeout = httpx2.Timeout(None, connect=settings.upstream_connect_seconds)
    return ChatOpenAI(
        model=settings.openai_model,
        base_url=address,
        api_key=settings.openai_api_key or NO_KEY,
        max_retries=0,
        timeout=timeout,
        openai_proxy=None,
        default_headers={"Accept-Encoding": "identity"},
        http_async_client=DefaultAsyncHttpxClient(
            timeout=timeout,
            trust_env=not _is_loopback(address),
            follow_redirects=False,
            event_hooks={"response": [bound]},
        ),
    )


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Bounded(httpx2.AsyncByteStream):
    """A body that is refused from the byte on that passes its limit."""

    def __init__(self, body: httpx2.AsyncByteStream, limit: int) -> None:
        self._body = body
        self._left = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._body:
            self._left -= len(part)
            if self._left < 0:
                raise BodyRefused
            yield part

    async def aclose(self) -> None:
        await self._body.aclose()

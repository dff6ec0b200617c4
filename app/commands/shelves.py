"""Where `zhiyin ingest` puts documents: into the data folder, or to a running app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tools.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    import httpx

    from app.wiring import App

FIRST_LOOK_SECONDS = 0.02
LAST_LOOK_SECONDS = 0.5
"""A document is looked at more and more seldom, from one of these to the other."""


class Shelf(Protocol):
    """Somewhere to put documents."""

    async def put(self, name: str, file: Path) -> None:
        """Index a file under a name, and wait until it can be searched.

        Raises:
            ZhiyinError: it cannot be; the message says why.
        """
        ...


class LocalShelf:
    """A data set of the local principal, in the data folder."""

    def __init__(self, app: App, dataset_id: str) -> None:
        """Raises InvalidInput for an id that no data set can have."""
        from app.api.knowledge import MAX_ID_CHARACTERS, RESERVED
        from app.auth import LOCAL

        shown = dataset_id.isprintable() and dataset_id == dataset_id.strip() and dataset_id not in {"", ".", ".."}
        if not shown or len(dataset_id) > MAX_ID_CHARACTERS or RESERVED & set(dataset_id):
            raise InvalidInput(f"A data set's name is printable and has none of {' '.join(sorted(RESERVED))}")
        self._app = app
        self._dataset_id = dataset_id
        self._tenant_id = LOCAL.tenant_id

    async def put(self, name: str, file: Path) -> None:
        """See `Shelf`."""
        data = await asyncio.to_thread(_read, file, self._app.settings.knowledge_max_file_bytes)
        (document,) = await self._app.ingestor.submit(self._tenant_id, self._dataset_id, [(name, data)])
        async for _ in _looks():
            document = await self._app.documents.get(self._tenant_id, document.id)
            if document.status == "ready":
                return
            if document.status == "failed":
                raise InvalidInput(document.error or "It could not be indexed.")


class RemoteShelf:
    """A data set of a running app."""

    def __init__(self, client: httpx.AsyncClient, dataset_id: str) -> None:
        self._client = client
        self._dataset_id = dataset_id

    async def put(self, name: str, file: Path) -> None:
        """See `Shelf`."""
        from app.commands.remote import checked, understood

        try:
            content = await asyncio.to_thread(file.open, "rb")
        except OSError as error:
            raise InvalidInput(f"It cannot be read: {error.strerror}.") from error
        with content, understood():
            answer = await self._client.post(
                "/api/v1/knowledge/upload", data={"dataset_id": self._dataset_id}, files={"file": (name, content)}
            )
            (document,) = (await checked(answer)).json()["documents"]
            async for _ in _looks():
                answer = await self._client.get(f"/api/v1/knowledge/documents/{document['id']}")
                document = (await checked(answer)).json()
                if document["status"] == "ready":
                    return
                if document["status"] == "failed":
                    raise InvalidInput(document["error"]["message"])


def _read(file: Path, max_bytes: int) -> bytes:
    """The file's bytes; one that is too large is not read."""
    try:
        if file.stat().st_size > max_bytes:
            raise TooLarge(f"It is larger than {max_bytes:,} bytes.")
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"It cannot be read: {error.strerror}.") from error


async def _looks() -> AsyncIterator[None]:
    pause = FIRST_LOOK_SECONDS
    while True:
        await asyncio.sleep(pause)
        yield
        pause = min(pause * 1.5, LAST_LOOK_SECONDS)

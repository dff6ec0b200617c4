"""Reads chat streams in the background, as clients do."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.parts import CORPUS_QUESTION, Served, events_of

CHAT = "/api/v1/chat/stream"


def asking(message: str = CORPUS_QUESTION, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": message}], **fields}


class Reader:
    """Reads a stream in the background, event by event."""

    def __init__(self, served: Served, body: dict[str, Any] | None = None, rejoin: str | None = None) -> None:
        self.served = served
        self.body = body
        self.rejoin = rejoin
        self.text = ""
        self._grew = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        request = (
            self.served.client.stream("POST", CHAT, json=self.body)
            if self.body is not None
            else self.served.client.stream("GET", f"/api/v1/turns/{self.rejoin}/events")
        )
        async with request as answer:
            assert answer.status_code == 200
            async for text in answer.aiter_text():
                self.text += text
                self._grew.set()
        self._grew.set()

    @property
    def events(self) -> list[dict[str, Any]]:
        return events_of(self.text)

    async def until(self, kind: str) -> dict[str, Any]:
        """Wait for an event of this type."""
        async with asyncio.timeout(10):
            while True:
                for event in self.events:
                    if event["type"] == kind:
                        return event
                self._grew.clear()
                await self._grew.wait()

    async def end(self) -> list[dict[str, Any]]:
        await asyncio.wait_for(self.task, 15)
        return self.events

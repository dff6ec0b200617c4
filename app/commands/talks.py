"""Whom `zhiyin chat` talks to: the app in this very process, or a running one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Protocol

import orjson

if TYPE_CHECKING:
    import httpx

    from app.wiring import App

Event = dict[str, Any]
"""An event of a turn, as on the wire."""


class Talk(Protocol):
    """One conversation."""

    def ask(self, question: str) -> AsyncGenerator[Event]:
        """The events of the turn that answers. Raises ZhiyinError."""
        ...

    async def stop(self) -> None:
        """Cancel the turn that runs, if any, and wait for its end."""
        ...


class LocalTalk:
    """A conversation of the local principal."""

    def __init__(self, app: App) -> None:
        from app.auth import LOCAL

        self._app = app
        self._principal = LOCAL
        self._conversation_id: str | None = None

    async def ask(self, question: str) -> AsyncGenerator[Event]:
        """See `Talk`."""
        from app.turns import Ask

        who = self._principal
        live = await self._app.turns.start(Ask(who.tenant_id, who.user_id, question, self._conversation_id))
        self._conversation_id = live.turn.conversation_id
        async for frames in await self._app.turns.follow(who.tenant_id, live.turn.id):
            for line in frames.split(b"\n"):
                if line.startswith(b"data: "):
                    yield orjson.loads(line[6:])

    async def stop(self) -> None:
        """See `Talk`."""
        if self._conversation_id is not None:
            await self._app.turns.stop_conversation(self._principal.tenant_id, self._conversation_id)


class RemoteTalk:
    """A conversation with a running app."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._conversation_id: str | None = None
        self._turn_id: str | None = None

    async def ask(self, question: str) -> AsyncGenerator[Event]:
        """See `Talk`."""
        from app.commands.remote import checked, understood

        body: Event = {"messages": [{"role": "user", "content": question}]}
        if self._conversation_id is not None:
            body["conversation_id"] = self._conversation_id
        with understood():
            async with self._client.stream("POST", "/api/v1/chat/stream", json=body) as answer:
                async for line in (await checked(answer)).aiter_lines():
                    if line.startswith("data: "):
                        event: Event = orjson.loads(line[6:])
                        if event["type"] == "start":
                            self._conversation_id, self._turn_id = event["conversation_id"], event["turn_id"]
                        yield event
        self._turn_id = None

    async def stop(self) -> None:
        """See `Talk`."""
        from app.commands.remote import checked, understood

        if self._turn_id is not None:
            with understood():
                await checked(await self._client.post(f"/api/v1/turns/{self._turn_id}/cancel"))
                await checked(await self._client.get(f"/api/v1/turns/{self._turn_id}/events"))  # ends with the turn

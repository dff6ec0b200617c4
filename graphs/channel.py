"""Between a running turn and whoever listens: joins neighbouring deltas, numbers events, closes at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from nodes.events import TERMINAL, Delta, TurnEvent

LINGER_SECONDS = 0.02
"""What nobody waits for (all but words and endings) may travel this much later, with what follows it."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event and its place in the turn, from 1, without gaps."""

    seq: int
    event: TurnEvent


class EventChannel:
    """A turn's voice. `put` never waits; a slow listener gets longer deltas, not more of them."""

    def __init__(self) -> None:
        self._pending: list[TurnEvent] = []
        self._delta: list[str] = []
        self._seq = 0
        self._closed = False
        self._said = asyncio.Event()
        self._lingering: asyncio.TimerHandle | None = None

    def put(self, event: TurnEvent) -> None:
        """Say `event`; whatever comes after a terminal event is dropped."""
        if self._closed:
            return
        if isinstance(event, Delta):
            self._delta.append(event.content)
            self._said.set()
            return
        self._join_deltas()
        self._pending.append(event)
        self._closed = isinstance(event, TERMINAL)
        if self._closed:
            self._said.set()
        elif self._lingering is None:
            self._lingering = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._said.set)

    async def batches(self) -> AsyncIterator[list[Numbered]]:
        """All that was said since the last batch, again and again until the terminal event is out."""
        ended = False
        while not ended:
            await self._said.wait()
            self._said.clear()
            if self._lingering is not None:
                self._lingering.cancel()
                self._lingering = None
            self._join_deltas()
            events, self._pending = self._pending, []
            ended = self._closed
            yield [Numbered(self._seq + place, event) for place, event in enumerate(events, start=1)]
            self._seq += len(events)

    def _join_deltas(self) -> None:
        if self._delta:
            self._pending.append(Delta(content="".join(self._delta)))
            self._delta = []

"""A running turn as its readers see it: ready-made frames, and a cursor into them for each reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from graphs.channel import Numbered
from nodes.events import Delta, EmotionEvent, Replace, TurnEvent, as_fields
from nodes.turn import Turn
from tools.stores.moods_protocol import Mood


@dataclass(slots=True, eq=False)
class LiveTurn:
    """A turn of this process: its frames so far, for any number of readers."""

    turn: Turn
    frames: list[bytes] = field(default_factory=list)
    ended: bool = False
    task: asyncio.Task[None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _parts: list[str] = field(default_factory=list)

    @property
    def answer(self) -> str:
        """The text as the client sees it."""
        return "".join(self._parts)

    def hear(self, event: TurnEvent) -> None:
        """Follow the text of the answer."""
        if isinstance(event, Delta):
            self._parts.append(event.content)
        elif isinstance(event, Replace):
            self._parts = [event.content]

    def publish(self, frames: Sequence[bytes], *, ended: bool) -> None:
        """Show frames to all readers."""
        self.frames.extend(frames)
        self.ended = self.ended or ended
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self, after: int) -> AsyncIterator[bytes]:
        """Frames with `seq > after`, as many at a time as there are, until the turn has ended."""
        while True:
            if after < len(self.frames):
                chunk, after = b"".join(self.frames[after:]), len(self.frames)
                yield chunk
            elif self.ended:
                return
            else:
                await self._changed.wait()

    async def finished(self) -> None:
        """Wait for the end."""
        async for _ in self.follow(len(self.frames)):
            pass

    def events(self) -> list[dict[str, Any]]:
        """All that was said, decoded."""
        return [orjson.loads(frame.split(b"data: ", 1)[1]) for frame in self.frames]


def data_of(numbered: Numbered) -> str:
    """The JSON of an event, its type and number first."""
    fields = as_fields(numbered.event)
    return orjson.dumps({"type": fields.pop("type"), "seq": numbered.seq, **fields}).decode()


def frame_of(turn_id: str, seq: int, data: str) -> bytes:
    """The server-sent frame of an event."""
    return f"id: {turn_id}:{seq}\ndata: {data}\n\n".encode()


def mood_of(event: EmotionEvent) -> Mood:
    """What is kept of how the message felt: what the client was told, no more."""
    return Mood(event.label, event.valence, event.arousal, event.intensity, event.confidence, event.decided_by)

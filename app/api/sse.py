"""Frames of a turn as a `text/event-stream`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse

SEND_TIMEOUT_SECONDS = 30.0
"""A reader that takes nothing for this long is let go; the turn runs on and can be rejoined."""


def event_stream(frames: AsyncIterator[bytes], heartbeat_seconds: float) -> EventSourceResponse:
    """Send ready-made frames, with a comment whenever there was nothing to say for a while.

    The connection ends with the stream: a client that reads to the end of the socket does not wait for more.
    """
    response = EventSourceResponse(
        frames,
        ping=heartbeat_seconds,
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat"),
        sep="\n",
        send_timeout=SEND_TIMEOUT_SECONDS,
    )
    response.headers["Connection"] = "close"
    return response

"""What an engine is, and what every engine's turn has in common.

An engine only runs: it calls nodes, which speak through the context, and gives back the final state.
`run_turn` owns the rest: the first event, the deadline, mapping failures to one typed error, the
measurements, and exactly one terminal event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol, cast

import structlog

from flags.snapshot import Engine
from graphs.observer import Observer
from graphs.state import TurnState
from nodes.context import TurnContext
from nodes.events import Done, Failed, Start, Usage
from tools.errors import ZhiyinError

log = structlog.get_logger(__name__)

INTERRUPTED = "interrupted"
"""Cancel a turn's task with this message when the process, not the user, is what stops it."""


class Coordinator(Protocol):
    """An engine that takes a turn through its nodes."""

    @property
    def name(self) -> Engine:
        """Its name on the wire and in metrics."""
        ...

    async def run(self, context: TurnContext) -> TurnState:
        """Answer the turn through `context.emit`; says no `start` and no terminal event.

        Any exception may come out; cancelling the task stops it at whatever node it is in.
        """
        ...


async def run_turn(coordinator: Coordinator, context: TurnContext, observer: Observer, deadline_seconds: float) -> None:
    """Run one turn from its `start` to its only terminal event. Never raises: a cancel is an outcome."""
    started = time.perf_counter()
    decision = context.decision
    context.emit(
        Start(
            turn_id=context.turn.id,
            conversation_id=context.turn.conversation_id,
            coordinator=coordinator.name,
            variant=decision.variant,
            reason=decision.reason,
        )
    )
    ending: Done | Failed
    try:
        async with asyncio.timeout(deadline_seconds):
            state = await coordinator.run(context)
        ending = _done(context, state, started)
    except asyncio.CancelledError as cancelled:
        ending = _cancelled(context, cancelled, started)
    except Exception as error:
        ending = failure_of(error)
    context.emit(ending)
    outcome = ending.finish_reason if isinstance(ending, Done) else ending.code
    seconds, first = time.perf_counter() - started, context.meter.first_token_at
    first_token = first - started if first is not None else None
    observer.turn(coordinator.name, decision.variant, seconds, outcome, first_token)


def _done(context: TurnContext, state: TurnState, started: float) -> Done:
    return Done(
        finish_reason=state.get("finish_reason", "stop"),
        citations=list(state.get("citations", ())),
        unsupported=list(state.get("unsupported", ())),
        usage=_usage(context, started),
    )


def _cancelled(context: TurnContext, cancelled: asyncio.CancelledError, started: float) -> Done | Failed:
    if INTERRUPTED in cancelled.args:
        return Failed(code="interrupted", message="The server stopped before the answer was complete.", retryable=True)
    return Done(finish_reason="cancelled", usage=_usage(context, started))


def failure_of(error: Exception) -> Failed:
    """One typed error; what is not ours to explain is logged and called internal."""
    while isinstance(error, ExceptionGroup):
        error = cast("ExceptionGroup[Exception]", error).exceptions[0]
    if isinstance(error, ZhiyinError):
        return Failed(code=error.code, message=error.message, retryable=error.retryable)
    if isinstance(error, TimeoutError):
        return Failed(code="deadline_exceeded", message="The answer took too long.", retryable=True)
    log.error("turn.failed", exc_info=error)
    return Failed(code="internal", message="Something went wrong on our side.", retryable=True)


def _usage(context: TurnContext, started: float) -> Usage:
    meter = context.meter
    return Usage(
        prompt_tokens=meter.usage.prompt_tokens,
        completion_tokens=meter.usage.completion_tokens,
        total_tokens=meter.usage.prompt_tokens + meter.usage.completion_tokens,
        tokens_counted=meter.usage.counted,
        cost=meter.cost,
        cache_hit=meter.cache_hit,
        node_ms={name: round(ms, 3) for name, ms in meter.node_ms.items()},
        total_ms=round((time.perf_counter() - started) * 1000, 3),
    )


Coordinators = Mapping[Engine, Coordinator]

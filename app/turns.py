"""Turns as they run: in the background, each event kept before it is shown, followed by any number of readers.

A client that goes away takes nothing with it: the turn belongs to the runner, and a reader is only a
cursor into what the turn has said. One running turn per conversation, across all processes that share
the store; what a second message does is the client's choice (`OnBusy`).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from weakref import WeakValueDictionary

import structlog

from app.live_turn import LiveTurn, data_of, frame_of, mood_of
from flags.snapshot import Decision, FlagSnapshot
from graphs.channel import EventChannel, Numbered
from graphs.coordinator import INTERRUPTED, Coordinators, failure_of, run_turn
from graphs.observer import Observer
from nodes.context import Services, TurnContext
from nodes.events import TERMINAL, Done, EmotionEvent, Failed, TurnEvent
from nodes.turn import Turn, TurnOptions
from tools.errors import NotFound, StoreUnavailable, TurnInProgress, ZhiyinError
from tools.stores.moods_protocol import Mood
from tools.stores.protocol import NewTurn, StoredEvent, TurnEnd, TurnRecord, TurnStore

log = structlog.get_logger(__name__)

OnBusy = Literal["reject", "enqueue", "interrupt", "rollback"]
POLL_SECONDS = 0.2
"""How often another process's turn is looked at, by its readers and by those who wait for it."""
CANCEL_POLL_SECONDS = 0.4
CLOSE_RETRY_SECONDS = 1.0


class Flags(Protocol):
    """Where the flags of a new turn come from."""

    def decide(self, targeting_key: str) -> tuple[FlagSnapshot, Decision]:
        """The flags as they are now, and the coordinator they give this user."""
        ...


class Owner(Protocol):
    """This process among those that share the store."""

    @property
    def id(self) -> str:
        """The name under which its turns run."""
        ...

    def dead(self, owner_id: str) -> bool:
        """Whether that process is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One message to a conversation; `conversation_id` None makes one, seeded with `history`."""

    tenant_id: str
    user_id: str
    message: str
    conversation_id: str | None = None
    history: Sequence[tuple[Literal["system", "user", "assistant"], str]] = ()
    language: Literal["auto", "en", "zh"] = "auto"
    on_busy: OnBusy = "reject"
    targeting_key: str | None = None
    """Who the flags are decided for; None means the conversation."""
    options: TurnOptions = field(default_factory=TurnOptions)


class TurnRunner:
    """Starts, follows, cancels and finally drains turns."""

    def __init__(
        self,
        turns: TurnStore,
        coordinators: Coordinators,
        services: Services,
        flags: Flags,
        observer: Observer,
        owner: Owner,
        deadline_seconds: float,
    ) -> None:
        self._turns = turns
        self._coordinators = coordinators
        self._services = services
        self._flags = flags
        self._observer = observer
        self._owner = owner
        self._deadline = deadline_seconds
        self._live: dict[str, LiveTurn] = {}
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._closing = False

    async def open(self) -> None:
        """End the turns that a crash left running, then listen for cancels from other processes."""
        for owner in await self._turns.owners_of_running():
            await self._bury(owner)
        self._watcher = asyncio.create_task(self._watch_cancels())

    @property
    def in_flight(self) -> int:
        """Turns running in this process."""
        return len(self._live)

    def live_ids(self) -> list[str]:
        """Ids of the turns running or waiting in this process."""
        return list(self._live)

    async def start(self, ask: Ask) -> LiveTurn:
        """Begin a turn; it runs on whether or not anybody follows it.

        Raises:
            NotFound: the conversation is not this tenant's.
            TurnInProgress: it is answering already and `on_busy` is `reject`.
            StoreUnavailable: nothing was begun; also while shutting down.
        """
        if self._closing:
            raise StoreUnavailable("The server is shutting down.")
        conversation_id = ask.conversation_id or f"conv_{uuid.uuid4().hex}"
        turn = Turn(
            id=f"turn_{uuid.uuid4().hex}",
            conversation_id=conversation_id,
            tenant_id=ask.tenant_id,
            user_id=ask.user_id,
            message=ask.message,
            language=ask.language,
            opens_conversation=ask.conversation_id is None and not ask.history,
            options=ask.options,
        )
        live = LiveTurn(turn)
        if ask.conversation_id is not None and ask.on_busy == "enqueue":
            await self._services.conversations.get(ask.tenant_id, conversation_id)
            self._live[turn.id] = live
            self._spawn(live, self._wait_then_run(live, ask))
        else:
            await self._begin(live, ask)
            self._live[turn.id] = live
            self._spawn(live, self._run(live, ask))
        return live

    async def user_of(self, tenant_id: str, turn_id: str) -> str:
        """Whose turn it is, running, waiting or ended. Raises NotFound."""
        live = self._live.get(turn_id)
        if live is not None and live.turn.tenant_id == tenant_id:
            return live.turn.user_id
        return (await self._turns.get(tenant_id, turn_id)).user_id

    async def follow(self, tenant_id: str, turn_id: str, after: int = 0) -> AsyncIterator[bytes]:
        """Frames of a turn with `seq > after`, past ones first, until it has ended. Raises NotFound at once."""
        live = self._live.get(turn_id)
        if live is not None and live.turn.tenant_id == tenant_id:
            return live.follow(after)
        await self._turns.get(tenant_id, turn_id)
        return self._replay(tenant_id, turn_id, after)

    async def cancel(self, tenant_id: str, turn_id: str) -> TurnRecord | None:
        """Stop a turn wherever it runs; one that has ended is left as it is. Raises NotFound.

        Gives None for a turn that is still waiting for its place.
        """
        live = self._live.get(turn_id)
        mine = live if live is not None and live.turn.tenant_id == tenant_id else None
        try:
            record = await self._turns.request_cancel(tenant_id, turn_id)
        except NotFound:
            if mine is None:
                raise
            record = None
        if mine is not None and mine.task is not None:
            mine.task.cancel()
        return record

    async def stop_conversation(self, tenant_id: str, conversation_id: str) -> None:
        """Cancel the conversation's running turn, if any, and wait for its end."""
        while turn_id := await self._turns.running(tenant_id, conversation_id):
            await self.cancel(tenant_id, turn_id)
            await self._ended(tenant_id, turn_id)

    async def close(self, drain_seconds: float = 5.0) -> None:
        """Let running turns finish for a while, then end them as `interrupted`."""
        self._closing = True
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=drain_seconds)
        for live in list(self._live.values()):
            if live.task is not None:
                live.task.cancel(INTERRUPTED)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=drain_seconds)

    # A turn's life

    def _spawn(self, live: LiveTurn, life: Any) -> None:
        async def whole() -> None:
            try:
                await life
            finally:
                self._live.pop(live.turn.id, None)

        task = asyncio.create_task(whole(), name=live.turn.id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self, live: LiveTurn, ask: Ask) -> None:
        turn = live.turn
        new = NewTurn(
            id=turn.id,
            user_id=turn.user_id,
            message=turn.message,
            conversation_id=turn.conversation_id,
            make_conversation=ask.conversation_id is None,
            history=ask.history,
        )
        line = self._lines.get(turn.conversation_id)
        if ask.on_busy == "reject" and line is not None and line.locked():
            raise TurnInProgress("The conversation is still answering.")
        while True:
            try:
                await self._turns.begin(turn.tenant_id, new, self._owner.id)
                return
            except TurnInProgress:
                running = await self._turns.running(turn.tenant_id, turn.conversation_id)
                if running is None:
                    continue
                if await self._bury_owner_of(turn.tenant_id, running):
                    continue
                if ask.on_busy == "reject":
                    raise
                await self._make_way(turn.tenant_id, running, ask.on_busy)

    async def _make_way(self, tenant_id: str, running: str, on_busy: OnBusy) -> None:
        """Wait until the running turn has ended, hurrying it as the policy says."""
        if on_busy != "enqueue":
            await self.cancel(tenant_id, running)
        await self._ended(tenant_id, running)
        if on_busy == "rollback":
            await self._turns.roll_back(tenant_id, running)

    async def _wait_then_run(self, live: LiveTurn, ask: Ask) -> None:
        """Stand in the conversation's line, then run."""
        conversation_id = live.turn.conversation_id
        line = self._lines.setdefault(conversation_id, asyncio.Lock())  # lives as long as somebody stands in it
        live.task = asyncio.current_task()
        try:
            async with line:
                await self._begin(live, ask)
        except (Exception, asyncio.CancelledError) as error:
            await self._never_ran(live, error)
            return
        await self._run(live, ask)

    async def _never_ran(self, live: LiveTurn, error: BaseException) -> None:
        """Tell the reader of a turn that did not get its place."""
        event: Done | Failed = Done(finish_reason="cancelled")
        if isinstance(error, Exception):
            event = failure_of(error)
        elif INTERRUPTED in error.args:
            event = Failed(code=INTERRUPTED, message="The server stopped before the turn began.", retryable=True)
        turn, data = live.turn, data_of(Numbered(1, event))
        with suppress(ZhiyinError):  # as a rule there is no such turn, but a cancel does not call back its beginning
            await self._turns.append(turn.tenant_id, turn.id, [StoredEvent(1, data)], _end_of(event, ""))
        live.publish([frame_of(turn.id, 1, data)], ended=True)

    async def _run(self, live: LiveTurn, ask: Ask) -> None:
        turn = live.turn
        flags, decision = self._flags.decide(ask.targeting_key or turn.conversation_id)
        channel = EventChannel()
        context = TurnContext(turn, flags, decision, self._services, channel.put)
        coordinator = self._coordinators[decision.engine]
        structlog.contextvars.bind_contextvars(turn_id=turn.id, tenant_id=turn.tenant_id)
        engine = asyncio.create_task(run_turn(coordinator, context, self._observer, self._deadline))
        live.task = None
        await asyncio.sleep(0)  # a task cancelled before its first step would never say `start`
        live.task = engine
        try:
            async for batch in channel.batches():
                await self._keep_and_show(live, batch)
        except Exception as error:
            await self._lost(live, failure_of(error))
        finally:
            engine.cancel()
            await asyncio.gather(engine, return_exceptions=True)

    async def _keep_and_show(self, live: LiveTurn, batch: Sequence[Numbered]) -> None:
        turn = live.turn
        stored = [StoredEvent(numbered.seq, data_of(numbered)) for numbered in batch]
        end: TurnEnd | None = None
        mood: Mood | None = None
        for numbered in batch:
            live.hear(numbered.event)
            if isinstance(numbered.event, TERMINAL):
                end = _end_of(numbered.event, live.answer)
            elif isinstance(numbered.event, EmotionEvent):
                mood = mood_of(numbered.event)
        await self._turns.append(turn.tenant_id, turn.id, stored, end, mood)
        live.publish([frame_of(turn.id, event.seq, event.data) for event in stored], ended=end is not None)

    async def _lost(self, live: LiveTurn, failed: Failed) -> None:
        """An event could not be kept: tell the readers, and close the turn as soon as the store lets us."""
        turn, seq = live.turn, len(live.frames) + 1
        log.warning("turn.not_kept", code=failed.code)
        data = data_of(Numbered(seq, failed))
        live.publish([frame_of(turn.id, seq, data)], ended=True)
        while not self._closing:
            try:
                end = TurnEnd("error", live.answer)
                await self._turns.append(turn.tenant_id, turn.id, [StoredEvent(seq, data)], end)
                return
            except StoreUnavailable:
                await asyncio.sleep(CLOSE_RETRY_SECONDS)
            except NotFound:
                return

    # Turns of other processes, and of processes that are no more

    async def _replay(self, tenant_id: str, turn_id: str, after: int) -> AsyncIterator[bytes]:
        while True:
            record = await self._turns.get(tenant_id, turn_id)
            events = await self._turns.events(tenant_id, turn_id, after)
            if events:
                after = events[-1].seq
                yield b"".join(frame_of(turn_id, event.seq, event.data) for event in events)
            if record.status != "running":
                return
            if not await self._bury(record.owner):
                await asyncio.sleep(POLL_SECONDS)

    async def _ended(self, tenant_id: str, turn_id: str) -> None:
        live = self._live.get(turn_id)
        if live is not None:
            await live.finished()
        while (record := await self._turns.get(tenant_id, turn_id)).status == "running":
            if not await self._bury(record.owner):
                await asyncio.sleep(POLL_SECONDS)

    async def _bury_owner_of(self, tenant_id: str, turn_id: str) -> bool:
        try:
            record = await self._turns.get(tenant_id, turn_id)
        except NotFound:
            return True
        return await self._bury(record.owner)

    async def _bury(self, owner: str) -> bool:
        """End all turns of a process that is gone; False while it lives."""
        if owner == self._owner.id or not await asyncio.to_thread(self._owner.dead, owner):
            return False
        event = Failed(code=INTERRUPTED, message="The server stopped before the answer was complete.", retryable=True)
        template = data_of(Numbered(0, event)).replace('"seq":0,', '"seq":{seq},', 1)
        await self._turns.interrupt(owner, template)
        return True

    async def _watch_cancels(self) -> None:
        """Another process may be asked to stop a turn of ours; it leaves word in the store."""
        while True:
            await asyncio.sleep(CANCEL_POLL_SECONDS)
            if not self._live:
                continue
            try:
                wanted = await self._turns.cancel_requests(self._owner.id)
            except StoreUnavailable:
                continue
            for turn_id in wanted:
                live = self._live.get(turn_id)
                if live is not None and live.task is not None:
                    live.task.cancel()


def _end_of(event: TurnEvent, answer: str) -> TurnEnd:
    if isinstance(event, Done):
        citations: list[Mapping[str, Any]] = [citation.model_dump() for citation in event.citations]
        return TurnEnd("cancelled" if event.finish_reason == "cancelled" else "done", answer, citations)
    return TurnEnd("error", answer)

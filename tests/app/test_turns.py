"""Turns as they run: kept before shown, closed whatever happens, shared by processes, forgotten afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

import app.turns
from app.live_turn import LiveTurn
from app.turns import Ask, TurnRunner
from app.wiring import App, Replacements, open_app
from nodes.turn import Turn
from tests.parts import CORPUS_ANSWER, Recorder, ScriptedModel, settings, with_database
from tools.errors import NotFound, StoreUnavailable, TurnInProgress, ZhiyinError
from tools.stores.moods_protocol import Mood
from tools.stores.owner import ProcessOwner
from tools.stores.protocol import NewTurn, StoredEvent, TurnEnd
from tools.stores.turns import SqlTurnStore

HELLO = Ask("t", "ann", "Hello!")


class LeakyStore(SqlTurnStore):
    """The store, refusing to keep anything more once `refusals` is set, that many times."""

    refusals = 0
    error: ZhiyinError | Exception = StoreUnavailable("The disk is full.")

    async def append(
        self,
        tenant_id: str,
        turn_id: str,
        events: Sequence[StoredEvent],
        end: TurnEnd | None = None,
        mood: Mood | None = None,
    ) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise self.error
        await super().append(tenant_id, turn_id, events, end, mood)


def runner_of(app: App, store: SqlTurnStore, owner: ProcessOwner | None = None) -> TurnRunner:
    """A second runner over the parts of an app, as another process would have it."""
    own = app.turns
    return TurnRunner(
        store, own._coordinators, app.services, app.flags, Recorder(), owner or own._owner, deadline_seconds=30
    )


@asynccontextmanager
async def opened(folder: Path, *models: ScriptedModel) -> AsyncIterator[App]:
    chosen = list(models) or [ScriptedModel()]
    async with open_app(settings(with_database(folder)), Replacements(chat_models=chosen)) as app:
        yield app


@asynccontextmanager
async def another_process(app: App, folder: Path) -> AsyncIterator[tuple[TurnRunner, ProcessOwner]]:
    """A runner with a name of its own over the same database."""
    owner = ProcessOwner(folder / "owners")
    runner = runner_of(app, SqlTurnStore(app.database), owner)
    await runner.open()
    try:
        yield runner, owner
    finally:
        await runner.close(0.1)
        owner.close()


async def said(runner: TurnRunner, turn_id: str, tenant_id: str = "t", after: int = 0) -> list[dict[str, Any]]:
    """All events of a turn, once it has ended."""
    async with asyncio.timeout(15):
        text = b"".join([chunk async for chunk in await runner.follow(tenant_id, turn_id, after)])
    return [orjson.loads(line[6:]) for line in text.split(b"\n") if line.startswith(b"data: ")]


async def until_said(live: LiveTurn, kind: str) -> None:
    """Wait until the turn has said an event of this type."""
    seen = b""
    async with asyncio.timeout(10):
        async for frames in live.follow(0):
            seen += frames
            if f'"type":"{kind}"'.encode() in seen:
                return


async def waiting(runner: TurnRunner, turns: int) -> None:
    """Wait until that many turns are in the runner's hands."""
    async with asyncio.timeout(10):
        while runner.in_flight != turns:
            await asyncio.sleep(0.005)


async def contents(app: App, conversation_id: str) -> list[str]:
    return [message.content for message in await app.conversations.messages("t", conversation_id)]


def assert_whole(events: list[dict[str, Any]], ending: str) -> None:
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"] for event in events if event["type"] in {"done", "error"}] == [ending]
    assert events[-1]["type"] == ending


async def test_a_store_that_refuses_in_mid_turn_ends_it_in_one_error_and_the_conversation_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.turns, "CLOSE_RETRY_SECONDS", 0.01)
    model = ScriptedModel(hold=True)
    async with opened(tmp_path, model) as parts:
        store = LeakyStore(parts.database)
        runner = runner_of(parts, store)
        live = await runner.start(HELLO)
        model.let_go(3)
        await until_said(live, "delta")
        readers = [asyncio.create_task(said(runner, live.turn.id)) for _ in range(2)]
        await asyncio.sleep(0)
        store.refusals = 3
        model.let_go()
        for events in await asyncio.gather(*readers):
            assert_whole(events, "error")
            assert (events[-1]["code"], events[-1]["retryable"]) == ("store_unavailable", True)
        await waiting(runner, 0)
        record = await parts.turn_store.get("t", live.turn.id)
        assert record.status == "error"
        assert await said(runner, live.turn.id) == events
        partial = (await contents(parts, live.turn.conversation_id))[1]
        assert CORPUS_ANSWER.startswith(partial)
        again = await runner.start(Ask("t", "ann", "And now?", conversation_id=live.turn.conversation_id))
        assert_whole(await said(runner, again.turn.id), "done")
        await runner.close()


@pytest.mark.parametrize("error", [StoreUnavailable("Locked."), RuntimeError("a bug")])
async def test_a_turn_whose_first_event_is_lost_still_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(app.turns, "CLOSE_RETRY_SECONDS", 0.01)
    async with opened(tmp_path) as parts:
        store = LeakyStore(parts.database)
        store.refusals, store.error = 1, error
        runner = runner_of(parts, store)
        live = await runner.start(HELLO)
        events = await said(runner, live.turn.id)
        assert_whole(events, "error")
        assert "bug" not in events[-1]["message"]
        await waiting(runner, 0)
        assert (await parts.turn_store.get("t", live.turn.id)).status == "error"
        assert await said(runner, live.turn.id) == events
        await runner.close()


async def test_text_that_cannot_be_sent_ends_the_turn_and_nothing_else(tmp_path: Path) -> None:
    async with opened(tmp_path, ScriptedModel("fine \ud83d broken", size=3)) as parts:
        live = await parts.turns.start(HELLO)
        events = await said(parts.turns, live.turn.id)
        assert events[-1]["type"] in {"done", "error"}
        assert_whole(events, events[-1]["type"])
        await waiting(parts.turns, 0)
        assert (await parts.turn_store.get("t", live.turn.id)).status != "running"


async def test_a_turn_that_ended_while_the_store_was_away_is_buried_by_the_next_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        async with another_process(parts, tmp_path) as (_, owner):
            store = LeakyStore(parts.database)
            store.refusals = 1_000_000
            runner = runner_of(parts, store, owner)
            live = await runner.start(HELLO)
            await live.finished()
            await runner.close(0.01)
        assert (await parts.turn_store.get("t", live.turn.id)).status == "running"
        await parts.turns.open()
        assert (await said(parts.turns, live.turn.id))[-1]["code"] == "interrupted"


async def test_a_mood_is_kept_with_the_event_that_tells_it_whatever_becomes_of_the_turn(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with opened(tmp_path, model) as parts:
        live = await parts.turns.start(HELLO)
        await until_said(live, "emotion")
        told = next(event for event in live.events() if event["type"] == "emotion")
        await parts.turns.cancel("t", live.turn.id)
        await live.finished()
        (mood,) = await parts.moods.between("t", "ann", "0000", "9999", 10)
        assert (mood.turn_id, mood.primary_emotion, mood.valence) == (live.turn.id, told["label"], told["valence"])


async def test_closing_lets_a_turn_finish(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with opened(tmp_path, model) as parts:
        live = await parts.turns.start(HELLO)
        await until_said(live, "model")
        closing = asyncio.create_task(parts.turns.close())
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable):
            await parts.turns.start(HELLO)
        model.let_go()
        await closing
        assert (await parts.turn_store.get("t", live.turn.id)).status == "done"


async def test_closing_interrupts_what_does_not_finish_and_what_still_waits(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with opened(tmp_path, model) as parts:
        live = await parts.turns.start(HELLO)
        model.let_go(2)
        await until_said(live, "delta")
        conversation = live.turn.conversation_id
        second = await parts.turns.start(Ask("t", "ann", "second", conversation, on_busy="enqueue"))
        await parts.turns.close(0.05)
        for turn in (live, second):
            assert turn.ended
            assert (turn.events()[-1]["type"], turn.events()[-1]["code"]) == ("error", "interrupted")
        assert (await parts.turn_store.get("t", live.turn.id)).status == "error"
        assert await parts.turn_store.running("t", conversation) is None
        with pytest.raises(NotFound):
            await parts.turn_store.get("t", second.turn.id)


async def test_a_message_to_a_conversation_another_process_answers_is_refused_or_waits(tmp_path: Path) -> None:
    model = ScriptedModel("Yes.", hold=True)
    async with opened(tmp_path, model) as parts, another_process(parts, tmp_path) as (other, _):
        first = await parts.turns.start(HELLO)
        conversation = first.turn.conversation_id
        with pytest.raises(TurnInProgress):
            await other.start(Ask("t", "ann", "second", conversation))
        second = await other.start(Ask("t", "ann", "second", conversation, on_busy="enqueue"))
        model.let_go()
        assert_whole(await said(other, second.turn.id), "done")
        assert await contents(parts, conversation) == ["Hello!", "Yes.", "second", "Yes."]


async def test_a_turn_is_followed_and_cancelled_from_another_process(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with opened(tmp_path, model) as parts, another_process(parts, tmp_path) as (other, _):
        live = await parts.turns.start(HELLO)
        model.let_go(2)
        await until_said(live, "delta")
        following = asyncio.create_task(said(other, live.turn.id))
        record = await other.cancel("t", live.turn.id)
        assert record is not None
        assert record.status == "running"
        events = await following
        assert_whole(events, "done")
        assert events[-1]["finish_reason"] == "cancelled"
        assert events == live.events()
        assert model.closed.is_set()


async def test_another_process_can_interrupt_and_roll_back(tmp_path: Path) -> None:
    model = ScriptedModel("Yes.", hold=True)
    async with opened(tmp_path, model) as parts, another_process(parts, tmp_path) as (other, _):
        first = await parts.turns.start(HELLO)
        await until_said(first, "model")
        starting = other.start(Ask("t", "ann", "second", first.turn.conversation_id, on_busy="rollback"))
        second = await asyncio.wait_for(starting, 10)
        model.let_go()
        assert_whole(await said(other, second.turn.id), "done")
        assert await contents(parts, first.turn.conversation_id) == ["second", "Yes."]


async def test_turns_of_a_dead_process_are_ended_by_whoever_meets_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        gone = ProcessOwner(tmp_path / "owners")
        for number, start in (("1", '{"type":"start","seq":1}'), ("2", '{"type":"delta","seq":1,"content":"half"}')):
            new = NewTurn(f"turn_{number}", "ann", "Hello!", f"conv_{number}", make_conversation=True)
            await parts.turn_store.begin("t", new, gone.id)
            await parts.turn_store.append("t", f"turn_{number}", [StoredEvent(1, start)])
        with pytest.raises(TurnInProgress):
            await parts.turns.start(Ask("t", "ann", "next", "conv_1"))
        gone.close()
        after = await parts.turns.start(Ask("t", "ann", "next", "conv_1"))
        assert_whole(await said(parts.turns, after.turn.id), "done")
        cut = await said(parts.turns, "turn_2", after=1)
        assert [(event["type"], event["seq"], event["code"]) for event in cut] == [("error", 2, "interrupted")]
        assert await contents(parts, "conv_2") == ["Hello!", "half"]


async def test_a_cancel_that_meets_the_beginning_leaves_no_turn_running(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    class SlowStore(SqlTurnStore):
        async def begin(self, tenant_id: str, turn: NewTurn, owner: str) -> None:
            await super().begin(tenant_id, turn, owner)
            if turn.message == "second":
                begun.set()
                await go_on.wait()

    async with opened(tmp_path) as parts:
        runner = runner_of(parts, SlowStore(parts.database))
        first = await runner.start(HELLO)
        await first.finished()
        conversation = first.turn.conversation_id
        second = await runner.start(Ask("t", "ann", "second", conversation, on_busy="enqueue"))
        await asyncio.wait_for(begun.wait(), 5)
        await runner.cancel("t", second.turn.id)
        await asyncio.wait_for(second.finished(), 5)
        assert second.events()[-1]["finish_reason"] == "cancelled"
        assert await parts.turn_store.running("t", conversation) is None
        third = await runner.start(Ask("t", "ann", "third", conversation))
        assert_whole(await said(runner, third.turn.id), "done")
        await runner.close()


async def test_a_cancel_right_after_the_start_is_heard(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with opened(tmp_path, model) as parts:
        for rounds in range(4):
            live = await parts.turns.start(HELLO)
            for _ in range(rounds):
                await asyncio.sleep(0)
            await parts.turns.cancel("t", live.turn.id)
            events = await said(parts.turns, live.turn.id)
            assert events[0]["type"] == "start"
            assert events[-1]["finish_reason"] == "cancelled"


async def test_an_enqueued_message_to_an_unknown_conversation_is_refused_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        with pytest.raises(NotFound):
            await parts.turns.start(Ask("t", "ann", "x", "conv_none", on_busy="enqueue"))
        assert parts.turns.in_flight == 0


async def test_a_waiting_turn_whose_conversation_is_deleted_ends_in_an_error(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with opened(tmp_path, model) as parts:
        first = await parts.turns.start(HELLO)
        conversation = first.turn.conversation_id
        second = await parts.turns.start(Ask("t", "ann", "second", conversation, on_busy="enqueue"))
        await parts.turns.cancel("t", first.turn.id)
        await parts.turns.cancel("t", second.turn.id)
        await parts.turns.stop_conversation("t", conversation)
        await asyncio.wait_for(second.finished(), 5)
        assert [event["type"] for event in second.events()] == ["done"]


async def test_whose_turn_it_is_is_known_while_it_waits_runs_and_afterwards(tmp_path: Path) -> None:
    model = ScriptedModel(hold=True)
    async with opened(tmp_path, model) as parts:
        runner = parts.turns
        first = await runner.start(HELLO)
        second = await runner.start(Ask("t", "bob", "x", first.turn.conversation_id, on_busy="enqueue"))
        assert await runner.user_of("t", first.turn.id) == "ann"
        assert await runner.user_of("t", second.turn.id) == "bob"
        with pytest.raises(NotFound):
            await runner.user_of("other", first.turn.id)
        model.let_go()
        await second.finished()
        assert await runner.user_of("t", second.turn.id) == "bob"


async def test_ended_turns_leave_nothing_in_memory(tmp_path: Path) -> None:
    async with opened(tmp_path, ScriptedModel("Yes.")) as parts:
        runner = parts.turns
        first = await runner.start(HELLO)
        await first.finished()
        conversation = first.turn.conversation_id
        for _ in range(10):
            batch = [await runner.start(HELLO) for _ in range(8)]
            batch.append(await runner.start(Ask("t", "ann", "more", conversation, on_busy="enqueue")))
            await asyncio.gather(*(live.finished() for live in batch))
        del batch
        await waiting(runner, 0)
        async with asyncio.timeout(5):
            while runner._tasks or runner._lines:
                await asyncio.sleep(0.005)
        assert not runner._live


async def test_a_reader_that_comes_late_or_asks_for_the_end_gets_what_is_missing() -> None:
    live = LiveTurn(Turn(id="t1", conversation_id="c", tenant_id="t", user_id="u", message="m"))
    late = asyncio.create_task(_frames(live, 1))
    live.publish([b"1", b"2"], ended=False)
    await asyncio.sleep(0)
    live.publish([b"3"], ended=True)
    assert await late == b"23"
    assert await _frames(live, 0) == b"123"
    assert await _frames(live, 3) == b""


async def _frames(live: LiveTurn, after: int) -> bytes:
    return b"".join([chunk async for chunk in live.follow(after)])

"""The flags of a running process: read, watched, overridden, never half."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.settings import KNOWN_NAMES
from flags.errors import BadValue, ConfigurationError, UnknownFlag
from flags.snapshot import FlagSnapshot
from flags.source import FlagSource

LEGACY = "AB_TESTING_ENABLED=false\nCOORDINATOR_ENGINE=legacy\n"
WORKFLOW = "AB_TESTING_ENABLED=false\nCOORDINATOR_ENGINE=workflow\n"


def source(folder: Path, **environ: str) -> FlagSource:
    return FlagSource(folder / ".env", folder / "flags.json", environ, KNOWN_NAMES)


class Changes:
    """Waits for what a source tells its listeners."""

    def __init__(self, flags: FlagSource) -> None:
        self.seen: asyncio.Queue[FlagSnapshot] = asyncio.Queue()
        flags.subscribe(self.seen.put_nowait)

    async def next(self, seconds: float = 1.0) -> FlagSnapshot:
        return await asyncio.wait_for(self.seen.get(), seconds)


@asynccontextmanager
async def watching(folder: Path, **environ: str) -> AsyncIterator[tuple[FlagSource, Changes]]:
    flags = source(folder, **environ)
    flags.start()
    try:
        yield flags, Changes(flags)
    finally:
        await flags.close()


async def poll_until(flags: FlagSource, condition: Callable[[], bool]) -> None:
    """Look at the files by hand, as the watcher does, until something is so."""
    for _ in range(10):
        flags._apply(flags._look())
        if condition():
            return
    raise AssertionError("it never was so")


def test_sources_are_read_at_once_and_explained(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(LEGACY)
    (tmp_path / "flags.json").write_text('{"ENABLE_ML_INTENT": false}')
    flags = source(tmp_path, ab_traffic_split="0.25", PATH="/bin", KILL_SWITCH="")
    seen = {flag.name: (flag.value, flag.source) for flag in flags.explained()}
    assert seen["COORDINATOR_ENGINE"] == ("legacy", ".env")
    assert seen["AB_TRAFFIC_SPLIT"] == (0.25, "environment")
    assert seen["ENABLE_ML_INTENT"] == (False, "override")
    assert seen["KILL_SWITCH"] == (False, "default")


def test_a_start_that_is_wrong_names_every_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COORDINATOR_ENGINE=lagacy\n")
    (tmp_path / "flags.json").write_text("[]")
    with pytest.raises(ConfigurationError) as failure:
        source(tmp_path, COORDINATR_ENGINE="legacy", AB_TRAFFIC_SPLIT="10%")
    said = str(failure.value)
    for hint in ("mean COORDINATOR_ENGINE", "nearest is legacy", "nearest is 0.1", "not a JSON object"):
        assert hint in said


def test_decide_gives_the_snapshot_it_decided_by(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AB_TESTING_ENABLED=on\nAB_TRAFFIC_SPLIT=1\nCOORDINATOR_ENGINE=workflow\n")
    snapshot, decision = source(tmp_path).decide("user-1")
    assert snapshot.coordinator_engine == decision.engine == "workflow"
    assert (decision.variant, decision.reason) == ("treatment", "SPLIT")


@pytest.mark.parametrize("by_rename", [False, True])
async def test_a_changed_env_counts_within_a_second(tmp_path: Path, by_rename: bool) -> None:
    path = tmp_path / ".env"
    path.write_text(LEGACY)
    async with watching(tmp_path) as (flags, changes):
        started = time.monotonic()
        draft = tmp_path / "draft"
        draft.write_text(WORKFLOW)
        if by_rename:
            draft.replace(path)
        else:
            path.write_text(WORKFLOW)
        assert (await changes.next()).coordinator_engine == "workflow"
        assert time.monotonic() - started < 1
        assert flags.current().coordinator_engine == "workflow"


async def test_a_file_that_appears_and_one_that_goes_count_within_a_second(tmp_path: Path) -> None:
    async with watching(tmp_path) as (_flags, changes):
        (tmp_path / ".env").write_text(LEGACY)
        assert (await changes.next()).coordinator_engine == "legacy"
        (tmp_path / ".env").unlink()
        assert (await changes.next()).coordinator_engine == "langgraph"


async def test_an_override_counts_at_once_here_and_within_a_second_elsewhere(tmp_path: Path) -> None:
    async with watching(tmp_path) as (here, _), watching(tmp_path) as (elsewhere, changes):
        await here.override({"coordinator_engine": "legacy"}, "anna")
        assert here.current().coordinator_engine == "legacy"
        assert (await changes.next()).coordinator_engine == "legacy"
        await elsewhere.override({"KILL_SWITCH": True}, "ben")
        assert elsewhere.current() == FlagSnapshot(coordinator_engine="legacy", kill_switch=True)


async def test_an_override_is_taken_away_by_none(tmp_path: Path) -> None:
    flags = source(tmp_path, COORDINATOR_ENGINE="workflow")
    (change,) = await flags.override({"COORDINATOR_ENGINE": "legacy"}, "anna")
    assert (change.before.source, change.after.source) == ("environment", "override")
    (change,) = await flags.override({"COORDINATOR_ENGINE": None}, "anna")
    assert (change.after.value, change.after.source) == ("workflow", "environment")
    assert flags.current().coordinator_engine == "workflow"
    await flags.close()


async def test_overrides_are_made_all_or_none(tmp_path: Path) -> None:
    flags = source(tmp_path)
    with pytest.raises(BadValue):
        await flags.override({"COORDINATOR_ENGINE": "legacy", "AB_TRAFFIC_SPLIT": 7}, "anna")
    with pytest.raises(UnknownFlag):
        await flags.override({"COORDINATOR_ENGINE": "legacy", "AB_TRAFIC_SPLIT": 0.1}, "anna")
    assert flags.current() == FlagSnapshot()
    assert not (tmp_path / "flags.json").exists()
    await flags.close()


async def test_an_override_survives_its_caller_going_away(tmp_path: Path) -> None:
    async with watching(tmp_path) as (flags, changes):
        task = asyncio.create_task(flags.override({"COORDINATOR_ENGINE": "legacy"}, "anna"))
        await asyncio.sleep(0)
        task.cancel()
        assert (await changes.next()).coordinator_engine == "legacy"
        assert flags.current().coordinator_engine == "legacy"


@pytest.mark.parametrize(
    ("broken", "hint"),
    [
        ("COORDINATOR_ENGINE=wrokflow\n", "workflow"),
        ("COORDINATR_ENGINE=workflow\n", "COORDINATOR_ENGINE"),
        ("LOG_LEVLE=debug\nCOORDINATOR_ENGINE=workflow\n", "LOG_LEVEL"),
        ("COORDINATOR_ENGINE\n", "COORDINATOR_ENGINE=value"),
        ("COORDINATOR_ENGINE=\udcff\n", "UTF-8"),
    ],
)
async def test_a_broken_env_leaves_the_last_good_state_and_is_logged(tmp_path: Path, broken: str, hint: str) -> None:
    path = tmp_path / ".env"
    path.write_text(LEGACY)
    flags = source(tmp_path)
    path.write_bytes(broken.encode("utf-8", "surrogateescape"))
    with capture_logs() as logs:
        await poll_until(flags, lambda: any(entry["event"] == "flags.kept" for entry in logs))
    assert hint in str(logs[0]["problems"])
    assert flags.current().coordinator_engine == "legacy"
    path.write_text(WORKFLOW)
    await poll_until(flags, lambda: flags.current().coordinator_engine == "workflow")


async def test_a_broken_override_file_leaves_the_last_good_state(tmp_path: Path) -> None:
    flags = source(tmp_path)
    await flags.override({"COORDINATOR_ENGINE": "legacy"}, "anna")
    (tmp_path / "flags.json").write_text('{"COORDINATOR_ENGINE": "nothing"}')
    with capture_logs() as logs:
        await poll_until(flags, lambda: any(entry["event"] == "flags.kept" for entry in logs))
    assert flags.current().coordinator_engine == "legacy"
    await flags.override({"COORDINATOR_ENGINE": "workflow"}, "anna")
    assert flags.current().coordinator_engine == "workflow"
    await flags.close()


async def test_no_half_written_file_is_ever_seen(tmp_path: Path) -> None:
    """Whatever instant the watcher looks at, the engine is the one before or the one after."""
    path = tmp_path / ".env"
    path.write_text(LEGACY)
    flags = source(tmp_path)
    for length in range(len(WORKFLOW)):
        path.write_text(WORKFLOW[:length])
        flags._apply(flags._look())
        assert flags.current().coordinator_engine == "legacy"
    path.write_text(WORKFLOW)
    await poll_until(flags, lambda: flags.current().coordinator_engine == "workflow")


async def test_an_edit_without_effect_is_said(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(LEGACY)
    flags = source(tmp_path, COORDINATOR_ENGINE="workflow", OPENAI_MODEL="a")
    (tmp_path / ".env").write_text("COORDINATOR_ENGINE=langgraph\nOPENAI_MODEL=topsecret\n")
    with capture_logs() as logs:
        await poll_until(flags, lambda: any(entry["event"] == "flag.shadowed" for entry in logs))
    shadowed = next(entry for entry in logs if entry["event"] == "flag.shadowed")
    assert (shadowed["name"], shadowed["set_in"], shadowed["decided_by"]) == (
        "COORDINATOR_ENGINE",
        ".env",
        "environment",
    )
    assert next(entry for entry in logs if entry["event"] == "settings.need_restart")["names"] == ["OPENAI_MODEL"]
    assert "topsecret" not in str(logs)


async def test_what_is_let_pass_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MY_COMPANY_REGION=north\n")
    with capture_logs() as logs:
        async with watching(tmp_path):
            pass
    assert "MY_COMPANY_REGION" in str(logs)
    assert "north" not in str(logs)


async def test_a_watcher_outlives_a_listener_that_fails(tmp_path: Path) -> None:
    async with watching(tmp_path) as (flags, changes):

        def fail(_snapshot: FlagSnapshot) -> None:
            raise RuntimeError("broken listener")

        flags.subscribe(fail)
        with capture_logs() as logs:
            (tmp_path / ".env").write_text(LEGACY)
            await changes.next()
            (tmp_path / ".env").write_text(WORKFLOW)
            assert (await changes.next()).coordinator_engine == "workflow"
        assert "flags.watch_failed" in [entry["event"] for entry in logs]

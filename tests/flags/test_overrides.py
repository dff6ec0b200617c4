"""The override file: whole or not at all, and nobody's change is lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flags.errors import ConfigurationError
from flags.overrides import read_overrides, write_overrides


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "var" / "flags.json"
    layer = write_overrides(path, {"COORDINATOR_ENGINE": "legacy", "AB_TRAFFIC_SPLIT": 0.5})
    assert layer == read_overrides(path.read_bytes()) == {"COORDINATOR_ENGINE": "legacy", "AB_TRAFFIC_SPLIT": 0.5}


def test_a_write_keeps_what_others_set_and_removes_what_is_none(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    write_overrides(path, {"COORDINATOR_ENGINE": "legacy", "KILL_SWITCH": True})
    assert write_overrides(path, {"KILL_SWITCH": None, "ENABLE_ML_INTENT": False}) == {
        "COORDINATOR_ENGINE": "legacy",
        "ENABLE_ML_INTENT": False,
    }


def test_a_file_edited_by_hand_may_use_words_and_any_case() -> None:
    assert read_overrides(b'{"coordinator_engine": "graph", "kill_switch": "on"}') == {
        "COORDINATOR_ENGINE": "langgraph",
        "KILL_SWITCH": True,
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"KILL_SWICH": true}', "KILL_SWITCH"),
        (b'{"COORDINATOR_ENGINE": 5}', "legacy, workflow, langgraph"),
    ],
)
def test_a_broken_file_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_overrides(content)
    path = tmp_path / "flags.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        write_overrides(path, {"ENABLE_ML_INTENT": False})
    assert path.read_bytes() == content


def test_no_file_overrides_nothing() -> None:
    assert read_overrides(None) == read_overrides(b"") == {}


def test_writers_side_by_side_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    changes = [
        {"COORDINATOR_ENGINE": "legacy"},
        {"KILL_SWITCH": True},
        {"AB_TRAFFIC_SPLIT": 0.5},
        {"ENABLE_ML_INTENT": False},
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda change: write_overrides(path, change), changes))
    assert set(json.loads(path.read_bytes())) == {name for change in changes for name in change}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["flags.json", "flags.lock"]


def test_a_folder_that_cannot_be_written_is_an_error_and_leaves_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flags.json"
    write_overrides(path, {"KILL_SWITCH": True})

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_overrides(path, {"KILL_SWITCH": False})
    assert read_overrides(path.read_bytes()) == {"KILL_SWITCH": True}
    assert not list(tmp_path.glob("*.draft"))

"""When a change to a file is believed. `poll` is called by hand: no test waits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flags.errors import ConfigurationError
from flags.settled_file import LOOKS, LOOKS_IF_CUT, POLL_SECONDS, SettledFile

GOOD = b"A=1\nCOORDINATOR_ENGINE=legacy\n"
NEW = b"A=1\nCOORDINATOR_ENGINE=workflow\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.write_bytes(GOOD)
    return path


def polls_until_believed(file: SettledFile, most: int = 10) -> int:
    return next(count for count in range(1, most) if file.poll())


def test_a_rewrite_in_place_is_believed_at_the_second_look(path: Path) -> None:
    file = SettledFile(path)
    path.write_bytes(NEW)
    assert polls_until_believed(file) == LOOKS
    assert file.content == NEW
    assert not file.poll()


def test_a_replacement_by_rename_is_believed_even_with_the_same_size_and_time(path: Path) -> None:
    file = SettledFile(path)
    times = path.stat()
    other = path.with_name("new")
    other.write_bytes(GOOD.replace(b"legacy", b"graphs"))
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)
    assert polls_until_believed(file) == LOOKS


def test_a_file_that_is_still_changing_is_not_believed(path: Path) -> None:
    file = SettledFile(path)
    for length in range(1, len(NEW)):
        path.write_bytes(NEW[:length])
        assert not file.poll()
    assert file.content == GOOD
    path.write_bytes(NEW)
    assert polls_until_believed(file) == LOOKS


@pytest.mark.parametrize("cut", [b"", GOOD[:4], GOOD[:-3]])
def test_a_file_that_was_cut_short_is_believed_later(path: Path, cut: bytes) -> None:
    file = SettledFile(path)
    path.write_bytes(cut)
    assert polls_until_believed(file) == LOOKS_IF_CUT
    assert file.content == cut


def test_an_empty_moment_of_a_rewrite_leaves_no_trace(path: Path) -> None:
    file = SettledFile(path)
    path.write_bytes(b"")
    assert [file.poll() for _ in range(LOOKS_IF_CUT - 1)] == [False] * (LOOKS_IF_CUT - 1)
    path.write_bytes(GOOD)
    assert [file.poll() for _ in range(LOOKS_IF_CUT)] == [False] * LOOKS_IF_CUT
    assert file.content == GOOD


def test_a_deleted_file_is_believed_within_a_second_and_can_come_back(path: Path) -> None:
    file = SettledFile(path)
    path.unlink()
    assert polls_until_believed(file) == LOOKS_IF_CUT
    assert LOOKS_IF_CUT * POLL_SECONDS < 1
    assert file.content is None
    path.write_bytes(GOOD)
    assert polls_until_believed(file) == LOOKS
    assert file.content == GOOD


def test_touching_a_file_is_no_change(path: Path) -> None:
    file = SettledFile(path)
    os.utime(path)
    assert [file.poll() for _ in range(4)] == [False] * 4


def test_folders_and_devices_are_no_file(tmp_path: Path) -> None:
    assert SettledFile(tmp_path).content is None
    assert SettledFile(Path(os.devnull)).content is None


def test_an_unreadable_file_is_reported_and_the_content_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SettledFile(path)
    path.write_bytes(NEW)
    assert not file.poll()

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(ConfigurationError, match="Permission denied"):
            file.poll()
        with pytest.raises(ConfigurationError):
            SettledFile(path)
    assert file.content == GOOD
    path.write_bytes(NEW + b"B=1\n")
    assert polls_until_believed(file) == LOOKS

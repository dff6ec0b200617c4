"""A file that hangs, bloats or crashes its reader costs a child process and gets a typed code."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.errors import StoreUnavailable
from tools.knowledge import sandbox as module
from tools.knowledge.parsed import ParseError
from tools.knowledge.parsing import FileType
from tools.knowledge.sandbox import Sandbox, Work

HANGS = b"<div>" * 200_000


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(memory_bytes=512 * 2**20, timeout_seconds=20)
    yield sandbox
    sandbox.close()


def work(folder: Path, data: bytes, kind: FileType = "txt") -> Work:
    path = folder / "file"
    path.write_bytes(data)
    return Work(str(path), kind, f"name.{kind}", 512, 50)


def pid(sandbox: Sandbox) -> int:
    assert sandbox._child is not None
    return sandbox._child.pid


def test_one_child_serves_many_files_and_errors(sandbox: Sandbox, tmp_path: Path) -> None:
    prepared = sandbox.prepare(work(tmp_path, b"Some text."))
    child = pid(sandbox)
    assert (prepared.document.title, prepared.document.text) == ("name", "Some text.")
    (chunk,) = prepared.chunks
    assert (chunk.start, chunk.end, chunk.language, chunk.terms) == (0, 10, "en", "name some text")
    with pytest.raises(ParseError) as caught:
        sandbox.prepare(work(tmp_path, b"", "pdf"))
    assert caught.value.code == "broken_file"
    sandbox.prepare(work(tmp_path, b"More text."))
    assert pid(sandbox) == child


def test_an_idle_child_is_let_go_and_another_takes_over(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.prepare(work(tmp_path, b"Some text."))
    child = pid(sandbox)
    sandbox.let_go()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    sandbox.prepare(work(tmp_path, b"More text."))
    assert pid(sandbox) != child


def test_a_child_killed_while_idle_is_replaced(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.prepare(work(tmp_path, b"Some text."))
    assert sandbox._child is not None
    sandbox._child.kill()
    sandbox._child.wait()
    assert sandbox.prepare(work(tmp_path, b"More text.")).document.text == "More text."


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    sandbox = Sandbox(memory_bytes=2**30, timeout_seconds=0.5)
    with pytest.raises(ParseError) as caught:
        sandbox.prepare(work(tmp_path, HANGS, "html"))
    assert caught.value.code == "parse_timeout"
    assert sandbox.prepare(work(tmp_path, b"Next.")).document.text == "Next."
    sandbox.close()


def test_a_child_that_hangs_beyond_its_own_deadline_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(memory_bytes=2**30, timeout_seconds=1.0)
    sandbox.prepare(work(tmp_path, b"Some text."))
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.1)
    os.kill(pid(sandbox), signal.SIGSTOP)
    with pytest.raises(ParseError) as caught:
        sandbox.prepare(work(tmp_path, b"Some text."))
    assert caught.value.code == "parse_timeout"
    sandbox.close()


def test_a_file_that_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    sandbox = Sandbox(memory_bytes=256 * 2**20, timeout_seconds=30)
    with pytest.raises(ParseError) as caught:
        sandbox.prepare(work(tmp_path, "😀".encode() * 15_000_000))
    assert caught.value.code == "too_large"
    assert sandbox.prepare(work(tmp_path, b"Next.")).document.text == "Next."
    sandbox.close()


def test_a_file_that_brings_its_reader_down_is_broken(tmp_path: Path) -> None:
    sandbox = Sandbox(memory_bytes=2**30, timeout_seconds=20, child="tests.tools.knowledge.crashing_child")
    with pytest.raises(ParseError) as caught:
        sandbox.prepare(work(tmp_path, b"Some text."))
    assert caught.value.code == "broken_file"
    sandbox.close()


def test_closing_ends_a_child_at_work(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.prepare(work(tmp_path, b"Some text."))
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            sandbox.prepare(work(tmp_path, HANGS, "html"))
        except StoreUnavailable as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not sandbox._turn.locked():
        time.sleep(0.001)
    sandbox.close()
    thread.join(10)
    assert not thread.is_alive()
    assert len(outcome) == 1
    with pytest.raises(StoreUnavailable):
        sandbox.prepare(work(tmp_path, b"Some text."))


def test_the_child_knows_nothing_of_our_environment(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    sandbox.prepare(work(tmp_path, b"Some text."))
    assert b"sk-secret" not in Path(f"/proc/{pid(sandbox)}/environ").read_bytes()

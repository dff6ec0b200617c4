"""Lines that machines read, and what must never stand in them."""

from __future__ import annotations

import logging
import queue
import threading
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog

from app.observability import logging as module
from app.observability.logging import LOG_FILE, Logs
from app.observability.metrics import Metrics

pytestmark = pytest.mark.usefixtures("process_restored")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (folder / LOG_FILE).read_bytes().splitlines()]


def test_every_line_carries_its_request_turn_and_tenant(tmp_path: Path) -> None:
    with (
        Logs("info", tmp_path, env="staging"),
        structlog.contextvars.bound_contextvars(request_id="r", turn_id="t", tenant_id="n"),
    ):
        structlog.get_logger("a").info("turn.done", ms=3)
        logging.getLogger("some.library").warning("careful with %s", "that")
    first, second = lines(tmp_path)
    assert (first["event"], first["ms"], first["level"], first["logger"]) == ("turn.done", 3, "info", "a")
    assert (second["event"], second["logger"]) == ("careful with that", "some.library")
    for line in (first, second):
        assert (line["request_id"], line["turn_id"], line["tenant_id"], line["env"]) == ("r", "t", "n", "staging")
        assert line["timestamp"].endswith("Z")


def test_the_same_lines_go_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Logs("info", tmp_path):
        structlog.get_logger("a").info("hello", what="知音")
    assert orjson.loads(capsys.readouterr().err) == lines(tmp_path)[0]


def test_secrets_reach_no_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "sk-abcdefgh12345678"
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln"
    with Logs("debug", tmp_path):
        logger = structlog.get_logger("a")
        logger.info("call", api_key=key, authorization=f"Bearer {token}", password="hunter2", note=f"sent {key}")
        logger.info("nested", request={"headers": {"Authorization": "hunter2", "X-Api-Key": "hunter2"}}, many=[token])
        logger.info("address", url="redis://user:hunter2@127.0.0.1/0")
        logging.getLogger("lib").error("failed with Authorization: Bearer %s", "opaque-hunter2")
        try:
            raise ValueError(f"upstream said {key} to {token}")
        except ValueError:
            logger.exception("broke")
            logging.getLogger("lib").exception("broke too")
    text = (tmp_path / LOG_FILE).read_text() + capsys.readouterr().err
    for word in (key, token, "hunter2"):
        assert word not in text
    assert [line["event"] for line in lines(tmp_path)][-2:] == ["broke", "broke too"]
    assert all("ValueError" in line["exception"] for line in lines(tmp_path)[-2:])


def test_numbers_are_no_secrets(tmp_path: Path) -> None:
    with Logs("info", tmp_path):
        structlog.get_logger("a").info("usage", completion_tokens=7, token=None)
    (line,) = lines(tmp_path)
    assert (line["completion_tokens"], line["token"]) == (7, None)


def test_the_level_is_kept(tmp_path: Path) -> None:
    with Logs("warning", tmp_path):
        structlog.get_logger("a").info("quiet")
        structlog.get_logger("a").warning("loud")
        logging.getLogger("lib").info("quiet")
    assert [line["event"] for line in lines(tmp_path)] == ["loud"]


def test_what_libraries_send_and_receive_is_not_logged_even_at_debug(tmp_path: Path) -> None:
    with Logs("debug", tmp_path):
        logging.getLogger("openai._base_client").debug("Request options: %s", {"json_data": {"content": "my diary"}})
        logging.getLogger("httpx").info("HTTP Request: POST http://model/v1")
    assert lines(tmp_path) == []


def test_a_turn_is_one_line(tmp_path: Path) -> None:
    with Logs("info", tmp_path):
        metrics = Metrics()
        for component in ("intent.classify", "answer.generate"):
            metrics.step(component, "legacy", "control", 0.001, ok=True)
        metrics.turn("legacy", "control", 0.5, "stop", 0.0251)
    (line,) = lines(tmp_path)
    assert line["event"] == "turn.ended"
    assert (line["engine"], line["variant"], line["outcome"]) == ("legacy", "control", "stop")
    assert (line["ms"], line["first_token_ms"]) == (500.0, 25.1)


def test_files_rotate_and_stay_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 2_000)
    with Logs("info", tmp_path, stderr=False):
        for number in range(500):
            structlog.get_logger("a").info("line", number=number, padding="x" * 50)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [LOG_FILE, *(f"{LOG_FILE}.{n}" for n in range(1, module.ROTATED + 1))]
    assert all(path.stat().st_size <= 2_000 for path in tmp_path.iterdir())
    assert lines(tmp_path)[-1]["number"] == 499


def test_a_folder_that_cannot_be_written_does_not_stop_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    with Logs("info", tmp_path / "logs"):
        structlog.get_logger("a").info("still here")
    events = [orjson.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events == ["logs.no_file", "still here"]


def test_a_terminal_that_takes_nothing_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 10)
    stuck, go_on = threading.Event(), threading.Event()

    class Stuck(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            stuck.set()
            go_on.wait(30)

    monkeypatch.setattr(module, "_file_in", lambda _folder: Stuck())
    with Logs("info", tmp_path, stderr=False) as logs:
        structlog.get_logger("a").info("first")
        assert stuck.wait(10)
        for number in range(1_000):
            structlog.get_logger("a").info("line", number=number)
        waiting: queue.Queue[object] = logs._sender.queue  # type: ignore[assignment]
        assert waiting.qsize() == 10
        go_on.set()
        while not waiting.empty():
            threading.Event().wait(0.001)

"""What is left of a turn when the server is killed in the middle of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.server.processes import Zhiyin
from tests.server.slow_model import SlowModel

BODY = {"messages": [{"role": "user", "content": "Tell me a long story about the harbour, please?"}]}


def events_of(text: str) -> list[dict[str, Any]]:
    whole = text.rpartition("\n\n")[0]
    return [orjson.loads(line[6:]) for line in whole.split("\n") if line.startswith("data: ")]


def read_until(url: str, deltas: int) -> list[dict[str, Any]]:
    """Events of a new turn until it has said something this many times; then hang up."""
    text = ""
    with httpx.stream("POST", f"{url}/api/v1/chat/stream", json=BODY, timeout=30, trust_env=False) as answer:
        for piece in answer.iter_text():
            text += piece
            if sum(event["type"] == "delta" for event in events_of(text)) >= deltas:
                break
    return events_of(text)


def test_a_killed_turn_is_rejoined_without_gap_or_repeat_and_ends_interrupted(tmp_path: Path) -> None:
    with SlowModel(words=400) as model:
        app = Zhiyin(tmp_path)
        app.write_env(model.env)
        app.start()
        seen = read_until(app.url, deltas=3)
        app.kill()
        with app:
            turn_id, conversation = seen[0]["turn_id"], seen[0]["conversation_id"]
            last = f"{turn_id}:{seen[-1]['seq']}"
            rest = httpx.get(
                f"{app.url}/api/v1/turns/{turn_id}/events", headers={"Last-Event-ID": last}, timeout=30, trust_env=False
            )
            whole = seen + events_of(rest.text)
            assert [event["seq"] for event in whole] == list(range(1, len(whole) + 1))
            assert [event["type"] for event in whole if event["type"] in {"done", "error"}] == ["error"]
            assert whole[-1]["code"] == "interrupted"
            replay = httpx.get(f"{app.url}/api/v1/turns/{turn_id}/events", timeout=30, trust_env=False)
            assert events_of(replay.text) == whole
            kept = httpx.get(f"{app.url}/api/v1/conversations/{conversation}", trust_env=False).json()
            said = "".join(event["content"] for event in whole if event["type"] == "delta")
            assert [m["content"] for m in kept["messages"]] == [BODY["messages"][0]["content"], said]
            assert kept["running_turn_id"] is None
            answer = httpx.post(
                f"{app.url}/api/v1/chat/stream",
                json={**BODY, "conversation_id": conversation, "model": "zhiyin-extractive"},
                timeout=30,
                trust_env=False,
            )
            assert events_of(answer.text)[-1]["type"] == "done"


def test_a_terminated_server_drains_and_says_so(tmp_path: Path) -> None:
    with SlowModel(words=10_000) as model:
        app = Zhiyin(tmp_path)
        app.write_env(model.env)
        app.start()
        seen = read_until(app.url, deltas=2)
        assert app.stop() == 0
        assert model.gone.wait(10)
        with app:
            turn_id = seen[0]["turn_id"]
            replay = httpx.get(f"{app.url}/api/v1/turns/{turn_id}/events", timeout=30, trust_env=False)
            last = events_of(replay.text)[-1]
            assert (last["type"], last["code"]) == ("error", "interrupted")


def test_two_processes_share_one_data_folder(tmp_path: Path) -> None:
    with SlowModel(words=400) as model:
        one, other = Zhiyin(tmp_path), Zhiyin(tmp_path)
        one.write_env(model.env)
        with one, other:
            seen = read_until(one.url, deltas=2)
            turn_id = seen[0]["turn_id"]
            busy = httpx.post(
                f"{other.url}/api/v1/chat/stream",
                json={**BODY, "conversation_id": seen[0]["conversation_id"]},
                trust_env=False,
            )
            assert busy.status_code == 409
            assert httpx.post(f"{other.url}/api/v1/turns/{turn_id}/cancel", trust_env=False).status_code == 200
            followed = httpx.get(f"{other.url}/api/v1/turns/{turn_id}/events", timeout=30, trust_env=False)
            last = events_of(followed.text)[-1]
            assert (last["type"], last["finish_reason"]) == ("done", "cancelled")
            assert model.gone.wait(5)

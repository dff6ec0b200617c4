"""An operator moves the traffic while people are talking."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx

from tests.server.processes import Zhiyin
from tests.server.slow_model import SlowModel
from tests.server.test_crash import events_of

STREAMS = 16


def body(message: str = "What is new at the harbour?") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": message}]}


async def one_stream(client: httpx.AsyncClient, started: asyncio.Event) -> list[dict[str, Any]]:
    text = ""
    async with client.stream("POST", "/api/v1/chat/stream", json=body()) as answer:
        async for piece in answer.aiter_text():
            text += piece
            if '"delta"' in text:
                started.set()
    return events_of(text)


async def test_the_engine_is_changed_in_env_while_sixteen_streams_run(tmp_path: Path) -> None:
    with SlowModel(words=60) as model:
        app = Zhiyin(tmp_path)
        app.write_env(model.env + "COORDINATOR_ENGINE=legacy\n")
        with app:
            async with httpx.AsyncClient(base_url=app.url, timeout=60, trust_env=False) as client:
                flags = [asyncio.Event() for _ in range(STREAMS)]
                streams = [asyncio.create_task(one_stream(client, flag)) for flag in flags]
                await asyncio.wait_for(asyncio.gather(*(flag.wait() for flag in flags)), 20)
                app.write_env(model.env + "COORDINATOR_ENGINE=langgraph\n")
                changed = time.monotonic()
                engine = ""
                while engine != "langgraph":
                    assert time.monotonic() - changed < 1.0
                    answer = await client.post("/api/v1/chat/stream", json={**body("Hi"), "model": "zhiyin-extractive"})
                    engine = events_of(answer.text)[0]["coordinator"]
                for events in await asyncio.gather(*streams):
                    assert events[0]["coordinator"] == "legacy"
                    assert events[-1]["type"] == "done"
                    said = "".join(event["content"] for event in events if event["type"] == "delta")
                    assert said.split() == [f"word{n}" for n in range(60)]


async def test_a_bad_value_in_env_leaves_the_last_good_state(tmp_path: Path) -> None:
    app = Zhiyin(tmp_path)
    app.write_env("COORDINATOR_ENGINE=workflow\n")
    with app:
        app.write_env("COORDINATOR_ENGINE=langraph\n")
        async with httpx.AsyncClient(base_url=app.url, timeout=30, trust_env=False) as client:
            deadline = time.monotonic() + 1.5
            while time.monotonic() < deadline:
                answer = await client.post("/api/v1/chat/stream", json=body("Hi"))
                assert events_of(answer.text)[0]["coordinator"] == "workflow"
                await asyncio.sleep(0.1)
        assert "langgraph" in (tmp_path / "serve.log").read_text()

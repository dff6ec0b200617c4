"""A running app, wherever it is: `make test-smoke URL=http://127.0.0.1:8000`."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.parts import events_of

pytestmark = pytest.mark.smoke


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    url = request.config.getoption("--smoke-url")
    if not url:
        pytest.skip("name a running app: make test-smoke URL=http://127.0.0.1:8000")
    with httpx.Client(base_url=str(url), timeout=60, trust_env=False) as found:
        yield found


def test_it_is_ready(client: httpx.Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert set(answer.json()["parts"]) == {"store", "embedder", "chat_model"}


def test_it_greets(client: httpx.Client) -> None:
    answer = client.post("/api/v1/chat/stream", json={"messages": [{"role": "user", "content": "Hello!"}]})
    events = events_of(answer.text)
    assert events[0]["type"] == "start"
    assert events[-1]["type"] == "done"
    client.delete(f"/api/v1/conversations/{events[0]['conversation_id']}").raise_for_status()


def test_the_page_and_the_metrics_are_there(client: httpx.Client) -> None:
    assert "<html" in client.get("/").text
    assert "zhiyin_turns" in client.get("/metrics").text

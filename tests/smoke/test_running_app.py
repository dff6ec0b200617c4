"""A running app, wherever it is: `make test-smoke URL=http://127.0.0.1:8000`. Leaves nothing behind."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.parts import events_of

pytestmark = pytest.mark.smoke
PATIENCE_SECONDS = 60
NOTE = b"# The Zhiyin smoke test\n\nThe beacon on Tern Skerry was lit for the first time on 9 May 1902.\n"


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    url, token = request.config.getoption("--smoke-url"), request.config.getoption("--smoke-token")
    if not url:
        pytest.skip("name a running app: make test-smoke URL=http://127.0.0.1:8000")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=str(url), headers=headers, timeout=PATIENCE_SECONDS, trust_env=False) as found:
        yield found


@pytest.fixture
def dataset(client: httpx.Client) -> Iterator[str]:
    """A data set of our own with one note in it."""
    name = f"smoke-{uuid.uuid4().hex}"
    answer = client.post("/api/v1/knowledge/upload", data={"dataset_id": name}, files={"file": ("note.md", NOTE)})
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + PATIENCE_SECONDS
    while client.get(f"/api/v1/knowledge/status/{name}").json()["status"] != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield name
    client.delete(f"/api/v1/knowledge/datasets/{name}").raise_for_status()


def test_it_is_ready(client: httpx.Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert {"store", "embedder", "chat_model"} <= set(answer.json()["parts"])


def test_it_answers_from_a_document_and_cites_it(client: httpx.Client, dataset: str) -> None:
    question = "When was the beacon on Tern Skerry lit for the first time?"
    body = {"messages": [{"role": "user", "content": question}], "dataset_ids": [dataset]}
    events = events_of(client.post("/api/v1/chat/stream", json=body).text)
    kinds = [event["type"] for event in events]
    assert (kinds[0], kinds[-1]) == ("start", "done")
    assert kinds.index("refs") < kinds.index("delta")
    references = events[kinds.index("refs")]["references"]
    assert any("9 May 1902" in reference["quote"] for reference in references)
    assert all(citation["quote"] in NOTE.decode() for citation in events[-1]["citations"])
    client.delete(f"/api/v1/conversations/{events[0]['conversation_id']}").raise_for_status()


def test_the_page_and_the_metrics_are_there(client: httpx.Client) -> None:
    assert "<html" in client.get("/").text
    assert "zhiyin_build_info" in client.get("/metrics").text

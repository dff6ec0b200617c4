"""The command line against a running app, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.__main__ import cli
from app.commands.remote import connected
from app.commands.talks import RemoteTalk
from app.observability.logging import Logs
from tests.parts import CORPUS_QUESTION, STRANGERS_ARE_REFUSED, ScriptedModel, bearer, events_of, served

pytestmark = pytest.mark.usefixtures("process_restored", "elsewhere")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of our own, and an app whose log lines do not mix with the command's words."""
    monkeypatch.chdir(tmp_path)
    with Logs("warning", None, stderr=False):
        yield


async def run(*arguments: str, stdin: str | None = None, **environ: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "300", **environ})
    return await asyncio.to_thread(runner.invoke, cli, arguments, input=stdin)


async def test_documents_are_put_into_a_running_app(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.md").write_text("# One\n\nThe first paper is about herrings.\n")
    (folder / "deep" / "two.txt").write_text("The second paper is about pilchards.\n")
    (folder / "photo.jpeg").write_bytes(b"\xff\xd8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    async with served(tmp_path / "data", corpus={}) as app:
        result = await run("ingest", str(folder), "--dataset", "fish", "--url", app.url)
        documents = (await app.client.get("/api/v1/knowledge/datasets/fish/documents")).json()["items"]
    assert result.exit_code == 1
    assert "broken.pdf" in result.output
    assert "2 of 3 files" in result.output
    assert "1 .jpeg" in result.output
    assert {d["name"]: d["status"] for d in documents} == {
        "one.md": "ready",
        "deep_two.txt": "ready",
        "broken.pdf": "failed",
    }


async def test_a_talk_with_a_running_app_is_one_conversation(tmp_path: Path) -> None:
    async with served(tmp_path / "data", models=[ScriptedModel()]) as app:
        result = await run("chat", "--url", app.url, stdin=f"{CORPUS_QUESTION}\nAnd what else?\n\n")
        (conversation,) = (await app.client.get("/api/v1/conversations")).json()["items"]
        kept = (await app.client.get(f"/api/v1/conversations/{conversation['id']}")).json()
    assert result.exit_code == 0
    assert "Lowick harbour was built in 1874 [1]." in result.output
    assert "Lowick Harbour: “" in result.output
    assert [message["role"] for message in kept["messages"]] == ["user", "assistant"] * 2


async def test_a_running_app_that_wants_a_token_gets_it(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("A note about herrings.\n")
    token = bearer()["Authorization"].removeprefix("Bearer ")
    async with served(tmp_path / "data", corpus={}, **STRANGERS_ARE_REFUSED) as app:
        without = await run("ingest", "note.txt", "--url", app.url)
        with_one = await run("ingest", "note.txt", "--url", app.url, ZHIYIN_TOKEN=token)
    assert without.exit_code == 1
    assert "token" in without.output
    assert (with_one.exit_code, "1 of 1 files" in with_one.output) == (0, True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "no address"])
async def test_an_app_that_is_not_there_is_one_clean_message(tmp_path: Path, url: str) -> None:
    (tmp_path / "note.txt").write_text("A note about herrings.\n")
    ingest = await run("ingest", "note.txt", "--url", url)
    chat = await run("chat", "--url", url, stdin="Hello?\n\n")
    assert ingest.exit_code == 1
    for result in (ingest, chat):
        assert "cannot be reached" in result.output
        assert "Traceback" not in result.output


async def test_a_turn_of_a_running_app_can_be_stopped(tmp_path: Path) -> None:
    async with (
        served(tmp_path / "data", models=[ScriptedModel(hold=True)], corpus={}) as app,
        connected(app.url, None) as client,
    ):
        talk = RemoteTalk(client)
        async with aclosing(talk.ask("What is there?")) as events:
            start = await anext(events)
        async with asyncio.timeout(10):
            await talk.stop()
        told = await client.get(f"/api/v1/turns/{start['turn_id']}/events")
    assert events_of(told.text)[-1]["finish_reason"] == "cancelled"

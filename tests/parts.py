"""A real app for tests: every part is the embedded one, but for a model that says what the test wants."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import jwt
import orjson
import uvicorn

from app.main import create_app
from app.settings import Settings
from app.wiring import App, Replacements, open_app
from nodes.context import Services
from tools.models.protocol import ChatChunk, ChatModel, ChatRequest, TokenUsage
from tools.models.router import SingleModelRouter
from tools.stores.migrate import migrate
from tools.stores.protocol import NewTurn

CORPUS = {
    "harbour.md": "# Lowick Harbour\n\nLowick harbour was built in 1874 by the engineer Ada Merrow. "
    "Its north pier is 412 metres long.\n\nIn 1931 the herring fleet moved to Tarn Bay.\n",
    "lighthouse.md": "# Lowick Lighthouse\n\nThe lighthouse stands on Gull Rock. "
    "It was lit for the first time on 3 March 1881.\n",
    "龙井茶.md": "# 龙井茶\n\n龙井茶产于浙江杭州西湖一带，已有一千二百余年历史。龙井茶属于绿茶。\n",
}
CORPUS_QUESTION = "When was Lowick harbour built?"
CORPUS_ANSWER = "Lowick harbour was built in 1874 [1]."


class ScriptedModel:
    """Says one text piece by piece; `hold` makes it wait before each piece until the test lets it go on."""

    tier = "embedded"

    def __init__(self, text: str = CORPUS_ANSWER, name: str = "scripted", *, size: int = 4, hold: bool = False) -> None:
        self.name = name
        self.pieces = [text[at : at + size] for at in range(0, len(text), size)]
        self.requests: list[ChatRequest] = []
        self.closed = asyncio.Event()
        self._go: asyncio.Semaphore | None = asyncio.Semaphore(0) if hold else None

    def let_go(self, pieces: int = 1_000_000) -> None:
        """Allow this many more pieces."""
        assert self._go is not None
        for _ in range(min(pieces, 10_000)):
            self._go.release()

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        self.requests.append(request)
        try:
            for piece in self.pieces:
                if self._go is not None:
                    await self._go.acquire()
                else:
                    await asyncio.sleep(0)
                yield ChatChunk(text=piece)
            yield ChatChunk(usage=TokenUsage(10, len(self.pieces)), finish_reason="stop")
        finally:
            self.closed.set()

    async def close(self) -> None:
        """Holds nothing."""

    def as_router(self) -> SingleModelRouter:
        return SingleModelRouter([self], self.name)


class Recorder:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, bool]] = []
        self.turns: list[str] = []

    def step(self, component: str, engine: str, variant: str, seconds: float, ok: bool) -> None:
        self.steps.append((component, ok))

    def turn(self, engine: str, variant: str, seconds: float, outcome: str, first_token_seconds: float | None) -> None:
        self.turns.append(outcome)


SECRET = "q7Zr2mXw9LkT4vBn8HsYc3JdFgPa6EuR"
STRANGERS_ARE_REFUSED = {"JWT_SECRET": SECRET, "JWT_AUDIENCE": "zhiyin", "JWT_ISSUER": "tests"}


def claims(tenant_id: str = "a", user_id: str = "ann", scope: str = "") -> dict[str, Any]:
    """What the token of somebody who may come in says."""
    now = int(time.time())
    return {
        "sub": user_id,
        "tenant_id": tenant_id,
        "aud": "zhiyin",
        "iss": "tests",
        "iat": now,
        "exp": now + 24 * 3600,
        "jti": "1",
        "scope": scope,
    }


def bearer(tenant_id: str = "a", user_id: str = "ann", scope: str = "") -> dict[str, str]:
    """The header that somebody comes with, for an app that is served with `STRANGERS_ARE_REFUSED`."""
    return {"Authorization": f"Bearer {jwt.encode(claims(tenant_id, user_id, scope), SECRET)}"}


def settings(folder: Path, **environ: str) -> Settings:
    """Settings that hear nothing from outside."""
    given = {"DATA_DIR": str(folder), "LOG_LEVEL": "WARNING", "LOG_DIR": str(folder / "logs"), **environ}
    return Settings.load(env_file=Path(os.devnull), environ=given)


async def upload(app: App, tenant_id: str, files: dict[str, str], dataset_id: str = "default") -> None:
    """Index files as the app does."""
    await app.ingestor.submit(tenant_id, dataset_id, [(name, text.encode()) for name, text in files.items()])
    await app.ingestor.idle()


@dataclass(frozen=True, slots=True)
class Parts:
    """Services over the little corpus, for tenant `t`."""

    app: App

    @property
    def services(self) -> Services:
        return self.app.services

    async def begin(self, turn: NewTurn) -> None:
        await self.app.turn_store.begin("t", turn, "owner")

    async def document_text(self, document_id: str) -> str:
        return (await self.app.documents.text("t", document_id)).text


@cache
def migrated() -> bytes:
    """An empty database file as the migrations leave it, made once: they cost 0.15 CPU-seconds."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        migrate(path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()


def with_database(folder: Path) -> Path:
    """The folder, holding an empty database unless it has one already."""
    path = folder / "zhiyin.db"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(migrated())
    return folder


@asynccontextmanager
async def services(folder: Path, models: Sequence[ChatModel] | None = None) -> AsyncIterator[Parts]:
    """Services with the little corpus indexed."""
    chosen = list(models) if models is not None else [ScriptedModel()]
    async with open_app(settings(with_database(folder)), Replacements(chat_models=chosen)) as app:
        await upload(app, "t", CORPUS)
        yield Parts(app)


@dataclass(slots=True)
class Served:
    """A served app and a client to it."""

    client: httpx.AsyncClient
    app: App
    url: str

    async def chat(self, message: str, **fields: Any) -> list[dict[str, Any]]:
        """All events of one turn."""
        body = {"messages": [{"role": "user", "content": message}], **fields}
        answer = await self.client.post("/api/v1/chat/stream", json=body)
        assert answer.status_code == 200, answer.text
        return events_of(answer.text)


def events_of(text: str) -> list[dict[str, Any]]:
    """The events in a stream's text; comments are skipped."""
    return [orjson.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]


@asynccontextmanager
async def served(
    folder: Path,
    models: Sequence[ChatModel] | None = None,
    corpus: dict[str, str] | None = None,
    replacements: Replacements | None = None,
    **environ: str,
) -> AsyncIterator[Served]:
    """The app behind a real socket on a free port, in this very loop."""
    chosen = list(models) if models is not None else [ScriptedModel()]
    api = create_app(settings(with_database(folder), **environ), replacements or Replacements(chat_models=chosen))
    server = uvicorn.Server(uvicorn.Config(api, port=0, log_config=None, lifespan="on"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as client:
            app: App = api.state.app
            await upload(app, "local", CORPUS if corpus is None else corpus)
            yield Served(client, app, url)
    finally:
        server.should_exit = True
        await task

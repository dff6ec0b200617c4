"""A real Neo4j for tests: one server serves all tests of a process.

`ZHIYIN_TEST_NEO4J=bolt://user:password@host:port` names one that runs already; else `../shared/neo4j/serve`, beside
the repository, starts one.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from tests.server.processes import ROOT, free_port
from tools.stores.neo4j_graph import Neo4jGraphStore

SERVE = ROOT.parent / "shared" / "neo4j" / "serve"


@dataclass(slots=True)
class Neo4j:
    """A server's address; one that was started here can be frozen and killed, and finds its data again."""

    uri: str
    user: str
    password: str
    home: Path | None = None
    process: subprocess.Popen[str] | None = None

    def store(self, limit_seconds: float = 30.0) -> Neo4jGraphStore:
        """A store that is not opened yet."""
        password = SecretStr(self.password)
        return Neo4jGraphStore(self.uri, self.user, password, limit_seconds=limit_seconds, plan_ahead=False)

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        port = self.uri.rpartition(":")[2]
        command = [sys.executable, SERVE, "--home", str(self.home), "--port", port, "--password", self.password]
        # Tests run each query a few times: optimising them costs more than it saves.
        environ = {**os.environ, "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, env=environ, text=True, **pipes)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        if not self.process.stdout.readline():
            raise AssertionError(self.process.stderr.read())

    @property
    def java(self) -> int:
        """The server's own process."""
        assert self.process is not None
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())

    def freeze(self) -> None:
        """Stop it where it stands; returns when every thread has stopped."""
        threads = Path(f"/proc/{self.java}/task")
        os.kill(self.java, signal.SIGSTOP)
        while any(") T " not in (thread / "stat").read_text() for thread in threads.iterdir()):
            os.sched_yield()

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.java, signal.SIGCONT)

    def kill(self) -> None:
        """As a crash would."""
        os.kill(self.java, signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        """As an operator would."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
        self.wait()

    def wait(self) -> None:
        """Until the process has ended."""
        if self.process is not None:
            self.process.communicate(timeout=60)


@pytest.fixture(scope="session")
def neo4j(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4j]:
    """The server that all tests of this process share."""
    if given := os.environ.get("ZHIYIN_TEST_NEO4J"):
        parts = urlsplit(given)
        yield Neo4j(f"{parts.scheme}://{parts.hostname}:{parts.port}", parts.username or "", parts.password or "")
        return
    if not SERVE.exists():
        pytest.skip("no Neo4j: neither ZHIYIN_TEST_NEO4J nor ../shared/neo4j/serve is there")
    server = Neo4j(f"bolt://127.0.0.1:{free_port()}", "neo4j", secrets.token_hex(8), tmp_path_factory.mktemp("neo4j"))
    server.start()
    yield server
    server.stop()


class OfLoop:
    """A store opened in the event loop of the test, and closed at the end of that loop."""

    def __init__(self, store: Neo4jGraphStore) -> None:
        self._store = store
        self._keeper: AsyncGenerator[None] | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*arguments: Any) -> Any:
            if self._keeper is None:
                self._keeper = self._keep()
                await anext(self._keeper)
            return await getattr(self._store, name)(*arguments)

        return call

    async def _keep(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await self._store.close()

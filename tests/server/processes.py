"""The app as a process of its own, started as a user starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Zhiyin:
    """`zhiyin serve` in `folder`, whose `.env` it reads."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write_env(self, text: str) -> None:
        """Replace `.env` by a rename, as editors do."""
        fresh = self.folder / ".env.fresh"
        fresh.write_text(text)
        fresh.replace(self.folder / ".env")

    def start(self) -> Zhiyin:
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(self.folder)}
        if "COVERAGE_PROCESS_START" in os.environ:
            environ["COVERAGE_PROCESS_START"] = os.environ["COVERAGE_PROCESS_START"]
        log = (self.folder / "serve.log").open("ab")
        command = [sys.executable, "-m", "app", "serve", "--port", str(self.port), "--data-dir", "var"]
        self.process = subprocess.Popen(command, cwd=self.folder, env=environ, stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError((self.folder / "serve.log").read_text())
            try:
                if httpx.get(f"{self.url}/health/ready", trust_env=False).status_code == 200:
                    return self
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError("not ready: " + (self.folder / "serve.log").read_text())

    def kill(self) -> None:
        """As a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As an operator would; gives the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def __enter__(self) -> Zhiyin:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

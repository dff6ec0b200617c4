"""Starting and stopping as an operator does it, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.server.processes import ROOT, Zhiyin


def zhiyin(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, which must come within seconds."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    command = [sys.executable, "-m", "app", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("COORDINATR_ENGINE=legacy\n", "COORDINATOR_ENGINE"),
        ("AB_CONTROL_ENGINE=legac\n", "legacy"),
        ("HOST=0.0.0.0\n", "JWT_SECRET"),
    ],
)
def test_a_start_that_env_forbids_ends_with_the_nearest_name_on_stderr(tmp_path: Path, env: str, said: str) -> None:
    (tmp_path / ".env").write_text(env)
    ended = zhiyin(tmp_path, "serve", "--port", "0")
    assert ended.returncode not in {0, None}
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout
    assert not (tmp_path / "var").exists()


def test_a_port_in_use_is_one_clean_message(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = zhiyin(tmp_path, "serve", "--port", str(port))
    assert ended.returncode not in {0, None}
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


def test_flags_and_settings_load_no_heavy_library(tmp_path: Path) -> None:
    heavy = ("torch", "transformers", "langchain_openai", "openai", "fastapi", "langgraph", "sqlalchemy", "onnxruntime")
    code = (
        "import sys; from typer.testing import CliRunner; from app.__main__ import cli; "
        "assert CliRunner().invoke(cli, ['flags']).exit_code == 0; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.strip() == "[]"


def test_a_server_is_ready_answers_and_stops_when_told(tmp_path: Path) -> None:
    app = Zhiyin(tmp_path)
    with app:
        body = {"messages": [{"role": "user", "content": "Hello!"}], "stream": False}
        answer = httpx.post(f"{app.url}/api/v1/chat/stream", json=body, timeout=30, trust_env=False)
        assert (answer.status_code, answer.json()["finish_reason"]) == (200, "stop")
        assert app.stop() == 0
    log = (tmp_path / "serve.log").read_text()
    assert "Traceback" not in log
    assert str(app.port) in log
    assert (tmp_path / "var" / "zhiyin.db").exists()
    assert not list((tmp_path / "var" / "owners").iterdir())

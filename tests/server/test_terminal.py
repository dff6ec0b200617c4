"""A talk in a terminal, interrupted as people do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.server.processes import ROOT
from tests.server.slow_model import SlowModel


def test_ctrl_c_stops_the_answer_and_not_the_talk(tmp_path: Path) -> None:
    with SlowModel(words=10_000) as model:
        (tmp_path / ".env").write_text(model.env)
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "app", "chat"]
        with subprocess.Popen(
            command, cwd=tmp_path, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as talk:
            assert talk.stdin is not None
            assert talk.stdout is not None
            talk.stdin.write(b"Tell me a long story, please?\n")
            talk.stdin.flush()
            said = b""
            while b"word3" not in said:
                said += os.read(talk.stdout.fileno(), 4096)
            talk.send_signal(signal.SIGINT)
            while b"stopped" not in said:
                said += os.read(talk.stdout.fileno(), 4096)
            assert model.gone.wait(10)
            talk.stdin.write(b"\n")
            talk.stdin.close()
            said += talk.stdout.read()
            assert talk.wait(30) == 0
        assert b"Traceback" not in said

"""A real Milvus server for tests: started once per test process, on free ports, in a folder of its own."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PYTHON = Path(__file__).parents[2] / ".servers" / "milvus" / "bin" / "python"
OVERRIDE = "ZHIYIN_TEST_MILVUS"
"""Names a server that runs already; tests that stop theirs are then skipped."""
LAUNCHER = """
import json, os, pathlib, socket, sys, time, urllib.error, urllib.request
from milvus import default_server as server

def free_ports(names):
    sockets = [socket.socket() for _ in names]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return dict(zip(names, ports))

def wait_until_healthy():
    url = f"http://127.0.0.1:{server.webservice_port}/healthz"
    web = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while server.server_proc.poll() is None:
        try:
            if b"OK" in web.open(url, timeout=10).read():
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    sys.exit("the Milvus server ended by itself")

folder = pathlib.Path(sys.argv[1])
ports = free_ports([key for key in server.config_keys if key.endswith("_port")] + ["web", "peer"])
server.webservice_port = ports.pop("web")
peer, client = (f"http://127.0.0.1:{port}" for port in (ports.pop("peer"), ports["etcd_port"]))
etcd = {"listen-peer-urls": peer, "initial-advertise-peer-urls": peer, "initial-cluster": "default=" + peer,
        "listen-client-urls": client, "advertise-client-urls": client}
(folder / "etcd.yaml").write_text(json.dumps(etcd))
os.environ["ETCD_CONFIG_PATH"] = str(folder / "etcd.yaml")
server.wait_for_started = False
server.config.configs.update(ports)
server.set_base_dir(str(folder))
for line in sys.stdin:
    server.stop()
    if line.strip() == "start":
        server.start()
        server.config.resolve = lambda: None  # it would take ports for taken that were just given back
        wait_until_healthy()
    told = {"port": server.listen_port, "pid": server.server_proc.pid if server.server_proc else None}
    print(json.dumps(told), flush=True)
server.stop()
"""
"""Runs in the server's own environment, and stops the server when we are gone. All ports are free ones: left to
itself the server has its etcd listen on 2380, so that there could be one on a machine."""


class MilvusServer:
    """The process; `uri` stays the same when it is stopped and started again, and so does what it keeps."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="milvus-"))
        self._launcher = subprocess.Popen(
            [PYTHON, "-c", LAUNCHER, self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        atexit.register(self.close)
        self.uri = f"http://127.0.0.1:{self.start()['port']}"

    def start(self) -> dict[str, Any]:
        """Start it, once it answers."""
        told = self._tell("start")
        self.pid = int(told["pid"])
        return told

    def stop(self) -> None:
        """As by a crash: it gets a second."""
        self._tell("stop")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It keeps its connections and says nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop it for good."""
        atexit.unregister(self.close)
        self._launcher.communicate(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _tell(self, command: str) -> dict[str, Any]:
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._launcher.stdin.write(command + "\n")
        self._launcher.stdin.flush()
        answer = self._launcher.stdout.readline()
        assert answer, f"the Milvus server did not {command}; its logs are in {self.folder}"
        return json.loads(answer)


@cache
def shared_server() -> MilvusServer:
    """The one server of this process, started on the first call."""
    return MilvusServer()


def skip_without_milvus() -> None:
    """Skip the test where there is neither a server nor the environment to start one."""
    if OVERRIDE not in os.environ and not PYTHON.exists():
        pytest.skip(f"no Milvus server: run scripts/install-test-servers, or set {OVERRIDE}")


@pytest.fixture(scope="session")
def milvus_uri() -> str:
    """The address of a real server."""
    skip_without_milvus()
    return os.environ.get(OVERRIDE) or shared_server().uri


@pytest.fixture(scope="session")
def milvus_server() -> MilvusServer:
    """A server that the test may freeze and stop, and leaves running."""
    skip_without_milvus()
    if OVERRIDE in os.environ:
        pytest.skip(f"{OVERRIDE} is somebody's server, which is not ours to stop")
    return shared_server()

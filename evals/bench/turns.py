"""What a turn costs: CPU per turn and time to first token, each beside a floor of the same minute.

    python -m evals.bench.turns [--rounds 3] [--requests 480] [--json OUT]

The server runs on one core and the load client on another. Floors and client are those of the folder
`--bench` (default `../shared/bench`): `floor_sse.py` is FastAPI and sse-starlette doing no work at all,
`floor_lg.py` the same behind an eight-node LangGraph graph. Each round measures floors and engines in
turn; ratios are taken within a round, and the median round is printed.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OURS_BODY = '{"messages":[{"role":"user","content":"What does section {n} say about the harbour?"}]}'
FLOOR_BODY = '{"message":"hello {n}","thread_id":"{uuid}"}'
STREAMS = (1, 16, 64)
START_SECONDS = 60


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(command: list[str], health: str, cwd: Path | None = None, path: Path | None = None) -> Iterator[int]:
    """Run `command` on the first core until the block ends; gives its pid once `health` answers 200.

    `path` is put on the Python path, for a `cwd` from which the app's own folder cannot be seen.
    """
    pinned = ["taskset", "-c", "0", *(("env", f"PYTHONPATH={path}") if path else ()), *command]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(pinned, cwd=cwd, stdout=output, stderr=output)
        try:
            _wait_until_ready(process, health)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], health: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"The server ended with status {process.returncode}.")
        try:
            with urllib.request.urlopen(health, timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("The server did not become ready.")


def load(
    bench: Path,
    base: str,
    path: str,
    body: str,
    token: str,
    streams: int,
    requests: int,
    pid: int,
    seconds: int = 300,
) -> dict[str, Any]:
    """One run of the load client, at most `seconds` long; gives its report."""
    command = [
        *("taskset", "-c", "1", sys.executable, str(bench / "loadgen.py"), "--base-url", base, "--path", path),
        *("--body", body, "--mode", "sse", "--first-token", f"json:type={token}", "-c", str(streams)),
        *("-n", str(requests), "--warmup", str(streams), "--pid", str(pid)),
        *("--timeout", "120", "--max-seconds", str(seconds)),
    ]
    report: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if report["errors"] or not report["ok"]:
        raise SystemExit(f"{path} at {streams} streams failed: {report['errors']}")
    return report


def floor(bench: Path, module: str, path: str, requests: int) -> dict[int, dict[str, Any]]:
    """The floor's reports by number of streams."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port), "--log-level", "warning"]
    with server(command, f"{base}/health", cwd=bench) as pid:
        return {n: load(bench, base, path, FLOOR_BODY, "token", n, _requests(n, requests), pid) for n in STREAMS}


def ours(bench: Path, engine: str, data_dir: Path, requests: int) -> dict[int, dict[str, Any]]:
    """Our reports by number of streams."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "evals.bench.server", "--port", str(port), "--engine", engine]
    with server([*command, "--data-dir", str(data_dir)], f"{base}/health/ready") as pid:
        path = "/api/v1/chat/stream"
        return {n: load(bench, base, path, OURS_BODY, "delta", n, _requests(n, requests), pid) for n in STREAMS}


def _requests(streams: int, requests: int) -> int:
    return requests if streams > 1 else max(requests // 4, 50)


def measure(bench: Path, rounds: int, requests: int) -> dict[str, float]:
    """The median over rounds of each figure."""
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        fill = [sys.executable, "-m", "evals.bench.server", "--port", "0", "--data-dir", folder, "--fill-only"]
        subprocess.run(fill, check=True)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            sse = floor(bench, "floor_sse", "/stream", requests)
            lg = floor(bench, "floor_lg", "/stream", requests)
            for engine in ("legacy", "workflow", "langgraph"):
                for name, value in _compare(engine, ours(bench, engine, data_dir, requests), sse, lg).items():
                    figures.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in figures.items()}


def _compare(
    engine: str, mine: dict[int, dict[str, Any]], sse: dict[int, dict[str, Any]], lg: dict[int, dict[str, Any]]
) -> dict[str, float]:
    cpu, floor_cpu = mine[16]["server_cpu_ms_per_req"], sse[16]["server_cpu_ms_per_req"]
    figures = {f"{engine}: CPU ms per turn at 16": cpu, f"{engine}: CPU per turn at 16, x floor_sse": cpu / floor_cpu}
    for n in STREAMS:
        first, floor_first = mine[n]["ttft_ms"]["p95"], lg[n]["ttft_ms"]["p95"]
        figures[f"{engine}: first token p95 ms at {n}"] = first
        figures[f"{engine}: first token p95 at {n}, x floor_lg"] = first / floor_first
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=480)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not (arguments.bench / "loadgen.py").exists():
        raise SystemExit(f"No load client in {arguments.bench}: name its folder with --bench.")
    figures = measure(arguments.bench.resolve(), arguments.rounds, arguments.requests)
    for name, value in figures.items():
        print(f"{name:55} {value:9.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

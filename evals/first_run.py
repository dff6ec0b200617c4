"""What a newcomer does, done by a program: clone, `make run`, upload a PDF, ask, open the citations.

    python3 evals/first_run.py [--repository .]

Needs git, make, python3 and pip, nothing of the project. The second half happens again inside a network
namespace that has a loopback device and no route (Linux, as root or with user namespaces).
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

SENTENCES = (
    "Lowick harbour was built in 1874 by the engineer Ada Merrow.",
    "Its north pier is 412 metres long and carries a small railway.",
    "In 1931 the herring fleet moved to Tarn Bay.",
)
QUESTION = "When was Lowick harbour built?"
READY_SECONDS = 600


def pdf(lines: tuple[str, ...]) -> bytes:
    """A PDF of one page with a line of text for each of `lines`."""
    text = "BT /F1 12 Tf 72 720 Td 16 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    tail = f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return (body + f"xref\n0 {size}\n0000000000 65535 f \n{table}" + tail).encode()


def request(url: str, data: bytes | None = None, kind: str = "application/json") -> str:
    """The body of a 2xx answer."""
    asked = urllib.request.Request(url, data, {"Content-Type": kind} if data is not None else {})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
        return answer.read().decode()


def upload(base: str, name: str, content: bytes) -> str:
    """Upload one file and wait until it is indexed; gives its document id."""
    mark = uuid.uuid4().hex
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
    sent = json.loads(request(f"{base}/api/v1/knowledge/upload", body, f"multipart/form-data; boundary={mark}"))
    document = sent["documents"][0]["id"]
    for _ in range(300):
        state = json.loads(request(f"{base}/api/v1/knowledge/documents/{document}"))
        if state["status"] == "ready":
            return str(document)
        if state["status"] == "failed":
            raise SystemExit(f"the PDF was not indexed: {state}")
        time.sleep(0.1)
    raise SystemExit("the PDF was not indexed in time")


def ask(base: str, question: str) -> list[dict[str, Any]]:
    """All events of one turn."""
    body = json.dumps({"messages": [{"role": "user", "content": question}]}).encode()
    text = request(f"{base}/api/v1/chat/stream", body)
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]


def check(base: str) -> str:
    """Upload, ask, and hold the answer to what it must be; gives the answer."""
    document = upload(base, "harbour.pdf", pdf(SENTENCES))
    events = ask(base, QUESTION)
    kinds = [event["type"] for event in events]
    if not kinds.index("start") < kinds.index("refs") < kinds.index("delta") < kinds.index("done") == len(kinds) - 1:
        raise SystemExit(f"events came in the wrong order: {kinds}")
    text = json.loads(request(f"{base}/api/v1/knowledge/documents/{document}/text"))["text"]
    citations = events[-1]["citations"]
    if not citations:
        raise SystemExit("the answer cites nothing")
    for citation in citations:
        if text[citation["start"] : citation["end"]] != citation["quote"]:
            raise SystemExit(f"a quote does not stand in the document: {citation}")
        if " ".join(citation["quote"].split()) not in " ".join(SENTENCES):
            raise SystemExit(f"a quote does not stand in the file: {citation}")
    answer = "".join(event["content"] for event in events if event["type"] == "delta")
    if "1874" not in answer:
        raise SystemExit(f"the answer does not hold the year: {answer}")
    return answer


def run_and_check(folder: Path) -> str:
    """`make run` on a free port, then `check`, then Ctrl-C."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    shutil.rmtree(folder / "var", ignore_errors=True)
    process = subprocess.Popen(["make", "run", f"PORT={port}"], cwd=folder, start_new_session=True)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise SystemExit(f"make run ended with status {process.returncode}")
            try:
                request(f"{base}/health/ready")
                break
            except OSError:
                time.sleep(0.2)
        return check(base)
    finally:
        subprocess.run(["pkill", "-INT", "-s", str(process.pid)], check=False)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)


def main() -> None:
    """Clone, then check with and without a network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", default=str(Path(__file__).parents[1]))
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        routes = subprocess.run(["ip", "route"], check=True, capture_output=True, text=True).stdout
        if routes.strip():
            raise SystemExit("this namespace has a route")
        print("without a route:", run_and_check(arguments.inside))
        return
    with tempfile.TemporaryDirectory(prefix="zhiyin-first-run-") as scratch:
        clone = Path(scratch) / "zhiyin"
        subprocess.run(["git", "clone", "-q", arguments.repository, str(clone)], check=True)
        started = time.monotonic()
        print("with a network:", run_and_check(clone))
        print(f"from clone to answer: {time.monotonic() - started:.0f} s")
        unshare = ["unshare", "--net", *(() if _is_root() else ("--map-root-user",))]
        subprocess.run([*unshare, sys.executable, __file__, "--inside", str(clone)], check=True)


def _is_root() -> bool:
    return subprocess.run(["id", "-u"], check=True, capture_output=True, text=True).stdout.strip() == "0"


if __name__ == "__main__":
    main()

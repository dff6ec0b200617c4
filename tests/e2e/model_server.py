"""A model's server that speaks OpenAI's protocol and says what the test wants, when the test wants it."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_SECONDS = 60


class ModelServer:
    """Says the `parts` of its script word by word, and stands still between parts until `go_on`."""

    def __init__(self) -> None:
        self.parts: tuple[str, ...] = ()
        self.failures = 0
        """So many requests are answered 500 first."""
        self.hung_up = threading.Event()
        """Set when a client left in mid-answer."""
        self._gate = threading.Semaphore(0)
        self._over = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.close_connection = True
                if owner.failures:
                    owner.failures -= 1
                    self.send_error(500)
                    return
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                try:
                    owner._speak(self._say)
                    self.wfile.write(b"data: [DONE]\n\n")
                except OSError:
                    owner.hung_up.set()

            def _say(self, delta: dict[str, Any], finish: str | None = None) -> None:
                choice = {"index": 0, "delta": delta, "finish_reason": finish}
                chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
                self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                self.wfile.flush()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def says(self, *parts: str) -> None:
        """Set the script of the answers from now on."""
        self.parts = parts

    def go_on(self) -> None:
        """Let the answer go on to its next part."""
        self._gate.release()

    @property
    def env(self) -> str:
        """The lines of `.env` that point the app here."""
        url = f"http://127.0.0.1:{self._server.server_port}/v1"
        return f"OPENAI_BASE_URL={url}\nOPENAI_API_KEY=none\nOPENAI_MODEL=scripted\n"

    def _speak(self, say: Any) -> None:
        for number, part in enumerate(self.parts):
            if number:
                self._stand_still(say)
            for word in re.findall(r"\S+\s*", part):
                say({"content": word})
        say({}, "stop")

    def _stand_still(self, say: Any) -> None:
        """Wait for `go_on`; empty pieces in between show whether the client is still there."""
        for _ in range(PATIENCE_SECONDS * 20):
            if self._over.is_set() or self._gate.acquire(timeout=0.05):
                return
            say({"content": ""})

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

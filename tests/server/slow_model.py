"""A model's server that speaks OpenAI's protocol and takes its time."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class SlowModel:
    """Streams `words` words, `seconds` apart; `gone` is set when a client hung up in mid-answer."""

    def __init__(self, words: int = 60, seconds: float = 0.05) -> None:
        self.gone = threading.Event()
        self.stop = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                try:
                    for n in range(words):
                        self._say({"content": f"word{n} "})
                        owner.stop.wait(seconds)
                    self._say({}, "stop")
                    self.wfile.write(b"data: [DONE]\n\n")
                except OSError:
                    owner.gone.set()
                self.close_connection = True

            def _say(self, delta: dict[str, Any], finish: str | None = None) -> None:
                choice = {"index": 0, "delta": delta, "finish_reason": finish}
                chunk = {
                    "id": "c",
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": "slow",
                    "choices": [choice],
                }
                self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                self.wfile.flush()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def env(self) -> str:
        """The lines of `.env` that point the app here."""
        url = f"http://127.0.0.1:{self._server.server_port}/v1"
        return f"OPENAI_BASE_URL={url}\nOPENAI_API_KEY=none\nOPENAI_MODEL=slow\n"

    def __enter__(self) -> SlowModel:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

"""`zhiyin serve`: the app in the foreground, and the same with reloading for those who work on it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import typer

from app.memory import settle, start_small
from app.settings import Settings
from app.version import VERSION
from tools.errors import NotAvailable

ROOT = Path(__file__).parents[2]
WATCHED = [ROOT / package for package in ("app", "graphs", "nodes", "tools", "flags")]


def serve(settings: Settings) -> None:
    """Serve until told to stop. Raises what keeps the app from starting."""
    start_small()
    from app.main import create_app
    from app.server import serve_app

    serve_app(create_app(settings, when_open=settle), settings, _greet)


def serve_again_and_again() -> None:
    """Serve in a child process that is replaced whenever the code changes.

    Raises:
        NotAvailable: the library that watches files is not installed.
    """
    try:
        from watchfiles import PythonFilter, run_process
    except ImportError:
        raise NotAvailable("Reloading needs the test extra: `make dev`, or pip install 'zhiyin[test]'.") from None
    arguments = [argument for argument in sys.argv[1:] if argument != "--reload"]
    command = shlex.join([sys.executable, "-m", "app", *arguments])
    run_process(*WATCHED, target=command, target_type="command", watch_filter=PythonFilter())


def _greet(url: str) -> None:
    typer.echo(f"Zhiyin 知音 {VERSION} at {url}\nOpen the page and drop a document on it. Ctrl-C stops.", err=True)

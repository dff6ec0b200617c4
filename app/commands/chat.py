"""`zhiyin chat`: a conversation in the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rich.console import Console

from app.commands.talks import Event, LocalTalk, RemoteTalk, Talk
from app.settings import Settings
from tools.errors import ZhiyinError

console = Console(highlight=False, soft_wrap=True)


def chat(settings: Settings, url: str | None, token: str | None) -> None:
    """Ask and answer until an empty line; Ctrl-C stops an answer."""
    with suppress(ImportError):
        import readline  # noqa: F401  (gives `input` a line editor and a history)
    console.print("[dim]Ask about your documents; an empty line ends it. 问吧，空行结束。[/]")
    # The loop runs only while something is answered, so that waiting for the keyboard blocks nobody.
    with asyncio.Runner() as runner:
        opened = _talk(settings, url, token)
        talk = runner.run(opened.__aenter__())
        try:
            while question := _question():
                _answer(runner, talk, question)
        finally:
            runner.run(opened.__aexit__(None, None, None))


def _question() -> str:
    with suppress(EOFError, KeyboardInterrupt):
        return console.input("[bold]> [/]").strip()
    console.print()
    return ""


def _answer(runner: asyncio.Runner, talk: Talk, question: str) -> None:
    try:
        runner.run(_show_all(talk.ask(question)))
    except KeyboardInterrupt:
        runner.run(talk.stop())
        console.print("\n[dim]stopped[/]")
    except ZhiyinError as error:
        console.print(error.message, style="red", markup=False)


async def _show_all(events: AsyncIterator[Event]) -> None:
    async for event in events:
        _show(event)


def _show(event: Event) -> None:
    match event["type"]:
        case "delta":
            console.print(event["content"], end="", markup=False)
        case "replace":
            console.print(f"\n{event['content']}", end="", markup=False)
        case "done":
            console.print()
            for citation in event["citations"]:
                page = f", p. {citation['page']}" if citation["page"] else ""
                quote = " ".join(citation["quote"].split())
                console.print(f"[{citation['id']}] {citation['title']}{page}: “{quote}”", style="dim", markup=False)
        case "error":
            console.print(f"\n{event['message']}", style="red", markup=False)
        case _:
            pass


@asynccontextmanager
async def _talk(settings: Settings, url: str | None, token: str | None) -> AsyncIterator[Talk]:
    if url is not None:
        from app.commands.remote import connected

        async with connected(url, token) as client:
            yield RemoteTalk(client)
        return
    from app.observability.logging import Logs
    from app.wiring import open_app

    with Logs(settings.log_level, settings.log_dir, env=settings.env, stderr=False):
        async with open_app(settings) as app:
            yield LocalTalk(app)

"""`zhiyin ingest`: files and folders into a data set, with a progress bar."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.commands.shelves import LocalShelf, RemoteShelf, Shelf
from app.settings import Settings
from tools.errors import ZhiyinError
from tools.knowledge.parsing import file_type

AT_ONCE = 4
"""Files in hand at a time."""

console = Console(highlight=False, soft_wrap=True)


@dataclass(slots=True)
class Found:
    """Files to take in by the name that they get, and what was left out."""

    files: dict[str, Path] = field(default_factory=dict[str, Path])
    clashes: list[Path] = field(default_factory=list[Path])
    """Files whose name an earlier one has: they would replace it."""
    others: Counter[str] = field(default_factory=Counter[str])
    """Files in folders that are of no type that is read here, by suffix."""


def ingest(settings: Settings, paths: Sequence[Path], dataset_id: str, url: str | None, token: str | None) -> bool:
    """Index what lies at `paths`; False unless all of it can be searched, and at least one file was there."""
    found = find(paths)
    failed = asyncio.run(_take_in(settings, found, dataset_id, url, token)) if found.files else 0
    for path in found.clashes:
        console.print(f"[red]left out[/] {escape(str(path))}: another file has the same name")
    if found.others:
        kinds = ", ".join(f"{number} {suffix or 'without suffix'}" for suffix, number in found.others.most_common())
        console.print(f"Passed over, of types that are not read here: {kinds}.", markup=False)
    total = len(found.files)
    if total:
        console.print(
            f"{total - failed} of {total} files can be searched in the data set '{dataset_id}'.", markup=False
        )
    else:
        console.print("There are no files to index there.")
    return bool(total) and not failed and not found.clashes


def find(paths: Sequence[Path]) -> Found:
    """The files at `paths`; those in folders are named by their way from there, hidden ones are passed over."""
    found = Found()
    for path in paths:
        for file, name in _walk(path):
            if file_type(name) is None and file != path:
                found.others[file.suffix] += 1
            elif name in found.files:
                found.clashes.append(file)
            else:
                found.files[name] = file
    return found


def _walk(path: Path) -> Iterator[tuple[Path, str]]:
    if not path.is_dir():
        yield path, path.name
        return
    for file in sorted(path.rglob("*")):
        way = file.relative_to(path).parts
        if file.is_file() and not any(part.startswith(".") for part in way):
            yield file, "_".join(way)


async def _take_in(settings: Settings, found: Found, dataset_id: str, url: str | None, token: str | None) -> int:
    """Put all files on the shelf, a few at a time; gives the number that could not be."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    failed = 0
    async with _shelf(settings, dataset_id, url, token) as shelf:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("indexing", total=len(found.files))
            waiting = iter(found.files.items())

            async def put_one_after_another() -> None:
                nonlocal failed
                for name, file in waiting:
                    try:
                        await shelf.put(name, file)
                    except ZhiyinError as error:
                        failed += 1
                        progress.console.print(f"[red]failed[/] {escape(str(file))}: {escape(error.message)}")
                    progress.advance(task)

            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(put_one_after_another())
    return failed


@asynccontextmanager
async def _shelf(settings: Settings, dataset_id: str, url: str | None, token: str | None) -> AsyncIterator[Shelf]:
    if url is not None:
        from app.commands.remote import connected

        async with connected(url, token) as client:
            yield RemoteShelf(client, dataset_id)
        return
    from app.observability.logging import Logs
    from app.wiring import open_app

    with Logs(settings.log_level, settings.log_dir, env=settings.env, stderr=False):
        async with open_app(settings) as app:
            yield LocalShelf(app, dataset_id)

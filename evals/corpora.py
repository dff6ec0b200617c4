"""A set's passages in a throw-away app, indexed by the real pipeline."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.progress import Progress

from app.settings import Settings
from app.wiring import App, Replacements, open_app
from tools.knowledge.protocol import RetrievalQuery

TENANT = "local"
BATCH = 200


@asynccontextmanager
async def app_with(
    passages: Sequence[Mapping[str, Any]],
    engine: str = "langgraph",
    replacements: Replacements | None = None,
    *,
    titled: bool = True,
) -> AsyncIterator[tuple[App, dict[str, str]]]:
    """An app whose documents are `passages` (`id`, `title`, `text`), and each document's passage id.

    Every passage is uploaded as a Markdown file with its title as the heading, or without `titled` as a plain text
    file that is named by a number. The graph knows of all of them.
    """
    with tempfile.TemporaryDirectory(prefix="zhiyin-eval-") as folder:
        async with open_app(throwaway(Path(folder), engine), replacements or Replacements()) as app:
            owners = await _upload(app, passages, titled)
            await app.settled()
            await app.retriever.retrieve(TENANT, RetrievalQuery("Where?"))  # reads the graph, for the first time
            yield app, owners


def throwaway(folder: Path, engine: str) -> Settings:
    """Settings that touch nothing outside `folder` and hear nothing from the environment."""
    environ = {"DATA_DIR": str(folder), "COORDINATOR_ENGINE": engine, "LOG_LEVEL": "ERROR"}
    return Settings.load(env_file=Path(os.devnull), environ={**environ, "LOG_DIR": str(folder / "logs")})


async def _upload(app: App, passages: Sequence[Mapping[str, Any]], titled: bool) -> dict[str, str]:
    owners: dict[str, str] = {}
    with Progress(transient=True) as progress:
        task = progress.add_task("indexing", total=len(passages))
        for at in range(0, len(passages), BATCH):
            batch = passages[at : at + BATCH]
            files = [_file(at + n, passage, titled) for n, passage in enumerate(batch)]
            documents = await app.ingestor.submit(TENANT, "default", files)
            owners.update({d.id: str(p["id"]) for d, p in zip(documents, batch, strict=True)})
            await app.ingestor.idle()
            progress.advance(task, len(batch))
    return owners


def _file(number: int, passage: Mapping[str, Any], titled: bool) -> tuple[str, bytes]:
    return (f"{number}.md", markdown(passage)) if titled else (f"{number}.txt", str(passage["text"]).encode())


def markdown(passage: Mapping[str, Any]) -> bytes:
    """The title as a heading; text that Markdown would read as markup stays text."""
    body = re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", str(passage["text"]))
    title = re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", str(passage["title"]))
    return f"# {title}\n\n{body}\n".encode()

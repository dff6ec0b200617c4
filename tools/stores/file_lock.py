"""What one process of those that share a data folder does at a time: a locked file, which its holder's death opens."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

LOOK_SECONDS = 1.0
"""How often those who wait try again."""


@asynccontextmanager
async def alone(path: Path, look_seconds: float = LOOK_SECONDS) -> AsyncIterator[None]:
    """Wait until no other process holds `path` locked, and hold it inside."""
    file = await asyncio.to_thread(_opened, path)
    try:
        while not _taken(file):  # noqa: ASYNC110 - the kernel tells nobody when a lock is free
            await asyncio.sleep(look_seconds)
        yield
    finally:
        os.close(file)


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

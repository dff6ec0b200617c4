"""A file that others rewrite: its content counts once it has stopped changing.

An editor may truncate a file and write it again, replace it by a rename, or die half-way. A change is
believed when two looks in a row see the same file; one that looks like a rewrite under way (the file is
gone, or holds only the beginning of what it held) must stay so for longer.
"""

from __future__ import annotations

import stat
from pathlib import Path

from flags.errors import ConfigurationError

POLL_SECONDS = 0.15
LOOKS = 2
LOOKS_IF_CUT = 5
"""Vanished or cut files are believed after 0.6 to 0.75 s; an operator waits at most a second."""

Signature = tuple[int, int, int, int, int]


class SettledFile:
    """Content of `path` as last believed; None while there is no such file."""

    def __init__(self, path: Path) -> None:
        """Read it at once.

        Raises:
            ConfigurationError: it is there and cannot be read.
        """
        self.path = path
        self.content: bytes | None = None
        self._believed: Signature | None = None
        self._seen: Signature | None = None
        self._looks = 0
        self.refresh()

    def refresh(self) -> None:
        """Believe what is there now, as the one who wrote it may. Raises ConfigurationError."""
        self._believed = self._seen = _signature(self.path)
        self.content = _read(self.path, self._believed)

    def poll(self) -> bool:
        """Look once, every POLL_SECONDS; True when a new content is believed.

        Raises:
            ConfigurationError: the changed file cannot be read; the last content stands.
        """
        signature = _signature(self.path)
        if signature != self._seen:
            self._seen, self._looks = signature, 0
        self._looks += 1
        if signature == self._believed or self._looks < LOOKS:
            return False
        content = self._reread(signature)
        if self._is_cut(content) and self._looks < LOOKS_IF_CUT:
            return False
        if _signature(self.path) != signature:
            return False
        self._believed = signature
        changed, self.content = content != self.content, content
        return changed

    def _reread(self, signature: Signature | None) -> bytes | None:
        try:
            return _read(self.path, signature)
        except ConfigurationError:
            self._believed = signature
            raise

    def _is_cut(self, content: bytes | None) -> bool:
        before = self.content or b""
        return len(content or b"") < len(before) and before.startswith(content or b"")


def _signature(path: Path) -> Signature | None:
    """What changes whenever the file does; None for no file (a folder or device, as containers mount, is none)."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _read(path: Path, signature: Signature | None) -> bytes | None:
    if signature is None:
        return None
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError([f"{path} cannot be read: {error.strerror}."]) from error

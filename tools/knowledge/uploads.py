"""Uploaded bytes on disk, under names that we choose: `<data_dir>/uploads/<tenant>/<document_id>`.

A file is written to `.staging` first and moved to its place in one step, so what stands there is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
import unicodedata
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from tools.errors import StoreUnavailable, TooLarge

MAX_NAME_CHARACTERS = 255
STALE_SECONDS = 24 * 3600
"""Staged files older than this belong to nobody any more."""

_PLAIN_TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DRIVE = re.compile(r"^[A-Za-z]:")
_SLASH_LOOKALIKES = str.maketrans(dict.fromkeys("\u2044\u2215\u29f5\u29f8\uff0f\uff3c", "_"))
_UNPRINTABLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Unicode categories without a picture of their own: controls, bidi marks and tags, surrogates, line ends."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that lies in staging. `content_type` is what its sender calls it, if anything."""

    name: str
    path: Path
    size_bytes: int
    sha256: str
    content_type: str = ""


def clean_name(name: str) -> str:
    """A file name to show: its last path component without control, bidi or separator characters.

    At most 255 characters, the suffix kept; empty when nothing is left.
    """
    name = re.split(r"[/\\]", name)[-1].translate(_SLASH_LOOKALIKES)
    name = "".join(character for character in name if unicodedata.category(character) not in _UNPRINTABLE)
    name = _DRIVE.sub("", name).strip().rstrip(". ")
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    stem, dot, suffix = name.rpartition(".")
    return stem[: MAX_NAME_CHARACTERS - len(suffix) - 1] + dot + suffix if len(suffix) <= 16 else name[:255]


class StagedFile:
    """A file being received; `finish` gives it to the caller, leaving without it removes it."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        """Raises StoreUnavailable when the disk refuses."""
        self._path = path
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._size = 0
        with _disk():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")

    def write(self, data: bytes) -> None:
        """Append; blocks on the disk.

        Raises:
            TooLarge: the file is larger than allowed (`too_large`).
            StoreUnavailable: the disk is full or gone.
        """
        self._size += len(data)
        if self._size > self._max_bytes:
            raise TooLarge(f"A file is larger than {self._max_bytes} bytes.")
        self._hash.update(data)
        with _disk():
            self._file.write(data)

    def finish(self, name: str, content_type: str = "") -> Upload:
        """Close the file; it is the caller's from now on."""
        with _disk():
            self._file.close()
        return Upload(name, self._path, self._size, self._hash.hexdigest(), content_type)

    def discard(self) -> None:
        """Close and remove the file."""
        with contextlib.suppress(OSError):  # a full disk refuses what is still buffered
            self._file.close()
        self._path.unlink(missing_ok=True)


class UploadFolder:
    """Where uploads are kept. All methods block on the disk."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "uploads"
        self._staging = self._root / ".staging"

    def stage(self, max_bytes: int) -> StagedFile:
        """Begin to receive a file of at most `max_bytes`."""
        return StagedFile(self._staging / uuid.uuid4().hex, max_bytes)

    def path(self, tenant_id: str, document_id: str, sha256: str) -> Path:
        """Where a document's bytes of this hash are; absolute, and inside the folder whatever the tenant is called."""
        plain = _PLAIN_TENANT.fullmatch(tenant_id)
        folder = tenant_id if plain else "~" + hashlib.sha256(tenant_id.encode()).hexdigest()[:32]
        return (self._root / folder / document_id / sha256[:16]).absolute()

    def keep(self, tenant_id: str, document_id: str, upload: Upload) -> None:
        """Move a staged file to its document's place, beside what was there. Raises StoreUnavailable."""
        path = self.path(tenant_id, document_id, upload.sha256)
        with _disk():
            path.parent.mkdir(parents=True, exist_ok=True)
            upload.path.replace(path)

    def remove(self, tenant_id: str, document_id: str, kept_sha256: str | None = None) -> None:
        """Delete a document's bytes, those of the kept hash apart, if they are there. Raises StoreUnavailable."""
        kept = self.path(tenant_id, document_id, kept_sha256 or "none")
        with _disk(), contextlib.suppress(FileNotFoundError):
            for path in kept.parent.iterdir():
                if path != kept:
                    path.unlink(missing_ok=True)
            if kept_sha256 is None:
                kept.parent.rmdir()

    def sweep(self) -> None:
        """Delete what dead processes left in staging."""
        oldest = time.time() - STALE_SECONDS
        for path in self._staging.glob("*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


@contextlib.contextmanager
def _disk() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"The data folder cannot be written: {error.strerror}.") from error

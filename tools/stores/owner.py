"""Which of the processes that share a data folder still live; tells turns cut by a crash from running ones."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

from tools.errors import StoreUnavailable


class ProcessOwner:
    """This process's name among its peers, and a locked file that the kernel frees when the process dies.

    A file appears under its name only once it is locked, so a name that can be locked is a dead one's.
    """

    def __init__(self, folder: Path) -> None:
        """Take a new name in `folder`, and clear away what dead processes left there.

        Raises:
            StoreUnavailable: the folder cannot be written.
        """
        self.id = f"owner_{secrets.token_hex(8)}"
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock: int | None = self._locked_file()
        except OSError as error:
            raise StoreUnavailable(f"The folder {folder} cannot be written: {error.strerror}.") from error
        for path in folder.glob("owner_*"):
            self.dead(path.name)

    def dead(self, owner_id: str) -> bool:
        """Whether that process has ended, by `close` or otherwise; never true of ourselves.

        The file of a dead process is removed on the way.
        """
        if owner_id == self.id:
            return False
        path = self._folder / owner_id
        try:
            lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            return isinstance(error, FileNotFoundError)
        try:
            # Shared, so that two processes that ask at the same time don't take each other for the owner.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        with contextlib.suppress(OSError):
            path.unlink()
        return True

    def close(self) -> None:
        """Give the name up; running turns of this owner count as cut from now on."""
        if self._lock is None:
            return
        (self._folder / self.id).unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None

    def _locked_file(self) -> int:
        hidden = self._folder / f".{self.id}"
        lock = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            hidden.rename(self._folder / self.id)
        except OSError:
            os.close(lock)
            raise
        return lock

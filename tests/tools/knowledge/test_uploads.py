"""Staged files are whole, counted, hashed, and swept up when nobody wants them any more."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tools.errors import StoreUnavailable, TooLarge
from tools.knowledge.uploads import STALE_SECONDS, UploadFolder


def test_a_staged_file_knows_its_size_and_hash_and_moves_to_its_place(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)
    staged = folder.stage(100)
    staged.write(b"one ")
    staged.write(b"two")
    upload = staged.finish("a.txt", "text/plain")
    assert (upload.size_bytes, upload.sha256) == (7, hashlib.sha256(b"one two").hexdigest())
    folder.keep("t", "doc", upload)
    assert folder.path("t", "doc", upload.sha256).read_bytes() == b"one two"
    assert not upload.path.exists()


def test_the_limit_holds_to_the_byte(tmp_path: Path) -> None:
    staged = UploadFolder(tmp_path).stage(4)
    staged.write(b"1234")
    with pytest.raises(TooLarge):
        staged.write(b"5")
    staged.discard()
    assert list((tmp_path / "uploads" / ".staging").iterdir()) == []


def test_a_sweep_takes_what_is_old_and_leaves_what_is_being_received(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)
    old, new = folder.stage(100).finish("old"), folder.stage(100)
    aged = old.path.stat().st_mtime - STALE_SECONDS - 1
    os.utime(old.path, (aged, aged))
    folder.sweep()
    assert not old.path.exists()
    assert new.finish("new").path.exists()


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("a file in the way")
    with pytest.raises(StoreUnavailable):
        UploadFolder(tmp_path).stage(100)

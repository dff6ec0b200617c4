"""The process gets small without touching what others rely on."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import app.memory
from app.memory import settle, start_small


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_imports_are_not_interrupted_and_afterwards_the_collector_runs_again() -> None:
    start_small()
    assert not gc.isenabled()
    settle()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_without_glibc_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_libc() -> None:
        raise OSError("another system")

    monkeypatch.setattr(app.memory, "_libc", no_libc)
    start_small()
    settle()
    assert gc.isenabled()

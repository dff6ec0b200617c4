"""Keeping the process small: few malloc arenas, and nothing of the start-up left in the garbage collector's way."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys

M_ARENA_MAX = -8
"""`mallopt`'s number for the most arenas (glibc's malloc.h)."""
ARENAS = 2


def start_small() -> None:
    """At the very start: threads share two arenas, and imports are not interrupted by collections."""
    gc.disable()
    with contextlib.suppress(OSError, AttributeError):
        _libc().mallopt(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """Once the app is up: collect, take what lives for ever out of later collections, give freed memory back."""
    # gc.collect()
    gc.freeze()
    gc.enable()
    with contextlib.suppress(OSError, AttributeError):
        _libc().malloc_trim(0)


def _libc() -> ctypes.CDLL:
    if not sys.platform.startswith("linux"):
        raise OSError("only glibc has these")
    return ctypes.CDLL(None)

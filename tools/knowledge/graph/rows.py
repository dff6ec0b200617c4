"""Lists of different lengths end to end in two arrays, as graphs keep them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int32]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """`r` lists: that of `i` is `values[starts[i]:starts[i + 1]]`; `starts` (r + 1,) begins with 0."""

    starts: Places
    values: Integers

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def size_bytes(self) -> int:
        """Memory taken by both arrays."""
        return self.starts.nbytes + self.values.nbytes

    def of(self, row: int) -> Integers:
        """One list."""
        return self.values[self.starts[row] : self.starts[row + 1]]

    def places(self, rows: NDArray[np.integer]) -> tuple[Places, Places]:
        """Where the values of `rows` stand, list after list, and for each the place in `rows` that it belongs to."""
        begins = self.starts[rows]
        counts = self.starts[rows + 1] - begins
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        return np.arange(total) + np.repeat(begins - ends + counts, counts), np.repeat(np.arange(len(rows)), counts)


def rows_of(owners: NDArray[np.integer], values: NDArray[np.integer], number: int) -> tuple[Rows, Places]:
    """`number` lists: `values[i]` goes to that of `owners[i]`, in the order given; and the order they stand in now."""
    order = np.argsort(owners, kind="stable")
    starts = np.zeros(number + 1, dtype=np.int64)
    np.cumsum(np.bincount(owners, minlength=number), out=starts[1:])
    return Rows(starts, values[order].astype(np.int32)), order

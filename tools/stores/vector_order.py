"""One order of results for all vector stores: the nearest first, and ties alike on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.stores.vector_protocol import Near

TIE = 2e-6
"""Cosines that follow each other this closely are a tie.

Sums of float32 in another order, as another kernel or another segment has them, differ by up to 5e-7.
"""


def nearest_first(positions: NDArray[np.int64], cosines: NDArray[np.float32], number: int) -> list[Near]:
    """The `number` chunks of highest cosine, both arrays (n,); ties go to the lower position."""
    if number < 1 or not len(positions):
        return []
    if number < len(positions):
        within = cosines >= np.partition(cosines, -number)[-number] - TIE
        positions, cosines = positions[within], cosines[within]
    falling = np.argsort(-cosines, kind="stable")
    positions, cosines = positions[falling], cosines[falling]
    ties = np.concatenate([[0], np.cumsum(-np.diff(cosines) > TIE)])
    order = np.lexsort((positions, ties))[:number]
    return near(positions[order], cosines[order])


def near(positions: NDArray[np.int64], cosines: NDArray[np.float32]) -> list[Near]:
    """Arrays (n,) as values; rounding may have put a cosine past 1."""
    return [Near(*pair) for pair in zip(positions.tolist(), np.clip(cosines, -1, 1).tolist(), strict=True)]

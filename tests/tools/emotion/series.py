"""Series whose truth is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def autoregressive(dice: np.random.Generator, n: int, rho: float, sigma: float) -> NDArray[np.float64]:
    """`n` readings about 0 with standard deviation `sigma`, of whose deviations `rho` carries over to the next."""
    shocks = dice.normal(0, sigma * np.sqrt(1 - rho**2), n)
    values = np.empty(n)
    values[0] = dice.normal(0, sigma)
    for place in range(1, n):
        values[place] = rho * values[place - 1] + shocks[place]
    return values

"""Personalised PageRank from the question's entities: how often a walker that keeps starting anew comes by.

The mass at the seeds is pushed along the edges round by round (Andersen, Chung and Lang 2006, all nodes of a round at
once); what is left at a node below `TOLERANCE` of its degree stays there. So the work depends on how far the seeds
reach and not on the size of the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float32]

DAMPING = 0.7
"""Share of the mass that moves on; the rest has arrived."""
ROUNDS = 8
"""After these, .7 ** 8 = 6 % of the mass is still under way, and stays where it is."""
TOLERANCE = 2e-5
"""Mass per edge, of 1 in all, that is not worth another step.

On made-up questions over MuSiQue's and HotpotQA's passages, recall of the walk @5 is 76.7 and 95.8 with 12 rounds and a
tenth of this, 76.0 and 95.8 with 6 and five times that, at half the time.
"""


def visits(
    steps: csr_array,
    nodes: NDArray[np.integer],
    weights: NDArray[np.floating],
    *,
    rounds: int = ROUNDS,
    tolerance: float = TOLERANCE,
    damping: float = DAMPING,
) -> Floats:
    """How much of the mass `weights` at `nodes` ends at each node, (number of nodes,).

    `steps` is row-stochastic. The sum is the share of the weights that has been pushed.
    """
    size = len(steps.indptr) - 1
    arrived = np.zeros(size, dtype=np.float32)
    waiting = np.bincount(nodes, weights, minlength=size).astype(np.float32)
    least = tolerance * np.maximum(np.diff(steps.indptr), 1).astype(np.float32)
    for _ in range(rounds):
        active = np.flatnonzero(waiting > least)
        if not len(active):
            break
        mass = waiting[active]
        waiting[active] = 0
        arrived[active] += (1 - damping) * mass
        waiting += steps[active].T @ (np.float32(damping) * mass)
    return (arrived + (1 - damping) * waiting).astype(np.float32)

"""What speaks for a passage, as numbers that a weighted sum can join: one row a candidate, one column a feature.

All numbers are about 0-1, higher for what should rank higher. `p` below is the number of candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.graph.rows import Rows

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

NAMES = (
    "walk",
    "walk_rank",
    "words",
    "words_level",
    "words_rank",
    "meaning",
    "meaning_level",
    "meaning_rank",
    "both_rank",
    "agreement",
    "about_linked",
    "about_weight",
    "linked_mentioned",
    "linked_count",
    "led_to",
    "led_to_words",
    "led_to_meaning",
    "leads_to_words",
    "leads_to_meaning",
    "several_about",
    "several_led_to",
)
"""The columns, in order."""
_RANK_CONSTANT = 60
_AGREEMENT = 10
"""The depth down to which a list counts as speaking for a passage."""
_LEAST = 1e-5
"""Visits below this share of the highest are as good as none."""


@dataclass(frozen=True)
class Candidates:
    """Passages that may answer, and how words, meaning and the walk see them.

    `relevance`, `cosines` and `visits` (p,) are what each list ranks by; `cosines` is None without vectors, and
    below -.99 for a passage that has none. `ranks` (3, p) count from 1 by words, meaning and walk, infinite for what is
    not in the list. `subjects` (p,) is the entity a passage is about, -1 without; `mentions` lists its
    entities. `linked` (l,) are the question's entities with their `weights` (l,); `sure` (l,) says how surely each is
    meant, 0-1.
    """

    relevance: Floats
    cosines: Floats | None
    visits: Floats
    ranks: Floats
    subjects: Places
    mentions: Rows
    linked: Places
    weights: Floats
    sure: Floats


def features(candidates: Candidates) -> Floats:
    """(p, len(NAMES)): see there."""
    c = candidates
    if not len(c.relevance):
        return np.zeros((0, len(NAMES)), dtype=np.float32)
    words = c.relevance / max(float(c.relevance.max()), 1e-6)
    level = np.zeros_like(words) if c.cosines is None else np.maximum(c.cosines, 0)
    meaning = level / max(float(level.max()), 0.1)
    near = 1 / (_RANK_CONSTANT + c.ranks)
    about, about_weight = _about(c)
    mentioned, count = _mentioned(c)
    leads = _leads(c)
    led_to = _best(leads, about)
    several = float(len(np.unique(c.subjects[about > 0])) > 1)
    columns = [
        1 - np.log(np.maximum(c.visits / max(float(c.visits.max()), 1e-12), _LEAST)) / np.log(_LEAST),
        1 / np.sqrt(c.ranks[2]),
        words,
        np.minimum(c.relevance, 1),
        1 / np.sqrt(c.ranks[0]),
        meaning,
        level,
        1 / np.sqrt(c.ranks[1]),
        (_RANK_CONSTANT + 1) / 2 * (near[0] + near[1]),
        (c.ranks <= _AGREEMENT).sum(axis=0) / 3,
        about,
        about_weight,
        mentioned,
        count,
        led_to,
        _best(leads, words),
        _best(leads, meaning),
        _best(leads.T, words),
        _best(leads.T, meaning),
        several * about,
        several * led_to,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _about(c: Candidates) -> tuple[Floats, Floats]:
    """How surely a passage is about a linked entity, and that entity's weight as a share of the highest."""
    same = c.subjects[:, None] == c.linked[None, :]
    if not same.size:
        return np.zeros(len(c.subjects), np.float32), np.zeros(len(c.subjects), np.float32)
    return (same * c.sure).max(axis=1), (same * c.weights).max(axis=1) / max(float(c.weights.max()), 1e-9)


def _mentioned(c: Candidates) -> tuple[Floats, Floats]:
    """The weight of the linked entities that a passage mentions as a share of all, and their number in fours."""
    held = _holds(c.mentions, c.linked) & (c.subjects[:, None] != c.linked[None, :])
    return held @ (c.weights / max(float(c.weights.sum()), 1e-9)), np.minimum(held.sum(axis=1) / 4, 1)


def _leads(c: Candidates) -> NDArray[np.bool_]:
    """(p, p): whether the first mentions what the second is about, and is about something else."""
    held = _holds(c.mentions, c.subjects)
    return held & (c.subjects >= 0)[None, :] & (c.subjects[:, None] != c.subjects[None, :])


def _holds(lists: Rows, wanted: Places) -> NDArray[np.bool_]:
    """(p, number wanted): which list holds which value."""
    values, back = np.unique(wanted, return_inverse=True)
    owners = np.repeat(np.arange(len(lists)), np.diff(lists.starts))
    places = np.minimum(np.searchsorted(values, lists.values), max(len(values) - 1, 0))
    there = values[places] == lists.values if len(values) else np.zeros(len(lists.values), dtype=np.bool_)
    held = np.zeros((len(lists), len(values)), dtype=np.bool_)
    held[owners[there], places[there]] = True
    return held[:, back]


def _best(leads: NDArray[np.bool_], values: Floats) -> Floats:
    """The highest value of those that lead to each; 0 where none does."""
    return (leads * values[:, None]).max(axis=0)

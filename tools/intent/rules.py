"""Reads the intent from phrases that speak for it: no model, some tens of microseconds, always the same.

The phrases stand in `rules.yaml`. Their weights add up per intent, and the confidence is the softmax
of the sums: a message that nothing speaks for is a knowledge question at about one third.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import yaml

from tools.intent.phrases import Phrase, PhraseTable, units_of
from tools.intent.protocol import Intent, IntentLabel

RULES = Path(__file__).parent / "rules.yaml"
WEIGHTS = {"certain": 6.0, "sure": 4.0, "likely": 2.0, "hint": 0.75}
DEFAULT: IntentLabel = "knowledge_question"
DEFAULT_WEIGHT = 1.5
"""What the default intent has before a word is read: more than two hints are needed to outweigh it."""
SHORT_INTENTS: frozenset[IntentLabel] = frozenset({"small_talk", "feedback", "meta"})
SHORT_UNITS = 60
"""Longer messages are of none of these: their phrases turn up there by chance."""
FOLLOW_UP_UNITS = 14
"""A follow-up is short; longer messages say themselves what they ask."""
FOLLOW_UP_TRUST = 0.9
"""How far the confidence in the earlier message carries over."""
MAX_LOOK_BACK = 4
"""Earlier messages that a chain of follow-ups may reach over."""

Scores = dict[IntentLabel, float]


class RuleIntentDetector:
    """An `IntentDetector` by weighted phrases; short follow-ups take the intent of the message before them."""

    def __init__(self, path: Path = RULES) -> None:
        rules = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        follow_ups = rules.pop("follow_up")["sure"]
        cues = list(_phrases(rules))
        self._cues = PhraseTable(cues)
        self._courtesies = PhraseTable([cue for cue in cues if _fills_a_clause_with_small_talk(cue)])
        self._follow_ups = PhraseTable([Phrase(source, True) for source in follow_ups])

    async def detect(self, message: str, language: str, history: Sequence[str] = ()) -> Intent:
        """See `IntentDetector`; the phrases of both languages count, whatever `language` says."""
        return self._detect(message, history[-MAX_LOOK_BACK:])

    def _detect(self, message: str, history: Sequence[str]) -> Intent:
        units = units_of(message)
        scores = self._scores(units)
        label = max(scores, key=scores.__getitem__)
        if history and self._asks_again(units, scores[label] if label != DEFAULT else 0.0):
            before = self._detect(history[-1], history[:-1])
            return Intent(before.label, round(before.confidence * FOLLOW_UP_TRUST, 3), "rules")
        return Intent(label, round(_softmax(scores, label), 3), "rules")

    def _scores(self, units: list[str]) -> Scores:
        scores: Scores = {DEFAULT: DEFAULT_WEIGHT}
        for label, weight in self._cues.find(self._without_courtesies(units)):
            if label not in SHORT_INTENTS or len(units) <= SHORT_UNITS:
                scores[label] = scores.get(label, 0.0) + weight
        return scores

    def _without_courtesies(self, units: list[str]) -> list[str]:
        """What is said besides greetings and thanks; all of it when there is nothing else."""
        clauses = _clauses(units)
        content = [clause for clause in clauses if not self._courtesies.find(clause)]
        return list(chain.from_iterable(content)) if 0 < len(content) < len(clauses) else units

    def _asks_again(self, units: list[str], own_strength: float) -> bool:
        """A short message of the follow-up form that does not clearly ask something of its own."""
        if len(units) > FOLLOW_UP_UNITS or own_strength >= WEIGHTS["sure"]:
            return False
        return bool(self._follow_ups.find(units))


def _phrases(rules: Mapping[str, Any]) -> Iterator[Phrase[tuple[IntentLabel, float]]]:
    for by_label in rules.values():
        for label, by_strength in by_label.items():
            for strength, sources in by_strength.items():
                for source in sources:
                    yield Phrase(source, (label, WEIGHTS[strength]))


def _fills_a_clause_with_small_talk(cue: Phrase[tuple[IntentLabel, float]]) -> bool:
    source = cue.source.strip()
    return cue.meaning[0] == "small_talk" and source.startswith("^") and source.endswith("$")


def _clauses(units: list[str]) -> list[list[str]]:
    clauses: list[list[str]] = [[]]
    for unit in units:
        if unit == "^" and clauses[-1]:
            clauses.append([])
        clauses[-1].append(unit)
    return clauses


def _softmax(scores: Scores, label: IntentLabel) -> float:
    """Share of `label`, the highest, among all intents; those without a score count as 0."""
    top = scores[label]
    silent = len(get_args(IntentLabel)) - len(scores)
    return 1 / (silent * math.exp(-top) + sum(math.exp(score - top) for score in scores.values()))

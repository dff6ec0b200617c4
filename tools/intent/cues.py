"""Phrases that speak for an intent, and those by which a message asks again what the one before it asked.

They stand in `rules.yaml`. All detectors but the frozen keywords use them: the rules decide by them alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from tools.intent.phrases import Phrase, PhraseTable, units_of
from tools.intent.protocol import IntentLabel
from tools.models.yaml_file import shipped_yaml

RULES = Path(__file__).parent / "rules.yaml"
WEIGHTS = {"certain": 6.0, "sure": 4.0, "likely": 2.0, "hint": 0.75}
SHORT_INTENTS: frozenset[IntentLabel] = frozenset({"small_talk", "feedback", "meta"})
SHORT_UNITS = 60
"""Longer messages are of none of these: their phrases turn up there by chance."""
FOLLOW_UP_UNITS = 14
"""A follow-up is short; longer messages say themselves what they ask."""
FOLLOW_UP_TRUST = 0.9
"""How far the confidence in the earlier message carries over, for each message between."""
MAX_LOOK_BACK = 4
"""Earlier messages that a chain of follow-ups may reach over."""

Scores = dict[IntentLabel, float]


class Cues:
    """The phrases of both languages, whatever a message is said to be in."""

    def __init__(self, path: Path = RULES) -> None:
        rules = shipped_yaml(path)
        follow_ups = rules.pop("follow_up")["sure"]
        cues = list(_phrases(rules))
        self._cues = PhraseTable(cues)
        self._courtesies = PhraseTable([cue for cue in cues if _fills_a_clause_with_small_talk(cue)])
        self._follow_ups = PhraseTable([Phrase(source, True) for source in follow_ups])

    def scores(self, message: str) -> Scores:
        """Weights of the phrases in `message`, summed per intent; an intent that nothing speaks for is left out."""
        return self._scores(units_of(message))

    def question_behind(self, message: str, history: Sequence[str]) -> tuple[str, int]:
        """The message whose intent `message` shares, and how many follow-ups lie between: itself and 0, mostly."""
        steps = 0
        earlier = history[-MAX_LOOK_BACK:]
        while steps < len(earlier) and self._asks_again(message):
            steps += 1
            message = earlier[-steps]
        return message, steps

    def _scores(self, units: list[str]) -> Scores:
        scores: Scores = {}
        for label, weight in self._cues.find(self._without_courtesies(units)):
            if label not in SHORT_INTENTS or len(units) <= SHORT_UNITS:
                scores[label] = scores.get(label, 0.0) + weight
        return scores

    def _without_courtesies(self, units: list[str]) -> list[str]:
        """What is said besides greetings and thanks; all of it when there is nothing else."""
        clauses = _clauses(units)
        content = [clause for clause in clauses if not self._courtesies.find(clause)]
        return list(chain.from_iterable(content)) if 0 < len(content) < len(clauses) else units

    def _asks_again(self, message: str) -> bool:
        """A short message of the follow-up form that does not clearly ask something of its own."""
        units = units_of(message)
        if len(units) > FOLLOW_UP_UNITS or not self._follow_ups.find(units):
            return False
        own = {label: score for label, score in self._scores(units).items() if label != "knowledge_question"}
        return max(own.values(), default=0.0) < WEIGHTS["sure"]


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

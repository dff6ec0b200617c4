"""A small labelled set that tells an operator at once when intents go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.intent.protocol import IntentDetector, IntentLabel
from tools.models.yaml_file import shipped_yaml

PROBE = Path(__file__).parent / "probe.yaml"


@dataclass(frozen=True, slots=True)
class ProbeMessage:
    """A message with the intent a person gave it; `history` holds the user's earlier messages."""

    message: str
    language: str
    intent: IntentLabel
    history: tuple[str, ...] = ()


def probe_messages() -> Iterator[ProbeMessage]:
    """The built-in set: seventy messages or so in each language, seven or so for each intent."""
    for language, by_intent in shipped_yaml(PROBE).items():
        for intent, entries in by_intent.items():
            for entry in entries:
                if isinstance(entry, str):
                    yield ProbeMessage(entry, language, intent)
                else:
                    yield ProbeMessage(entry["message"], language, intent, tuple(entry["history"]))


async def probe_accuracy(detector: IntentDetector, language: str | None = None) -> float:
    """Share (0-1) of the probe messages, of one language or all, that `detector` labels as the set does."""
    probes = [probe for probe in probe_messages() if language in (None, probe.language)]
    hits = [(await detector.detect(p.message, p.language, p.history)).label == p.intent for p in probes]
    return sum(hits) / len(hits)

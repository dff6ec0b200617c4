"""Ready words for talk that asks for no passage, kept in `replies.yaml` beside this file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tools.models.prompt import OUT_OF_SCOPE
from tools.models.protocol import ChatRequest, Language
from tools.models.yaml_file import shipped_yaml

_FILE = Path(__file__).with_name("replies.yaml")
_A_FEW_CHARACTERS = 24
"""A message no longer than this may be small talk that was taken for a question."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What is said about one thing, per language, when one of `when` is found in the message."""

    name: str
    when: tuple[re.Pattern[str], ...]
    texts: dict[Language, str]

    def speaks_to(self, message: str) -> bool:
        """Whether the message is about this; a topic without patterns takes any."""
        return not self.when or any(pattern.search(message) for pattern in self.when)


@lru_cache(maxsize=1)
def topics() -> dict[str, list[Topic]]:
    """Topics per intent, in the order they are tried."""
    loaded = shipped_yaml(_FILE)
    return {
        intent: [
            Topic(name, tuple(map(re.compile, entry.get("when", ()))), {"en": entry["en"], "zh": entry["zh"]})
            for name, entry in entries.items()
        ]
        for intent, entries in loaded.items()
    }


def reply_to(request: ChatRequest) -> str | None:
    """The ready answer to small talk, comfort, feedback, questions about us; None for what needs passages."""
    if request.intent == "nothing_found":
        return None
    for topic in topics().get(request.intent, ()):
        if topic.speaks_to(request.message.casefold()):
            return _say(topic, request)
    return None


def nothing_found(request: ChatRequest) -> str:
    """Says plainly that there is no answer and what to do; small talk mistaken for a question gets its reply."""
    message = request.message.strip().casefold()
    if len(message) <= _A_FEW_CHARACTERS:
        for topic in topics()["small_talk"]:
            if topic.when and topic.speaks_to(message):
                return _say(topic, request)
    which = "not_relevant" if request.evidence else "no_documents"
    if request.intent == OUT_OF_SCOPE:
        which = OUT_OF_SCOPE
    return next(_say(topic, request) for topic in topics()["nothing_found"] if topic.name == which)


def _say(topic: Topic, request: ChatRequest) -> str:
    return topic.texts[request.language].replace("{name}", request.persona.name_in(request.language))

"""The extractor that needs no language model: tagger, rules, declared names, relations, put together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tools.knowledge.extraction.aliases import find_aliases
from tools.knowledge.extraction.artefact import FOLDER
from tools.knowledge.extraction.names import normal_form
from tools.knowledge.extraction.protocol import Extraction, Extractor, Mention, Relation, Subject
from tools.knowledge.extraction.relations import find_relations
from tools.knowledge.extraction.spans import SpanFinder
from tools.knowledge.extraction.subject import find_subject
from tools.knowledge.extraction.tagger import open_tagger

LANGUAGES = ("en", "zh")
NAME = "zhiyin-extractor-1"
MAX_CHARS = 100_000
"""Characters read of one passage; a chunk has some hundreds, and no text may hold up the others for long."""
TYPED_CONFIDENCE = 0.3
"""From this confidence on a mention counts as an entity of its type; below, it is a name worth linking.

Chosen on the dev sentences; for calibrated confidences the best threshold is half the best F1 (Lipton et al. 2014).
"""
SHORT_NAME = 0.8
"""How sure it is that a part of the subject's name means the subject, in a passage about that person."""
_NAME_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "v", "vi", "junior", "senior"})
_SURROGATE = re.compile("[\ud800-\udfff]")


class PassageExtractor:
    """An `Extractor` over taggers and rules; several threads may use it."""

    name = NAME

    def __init__(self, finder: SpanFinder) -> None:
        self._finder = finder

    def extract(self, text: str, title: str, heading: str, language: str) -> Extraction:
        """See `Extractor`; only the first `MAX_CHARS` characters are read. Any language but `zh` is read as English."""
        text = _SURROGATE.sub("\ufffd", text[:MAX_CHARS])
        title, heading = _SURROGATE.sub("", title), _SURROGATE.sub("", heading)
        language = "zh" if language.startswith("zh") else "en"
        mentions = [
            Mention(start, end, text[start:end], norm, kind, confidence, extractor)
            for start, end, kind, confidence, extractor in self._finder.find(text, language)
            if (norm := normal_form(text[start:end]))
        ]
        subject = find_subject(text, title, heading, mentions)
        mentions = _by_short_name(mentions, subject)
        aliases = find_aliases(text, mentions, subject, language)
        return Extraction(subject, mentions, _relations(text, mentions, language), aliases)


def open_extractor(folder: Path = FOLDER) -> Extractor:
    """The extractor for both languages over the taggers in `folder`.

    Raises:
        NotAvailable: a tagger's files are not there, or not the ones that were published.
    """
    return PassageExtractor(SpanFinder({name: open_tagger(folder / f"tagger-{name}") for name in LANGUAGES}))


def _relations(text: str, mentions: Sequence[Mention], language: str) -> Sequence[Relation]:
    """The one place where relations come in: they name their ends by place in `mentions`."""
    return find_relations(text, mentions, language)


def _by_short_name(mentions: list[Mention], subject: Subject | None) -> list[Mention]:
    """`Obama` in a passage about Barack Obama goes by his whole name."""
    if subject is None or subject.type != "person" or " " not in subject.norm:
        return mentions
    words = [word for word in subject.norm.split() if word not in _NAME_SUFFIXES]
    short = {words[0], words[-1]} - {subject.norm} if words else set[str]()
    return [
        replace(
            m,
            norm=subject.norm,
            type="person",
            confidence=min(m.confidence, SHORT_NAME) if m.type == "person" else m.confidence,
        )
        if m.norm in short and m.type in ("person", "location", "organization")
        else m
        for m in mentions
    ]

"""An extraction as JSON, as it is kept with its chunk; confidences to four digits."""

from __future__ import annotations

import orjson

from tools.knowledge.extraction.protocol import Alias, Extraction, Mention, Relation, Subject


def to_json(extraction: Extraction) -> str:
    """The extraction in few characters: rows in the order of the fields of their types."""
    subject = extraction.subject
    return orjson.dumps(
        {
            "subject": subject and [subject.name, subject.norm, subject.type, round(subject.confidence, 4)],
            "mentions": [
                [m.start, m.end, m.text, m.norm, m.type, round(m.confidence, 4), m.extractor]
                for m in extraction.mentions
            ],
            "relations": [
                [r.head, r.tail, r.type, round(r.confidence, 4), r.start, r.end, r.extractor]
                for r in extraction.relations
            ],
            "aliases": [[a.alias, a.of, a.extractor] for a in extraction.aliases],
        }
    ).decode()


def from_json(text: str) -> Extraction:
    """What `to_json` made. Raises ValueError for anything else that is no JSON."""
    found = orjson.loads(text)
    return Extraction(
        Subject(*found["subject"]) if found["subject"] else None,
        [Mention(*row) for row in found["mentions"]],
        [Relation(*row) for row in found["relations"]],
        [Alias(*row) for row in found["aliases"]],
    )

"""Types are known by both names."""

from __future__ import annotations

from tools.knowledge.extraction.protocol import ENTITY_TYPES, RELATION_TYPES
from tools.knowledge.extraction.types import (
    ENTITY_NAMES_ZH,
    RELATION_NAMES_ZH,
    entity_name,
    entity_type,
    relation_name,
    relation_type,
)


def test_every_type_has_a_chinese_name_of_its_own() -> None:
    assert set(ENTITY_NAMES_ZH) == set(ENTITY_TYPES)
    assert set(RELATION_NAMES_ZH) == set(RELATION_TYPES)
    assert len(set(ENTITY_NAMES_ZH.values())) == 10
    assert len(set(RELATION_NAMES_ZH.values())) == 15


def test_either_name_leads_to_the_type() -> None:
    for kind in ENTITY_TYPES:
        assert entity_type(entity_name(kind, "zh")) == entity_type(entity_name(kind, "en")) == kind
    for relation in RELATION_TYPES:
        assert relation_type(relation_name(relation, "zh")) == relation_type(relation_name(relation, "en")) == relation


def test_a_stranger_is_no_type() -> None:
    assert entity_type("color") is None
    assert relation_type("") is None

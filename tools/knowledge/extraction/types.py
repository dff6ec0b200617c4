"""The kinds of entities and relations, by their names in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tools.knowledge.extraction.protocol import EntityType, RelationType

ENTITY_NAMES_ZH: Mapping[EntityType, str] = {
    "person": "人物",
    "organization": "组织",
    "location": "地点",
    "event": "事件",
    "time": "时间",
    "product": "产品",
    "concept": "概念",
    "process": "流程",
    "metric": "指标",
    "work": "作品",
}
RELATION_NAMES_ZH: Mapping[RelationType, str] = {
    "is_a": "属于",
    "part_of": "部分",
    "contains": "包含",
    "causes": "导致",
    "prevents": "防止",
    "enables": "使能",
    "implements": "实现",
    "uses": "使用",
    "produces": "产生",
    "located_in": "位于",
    "works_for": "任职于",
    "created_by": "创建者",
    "precedes": "先于",
    "compared_with": "对比",
    "related_to": "相关",
}
_ENTITY_BY_NAME: dict[str, EntityType] = {name: kind for kind, zh in ENTITY_NAMES_ZH.items() for name in (kind, zh)}
_RELATION_BY_NAME: dict[str, RelationType] = {
    name: kind for kind, zh in RELATION_NAMES_ZH.items() for name in (kind, zh)
}


def entity_type(name: str) -> EntityType | None:
    """The type called so in either language (case, spaces and hyphens do not matter); None for another name."""
    return _ENTITY_BY_NAME.get(_key(name))


def relation_type(name: str) -> RelationType | None:
    """The type called so in either language (`created by`, `创建者`); None for another name."""
    return _RELATION_BY_NAME.get(_key(name))


def entity_name(kind: EntityType, language: str) -> str:
    """What a reader of `language` calls the type: Chinese for `zh`, English for all others."""
    return ENTITY_NAMES_ZH[kind] if language == "zh" else kind


def relation_name(kind: RelationType, language: Literal["en", "zh"] | str) -> str:
    """What answers in `language` call the relation: its Chinese name for `zh`, else the type's own (`created_by`)."""
    return RELATION_NAMES_ZH[kind] if language == "zh" else kind


def _key(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")

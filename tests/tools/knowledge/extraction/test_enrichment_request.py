from __future__ import annotations

from typing import Any

import orjson
import pytest

from tools.knowledge.extraction.enrichment_request import (
    LONGEST_DESCRIPTION,
    MOST_ITEMS,
    SCHEMA,
    Asked,
    Reading,
    read_answer,
    request_for,
)

TEXT = "Ada Merrow built the harbour of Lowick in 1874. She worked for Merrow & Sons.\nThe pier   was longer then."
CHUNK = Asked(7, "Harbour", "History", TEXT, "en")
ADA = {"name": "Ada Merrow", "type": "person", "description": "She built the harbour."}
LOWICK = {"name": "Lowick", "type": "location", "description": ""}
BUILT = {
    "head": "Ada Merrow",
    "relation": "related_to",
    "tail": "Lowick",
    "quote": "Ada Merrow built the harbour of Lowick in 1874.",
}


def read(entities: Any = (ADA, LOWICK), relations: Any = (BUILT,), **entry: Any) -> Reading:
    answer = {"chunks": [{"id": 1, "entities": list(entities), "relations": list(relations), **entry}]}
    return read_answer(orjson.dumps(answer).decode(), [CHUNK], "llm:m")


def test_what_stands_in_the_text_is_believed() -> None:
    found = read()
    ada, lowick = found.chunks[7].extraction.mentions
    (relation,) = found.chunks[7].extraction.relations
    assert (ada.text, ada.norm, ada.type, ada.extractor) == ("Ada Merrow", "ada merrow", "person", "llm:m")
    assert TEXT[ada.start : ada.end] == "Ada Merrow"
    assert TEXT[lowick.start : lowick.end] == "Lowick"
    assert (relation.head, relation.tail, relation.type) == (0, 1, "related_to")
    assert TEXT[relation.start : relation.end] == BUILT["quote"]
    assert found.chunks[7].descriptions == {"ada merrow": "She built the harbour."}
    assert not sum(found.dropped.values())


@pytest.mark.parametrize(
    ("entity", "reason"),
    [
        ({**LOWICK, "name": "Atlantis"}, "name_not_in_text"),
        ({**LOWICK, "name": "Low"}, "name_not_in_text"),
        ({**LOWICK, "name": "lowick"}, "name_not_in_text"),
        ({**LOWICK, "name": ""}, "name_not_in_text"),
        ({**LOWICK, "name": "."}, "name_not_in_text"),
        ({**LOWICK, "type": "wizard"}, "unknown_type"),
        ({**LOWICK, "type": None}, "malformed"),
        ({**LOWICK, "name": ["Lowick"]}, "malformed"),
        ("Lowick", "malformed"),
        ({**LOWICK, "name": "harbour of Lowick in 1874"}, "overlaps"),
    ],
)
def test_an_entity_that_does_not_hold_is_dropped_and_counted(entity: Any, reason: str) -> None:
    both = [ADA, LOWICK, entity] if reason == "overlaps" else [ADA, entity]
    found = read(both, [])
    assert len(found.chunks[7].extraction.mentions) == len(both) - 1
    assert found.dropped[reason] == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quote": "Ada Merrow burnt the harbour of Lowick."}, "quote_not_in_text"),
        ({"quote": "Ada Merrow built the harbour"}, "name_not_in_quote"),
        ({"relation": "married_to"}, "unknown_type"),
        ({"relation": 3}, "malformed"),
        ({"quote": ""}, "malformed"),
        ({"tail": "1874"}, "names_no_entities"),
        ({"tail": "Ada Merrow"}, "names_no_entities"),
        ({"tail": "London"}, "name_not_in_quote"),
    ],
)
def test_a_relation_that_does_not_hold_is_dropped_and_counted(change: dict[str, Any], reason: str) -> None:
    found = read(relations=[BUILT, {**BUILT, **change}])
    assert len(found.chunks[7].extraction.relations) == 1
    assert found.dropped[reason] == 1


def test_types_are_known_in_chinese_too() -> None:
    found = read([{**ADA, "type": "人物"}, LOWICK], [{**BUILT, "relation": "位于"}])
    assert found.chunks[7].extraction.mentions[0].type == "person"
    assert found.chunks[7].extraction.relations[0].type == "located_in"


def test_a_quote_may_be_wrapped_otherwise() -> None:
    quote = "She worked for Merrow & Sons. The pier was longer then."
    sons = {"name": "Merrow & Sons", "type": "organization", "description": ""}
    pier = {"name": "pier", "type": "concept", "description": ""}
    (relation,) = (
        read([sons, pier], [{**BUILT, "head": "Merrow & Sons", "tail": "pier", "quote": quote}])
        .chunks[7]
        .extraction.relations
    )
    assert TEXT[relation.start : relation.end].split() == quote.split()


def test_a_latin_name_is_found_beside_han_characters() -> None:
    chunk = Asked(1, "", "", "我们用Python写程序，龙井茶产于杭州。", "zh")
    entities = [{"name": n, "type": "product", "description": ""} for n in ("Python", "龙井茶", "Pyth")]
    answer = orjson.dumps({"chunks": [{"id": 1, "entities": entities, "relations": []}]}).decode()
    found = read_answer(answer, [chunk], "llm:m")
    assert [mention.text for mention in found.chunks[1].extraction.mentions] == ["Python", "龙井茶"]


def test_a_name_is_a_mention_once() -> None:
    assert len(read([ADA, ADA, {**ADA, "type": "organization"}]).chunks[7].extraction.mentions) == 2 - 1


def test_too_many_items_are_cut_off() -> None:
    found = read([ADA] * (MOST_ITEMS + 5), [BUILT] * (MOST_ITEMS + 2))
    assert found.dropped["too_many"] == 7
    assert len(found.chunks[7].extraction.relations) == 0  # Lowick is no entity here


def test_an_endless_description_is_left_out() -> None:
    assert read([{**ADA, "description": "x" * (LONGEST_DESCRIPTION + 1)}], []).chunks[7].descriptions == {}


@pytest.mark.parametrize("entry", [{"id": 2}, {"id": 0}, {"id": "1"}, {"id": True}, {"id": None}])
def test_an_unknown_chunk_is_dropped(entry: dict[str, Any]) -> None:
    found = read(**entry)
    assert not found.chunks
    assert found.dropped["unknown_chunk"] == 1


@pytest.mark.parametrize("entry", [{"entities": "none"}, {"relations": {"a": 1}}])
def test_lists_that_are_none_are_dropped(entry: dict[str, Any]) -> None:
    answer = orjson.dumps({"chunks": [{"id": 1, "entities": [], "relations": [], **entry}]}).decode()
    assert read_answer(answer, [CHUNK], "llm:m").dropped["malformed"] == 1


@pytest.mark.parametrize(
    "answer", ["", "no", "{", "[]", '{"chunks": 3}', '{"chunks": [{"id": 1,', "{}", "{'a': 1}", "}{"]
)
def test_an_answer_that_is_no_json_of_that_kind_is_of_no_use(answer: str) -> None:
    with pytest.raises(ValueError):
        read_answer(answer, [CHUNK], "llm:m")


@pytest.mark.parametrize("around", ["```json\n{}\n```", "Here you are:\n{}\nGood luck!", "{}"])
def test_words_and_fences_around_the_json_do_no_harm(around: str) -> None:
    answer = orjson.dumps({"chunks": [{"id": 1, "entities": [ADA], "relations": []}]}).decode()
    assert read_answer(around.replace("{}", answer), [CHUNK], "llm:m").chunks


def test_the_request_holds_the_texts_as_data_and_the_schema() -> None:
    request = request_for([CHUNK], with_schema=True)
    assert orjson.loads(request.message)["passages"][0]["text"] == TEXT
    assert request.json_schema == SCHEMA
    assert request.language == "en"
    assert request_for([CHUNK], with_schema=False).json_schema is None
    assert request_for([Asked(1, "", "", "龙井茶", "zh")], with_schema=True).language == "zh"

from __future__ import annotations

from tools.knowledge.extraction.enrichment_merge import merged
from tools.knowledge.extraction.protocol import Alias, EntityType, Extraction, Mention, Relation, Subject


def mention(
    start: int, text: str, type_: EntityType = "person", confidence: float = 0.6, extractor: str = "own"
) -> Mention:
    return Mention(start, start + len(text), text, text.lower(), type_, confidence, extractor)


def added(start: int, text: str, type_: EntityType = "person", confidence: float = 0.8) -> Mention:
    return mention(start, text, type_, confidence, "llm:m")


OWN = Extraction(
    Subject("Harbour", "harbour", None, 0.5),
    [mention(0, "Ada"), mention(20, "Lowick", "location", 0.9)],
    [Relation(0, 1, "located_in", 0.7, 0, 30, "own")],
    [Alias("ada", "ada merrow", "own")],
)


def test_nothing_of_our_own_is_lost() -> None:
    both = merged(OWN, Extraction(None, [added(8, "Bo")], []))
    assert [m.text for m in both.mentions] == ["Ada", "Bo", "Lowick"]
    (relation,) = both.relations
    assert (both.mentions[relation.head].text, both.mentions[relation.tail].text) == ("Ada", "Lowick")
    assert both.subject == OWN.subject
    assert both.aliases == OWN.aliases


def test_relations_of_the_model_join_their_own_names() -> None:
    more = Extraction(None, [added(0, "Ada"), added(8, "Bo")], [Relation(1, 0, "works_for", 0.8, 0, 30, "llm:m")])
    both = merged(OWN, more)
    relation = both.relations[-1]
    assert (both.mentions[relation.head].text, both.mentions[relation.tail].text) == ("Bo", "Ada")
    assert relation.extractor == "llm:m"


def test_a_surer_type_counts() -> None:
    more = Extraction(None, [added(0, "Ada", "organization"), added(20, "Lowick", "organization")])
    ada, lowick = merged(OWN, more).mentions
    assert (ada.type, ada.extractor) == ("organization", "llm:m")
    assert (lowick.type, lowick.extractor) == ("location", "own")


def test_a_mention_that_meets_ours_gives_way_and_lends_its_relations() -> None:
    more = Extraction(
        None, [added(0, "Ada Merrow"), added(20, "Lowick")], [Relation(0, 1, "related_to", 0.8, 0, 30, "llm:m")]
    )
    both = merged(OWN, more)
    assert [m.text for m in both.mentions] == ["Ada", "Lowick"]
    assert [(both.mentions[r.head].text, both.mentions[r.tail].text) for r in both.relations] == [("Ada", "Lowick")] * 2


def test_a_relation_that_would_join_a_name_to_itself_is_left_out() -> None:
    own = Extraction(None, [mention(0, "Ada Merrow & Sons")])
    more = Extraction(
        None, [added(0, "Ada Merrow"), added(13, "Sons")], [Relation(0, 1, "works_for", 0.8, 0, 9, "llm:m")]
    )
    assert merged(own, more).relations == []


def test_mentions_never_overlap() -> None:
    more = Extraction(None, [added(start, "xxxx") for start in range(0, 40, 5)])
    both = merged(OWN, more)
    assert all(one.end <= other.start for one, other in zip(both.mentions, both.mentions[1:], strict=False))


def test_without_anything_of_one_there_is_the_other() -> None:
    assert merged(OWN, Extraction(None, [], [], [])) == OWN
    more = Extraction(None, [added(0, "Ada"), added(9, "Bo")], [Relation(0, 1, "works_for", 0.8, 0, 9, "llm:m")], [])
    assert merged(Extraction(), more) == more

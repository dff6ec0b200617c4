"""Relations between the mentions of a passage."""

import json
import random
import time
from pathlib import Path

import numpy as np
import pytest

from tools.errors import NotAvailable
from tools.knowledge.extraction.artefact import FOLDER
from tools.knowledge.extraction.labelled import parse_line
from tools.knowledge.extraction.protocol import RELATION_TYPES, Mention
from tools.knowledge.extraction.relations import candidates, find_relations, pairs_of, sentence_views
from tools.knowledge.extraction.relations_features import PairFeatures
from tools.knowledge.extraction.relations_lexicon import open_lexicon
from tools.knowledge.extraction.relations_model import Weights, load_weights, save_weights
from tools.knowledge.extraction.relations_sentence import Spot, view_sentence

PLAIN = {
    "en": [
        "[Alma Reyes|person] founded [Quillwork|organization] in [Lima|location]. ;; 2 created_by 1",
        "[Quillwork|organization] was founded by [Alma Reyes|person]. ;; 1 created_by 2",
        "[Ibuprofen|product] relieves [back pain|concept]. ;; 1 prevents 2",
        "[Smoking|concept] causes [lung cancer|concept]. ;; 1 causes 2",
        "[Lung cancer|concept] is often caused by [smoking|concept]. ;; 2 causes 1",
        "[Python|product] is a [programming language|concept]. ;; 1 is_a 2",
        "[Omar Haddad|person] works for [Borealis Bank|organization]. ;; 1 works_for 2",
        "[Unit testing|process] comes before [integration testing|process]. ;; 1 precedes 2",
        "The [toolkit|product] contains a [wrench|product]. ;; 1 contains 2",
    ],
    "zh": [
        "[林晓燕|person]创立了[青禾科技|organization]。 ;; 2 created_by 1",
        "[青禾科技|organization]由[林晓燕|person]创立。 ;; 1 created_by 2",
        "[吸烟|concept]会导致[肺癌|concept]。 ;; 1 causes 2",
        "[阿司匹林|product]可以预防[血栓|concept]。 ;; 1 prevents 2",
        "[Python|product]是一种[编程语言|concept]。 ;; 1 is_a 2",
        "[青禾科技|organization]总部位于[杭州|location]。 ;; 1 located_in 2",
        "[陈建国|person]毕业于[南江大学|organization]。 ;; 1 works_for 2",
        "[需求评审|process]先于[编码|process]。 ;; 1 precedes 2",
    ],
}


def mention(text: str, start: int, end: int, kind: str, confidence: float = 1.0) -> Mention:
    return Mention(start, end, text[start:end], text[start:end].lower(), kind, confidence, "test")  # type: ignore[arg-type]


def read(line: str, confidence: float = 1.0):
    sentence = parse_line(line)
    return sentence, [mention(sentence.text, e.start, e.end, e.type, confidence) for e in sentence.entities]


@pytest.mark.parametrize(("language", "line"), [(language, line) for language in PLAIN for line in PLAIN[language]])
def test_plain_wordings_are_read_the_right_way_round(language, line):
    sentence, mentions = read(line)
    wanted = sentence.relations[0]
    found = {(r.head, r.type, r.tail): r.confidence for r in find_relations(sentence.text, mentions, language)}
    assert found.get((wanted.head, wanted.type, wanted.tail), 0) > 0.5


def test_each_member_of_a_list_has_the_relation():
    sentence, mentions = read("The [kit|product] includes a [saw|product], a [drill|product] and a [level|product].")
    found = {(r.head, r.tail) for r in find_relations(sentence.text, mentions, "en") if r.type == "contains"}
    assert {(0, 1), (0, 2), (0, 3)} <= found


def test_entities_of_different_sentences_are_never_related():
    sentence, mentions = read("[Alma Reyes|person] founded it. [Quillwork|organization] is in [Lima|location].")
    found = find_relations(sentence.text, mentions, "en")
    assert found
    assert all({r.head, r.tail} == {1, 2} for r in found)


def test_a_relation_names_its_sentence():
    text = "It rained all day. "
    sentence, mentions = read(
        "It rained all day. [Oslo|location] is the capital of [Norway|location]. The end came soon."
    )
    found = find_relations(sentence.text, mentions, "en")
    assert [sentence.text[r.start : r.end] for r in found] == ["Oslo is the capital of Norway."]
    assert found[0].start == len(text)


def test_an_entity_that_holds_a_full_stop_does_not_end_its_sentence():
    text = "The film Who Is There? Nobody was directed by Ana Ruiz in Bilbao."
    mentions = [mention(text, 9, 29, "work"), mention(text, 46, 54, "person")]
    assert [(r.head, r.type, r.tail) for r in find_relations(text, mentions, "en")] == [(0, "created_by", 1)]


def test_unsure_mentions_make_unsure_relations():
    line = PLAIN["en"][1]
    sentence, sure = read(line)
    _, unsure = read(line, confidence=0.4)
    first = max(r.confidence for r in find_relations(sentence.text, sure, "en"))
    second = max((r.confidence for r in find_relations(sentence.text, unsure, "en")), default=0.0)
    assert second < 0.9 * first


def test_nothing_is_related_where_nothing_is_said():
    sentence, mentions = read("[Oslo|location], [May|time], [Ana Ruiz|person]; [rain|concept].")
    assert all(r.confidence < 0.5 for r in find_relations(sentence.text, mentions, "en"))


@pytest.mark.parametrize("mentions", [[], [mention("Oslo", 0, 4, "location")]])
def test_fewer_than_two_mentions_have_no_relation(mentions):
    assert list(find_relations("Oslo", mentions, "en")) == []


@pytest.mark.parametrize("language", ["en", "zh", "fr"])
def test_any_text_and_any_spans_give_valid_relations(language):
    rng = random.Random(7)
    signs = "ab 是在由,.。;A9\n\t'\"\U0001f600\u202e"
    for _ in range(200):
        text = "".join(rng.choices(signs, k=rng.randrange(1, 80)))
        edges = sorted(rng.sample(range(len(text) + 1), k=min(len(text) // 2 * 2, rng.randrange(0, 14, 2))))
        spans = zip(edges[::2], edges[1::2], strict=True)
        mentions = [mention(text, start, end, rng.choice(["person", "concept"])) for start, end in spans]
        for relation in find_relations(text, mentions, language):
            assert relation.type in RELATION_TYPES
            assert 0 <= relation.confidence <= 1
            assert relation.head != relation.tail
            for place in (relation.head, relation.tail):
                assert relation.start <= mentions[place].start <= mentions[place].end <= relation.end


def test_a_sentence_of_a_thousand_entities_is_read_in_bounded_time():
    text = "Ana met Bo and " * 1_000
    mentions = [mention(text, at, at + 3, "person") for at in range(0, len(text), 15)]
    begun = time.process_time()
    find_relations(text, mentions, "en")
    assert time.process_time() - begun < 3


def test_pairs_of_a_crowded_sentence_are_the_nearest():
    assert len(list(pairs_of(8))) == 28
    assert all(other - one <= 4 for one, other in pairs_of(9))
    assert len(list(pairs_of(1_000))) < 4_000


@pytest.mark.parametrize("language", ["en", "zh"])
def test_rows_at_run_time_are_the_features_of_training(language):
    weights = load_weights(FOLDER / f"relations-{language}")
    lexicon = open_lexicon(language)
    sentence, mentions = read(PLAIN[language][0])
    spots = [Spot(m.start, m.end, m.type) for m in mentions]
    view = view_sentence(sentence.text, 0, len(sentence.text), spots, lexicon)
    named = PairFeatures(view, lexicon).of(0, 1)
    found = candidates(sentence.text, spots, weights, lexicon)
    assert set(found.features[0]) == {weights.vocabulary[name] for name in named if name in weights.vocabulary}


def test_sentence_views_hold_every_entity_once():
    lexicon = open_lexicon("en")
    sentence, mentions = read(
        "[Ana|person] met [Bo|person]. [Cleo|person] left. [Dan|person] saw [Eve|person] and [Finn|person]."
    )
    spots = [Spot(m.start, m.end, m.type) for m in mentions]
    assert [(first, len(view.spots)) for first, view, _, _ in sentence_views(sentence.text, spots, lexicon)] == [
        (0, 2),
        (3, 3),
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_shipped_classifier_is_small_and_knows_all_types(language):
    folder = FOLDER / f"relations-{language}"
    weights = load_weights(folder)
    assert {name.rstrip("<>=") for name in weights.classes} == {"none", *RELATION_TYPES}
    assert (folder / "weights.npz").stat().st_size < 3 * 2**20


def test_saved_weights_come_back_and_equal_weights_give_equal_bytes(tmp_path: Path):
    matrix = np.array([[1.0, -2.0], [0.5, 0.25]], dtype=np.float32)
    weights = Weights(("none", "is_a>"), {"a": 0, "b": 1}, matrix, np.zeros(2, dtype=np.float32), {"name": "x"})
    save_weights(tmp_path / "one", weights)
    save_weights(tmp_path / "two", weights)
    again = load_weights(tmp_path / "one")
    assert np.abs(again.matrix - matrix).max() < 2 / 127
    assert again.vocabulary == weights.vocabulary
    assert (tmp_path / "one/weights.npz").read_bytes() == (tmp_path / "two/weights.npz").read_bytes()


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path: Path):
    weights = Weights(("none",), {"a": 0}, np.ones((1, 1), dtype=np.float32), np.zeros(1, dtype=np.float32))
    save_weights(tmp_path, weights)
    card = json.loads((tmp_path / "card.json").read_text())
    card["files"]["weights.npz"]["sha256"] = "0" * 64
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(NotAvailable):
        load_weights(tmp_path)
    with pytest.raises(NotAvailable):
        load_weights(tmp_path / "nowhere")

"""Public relation sets read as marked pairs."""

import pytest

from evals.relation_sets import causal_spans, crossre, named_pairs, semeval


def words(pair):
    return [pair.text[spot.start : spot.end] for spot in pair.spots]


def test_semeval_tags_come_off_and_the_direction_stays():
    row = {
        "id": "1",
        "text": "The <e1>company</e1> makes plastic <e2>chairs</e2>.",
        "relation": "Product-Producer(e2,e1)",
    }
    (pair,) = semeval([row])
    assert pair.text == "The company makes plastic chairs."
    assert (words(pair), pair.label, pair.turned) == (["company", "chairs"], "Product-Producer", True)


def test_named_pairs_are_found_where_they_stand_nearest():
    row = {"id": "1", "text": "他说花，她又说花和叶", "head": "叶", "tail": "花", "relation": "Near"}
    (pair,) = named_pairs([row])
    assert words(pair) == ["花", "叶"]
    assert pair.spots[0].start == 7
    assert pair.turned


@pytest.mark.parametrize(
    ("head", "tail", "left"), [("他", "他的助手", ["他", "的助手"]), ("助手", "他的助手", ["他的", "助手"])]
)
def test_of_a_name_within_another_the_rest_is_the_other(head, tail, left):
    (pair,) = named_pairs([{"id": "1", "text": "恰见他的助手", "head": head, "tail": tail, "relation": "Social"}])
    assert words(pair) == left


def test_a_name_that_is_not_there_gives_no_pair():
    assert list(named_pairs([{"id": "1", "text": "恰见他", "head": "花", "tail": "他", "relation": "Near"}])) == []


def test_causal_arguments_keep_their_roles():
    tagged = "['<ARG1>The town flooded</ARG1> when <SIG0>heavy</SIG0> <ARG0>rain fell</ARG0> .']"
    (pair,) = causal_spans([{"id": "1", "tagged": tagged}])
    assert pair.text == "The town flooded when heavy rain fell ."
    assert words(pair) == ["The town flooded", "rain fell"]
    assert pair.turned


def test_crossre_pairs_stand_among_the_other_entities():
    row = {
        "id": "1",
        "tokens": ["Ada", "wrote", "it", "in", "Rome", "and", "Oslo", "."],
        "entities": [
            {"type": "writer", "start": 0, "end": 1},
            {"type": "city", "start": 4, "end": 5},
            {"type": "city", "start": 6, "end": 7},
        ],
        "relations": [{"type": "physical", "head": [6, 7], "tail": [0, 1]}],
    }
    (pair,) = crossre([row])
    assert (words(pair), pair.label, pair.turned) == (["Ada", "Oslo"], "physical", True)
    assert [pair.text[spot.start : spot.end] for spot in pair.others] == ["Rome"]

from __future__ import annotations

from tools.emotion.labels import DYADS, EKMAN, LABELS, NEUTRAL, OF_EKMAN, OF_PLUTCHIK, OF_SENTIMENT, PLUTCHIK, TABLE


def test_there_are_28_labels_in_their_published_order() -> None:
    assert len(LABELS) == len(set(LABELS)) == 28
    assert list(LABELS[:-1]) == sorted(LABELS[:-1])
    assert LABELS[NEUTRAL] == "neutral"


def test_every_label_has_one_sentiment_and_one_family() -> None:
    assert (OF_SENTIMENT.sum(axis=1) == 1).all()
    assert (OF_EKMAN.sum(axis=1) == 1).all()
    assert OF_PLUTCHIK.any(axis=1).all()


def test_the_families_are_as_large_as_in_the_paper() -> None:
    sizes = dict(zip(EKMAN, OF_EKMAN.sum(axis=0).tolist(), strict=True))
    assert sizes == {"anger": 3, "disgust": 1, "fear": 2, "joy": 12, "sadness": 5, "surprise": 4, "neutral": 1}
    assert OF_SENTIMENT.sum(axis=0).tolist() == [12, 11, 4, 1]


def test_a_label_that_bears_a_dyads_name_is_made_of_its_parts() -> None:
    for label in TABLE:
        if label.name in DYADS:
            assert set(label.plutchik) == set(DYADS[label.name])


def test_dyads_join_neighbours_on_the_wheel() -> None:
    wheel = PLUTCHIK[:4] + PLUTCHIK[4:8]
    assert wheel == ("joy", "trust", "fear", "surprise", "sadness", "disgust", "anger", "anticipation")
    for first, second in DYADS.values():
        assert abs(wheel.index(first) - wheel.index(second)) in {1, 7}


def test_pleasant_labels_have_a_positive_valence() -> None:
    for label in TABLE:
        assert -1 <= label.valence <= 1
        assert 0 <= label.arousal <= 1
        assert {"positive": label.valence > 0, "negative": label.valence < 0}.get(label.sentiment, True)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools.emotion.labels import LABELS
from tools.emotion.sarcasm import load_sarcasm
from tools.errors import NotAvailable


def test_sarcastic_tweets_are_rated_higher_on_average() -> None:
    """Not each of them: it is a weak sign."""
    pairs = [
        ("Oh great, another Monday. Just what I needed", "The meeting is on Monday at nine"),
        ("i just love being ignored all day", "i love my sister and her dog"),
        ("Wow I'm shocked, the train is late again", "The train was late today"),
        ("thanks for nothing, mate", "thanks for the help, mate"),
        ("Yeah because that worked so well last time", "It worked well last time"),
    ]
    neutral = np.full((1, len(LABELS)), 0.02, dtype=np.float32)
    detector = load_sarcasm()
    sarcastic, plain = zip(*pairs, strict=True)
    rows = np.repeat(neutral, len(pairs), axis=0)
    assert detector.probabilities(sarcastic, rows).mean() > detector.probabilities(plain, rows).mean() + 0.02


def test_any_text_has_a_probability() -> None:
    texts = ["", " ", "\u200b", "😀", "x" * 100_000, "真是太棒了"]
    found = load_sarcasm().probabilities(texts, np.full((len(texts), len(LABELS)), 0.5, dtype=np.float32))
    assert found.shape == (len(texts),)
    assert ((found >= 0) & (found <= 1)).all()


def test_a_folder_without_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="sarcasm model"):
        load_sarcasm(tmp_path)

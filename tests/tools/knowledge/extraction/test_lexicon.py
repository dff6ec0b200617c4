"""Words are found wherever they stand, and strangers are not."""

from __future__ import annotations

import numpy as np

from tools.knowledge.extraction.lexicon import build_lexicon, codes_of


def test_words_are_found_in_place_with_their_kind() -> None:
    lexicon = build_lexicon({"北京": 2, "北京市": 3, "京剧": 9})
    kinds, _ = lexicon.matches(codes_of("我在北京市看京剧"), 2)
    assert kinds.tolist() == [0, 0, 2, 0, 0, 0, 9]
    assert lexicon.matches(codes_of("我在北京市看京剧"), 3)[0].tolist() == [0, 0, 3, 0, 0, 0]


def test_of_random_strangers_none_is_a_word() -> None:
    rng = np.random.default_rng(1)
    words = {"".join(map(chr, rng.integers(0x4E00, 0x9FFF, 3))): 1 for _ in range(2000)}
    lexicon = build_lexicon(words)
    text = "".join(map(chr, rng.integers(0x4E00, 0x9FFF, 20_000)))
    kinds, _ = lexicon.matches(codes_of(text), 3)
    assert int((kinds > 0).sum()) == sum(text[at : at + 3] in words for at in range(len(text) - 2))


def test_an_empty_text_and_an_empty_lexicon_match_nothing() -> None:
    assert len(build_lexicon({"北京": 1}).matches(codes_of("北"), 2)[0]) == 0
    assert build_lexicon({}).matches(codes_of("北京"), 2)[0].tolist() == [0]

"""Trained weights in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools.errors import NotAvailable
from tools.models.packed import CARD, WEIGHTS, load_packed, packed_words, save_packed, unpacked_words


def test_what_was_saved_is_loaded_and_equal_arrays_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_packed(tmp_path / name, {"matrix": np.arange(6).reshape(2, 3)}, {"what": "a test"})
    arrays, card = load_packed(tmp_path / "one", "test")
    assert arrays["matrix"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert card["what"] == "a test"
    assert (tmp_path / "one" / WEIGHTS).read_bytes() == (tmp_path / "two" / WEIGHTS).read_bytes()


@pytest.mark.parametrize("card", [None, b"", b"[]", b"{}", b'{"files": 3}', b"\xff", b'{"files": {"weights.npz": {}}}'])
def test_a_folder_without_a_card_that_fits_is_not_available(tmp_path: Path, card: bytes | None) -> None:
    save_packed(tmp_path, {"matrix": np.zeros(3)}, {})
    if card is None:
        (tmp_path / CARD).unlink()
    else:
        (tmp_path / CARD).write_bytes(card)
    with pytest.raises(NotAvailable):
        load_packed(tmp_path, "test")


def test_weights_that_were_changed_are_not_available(tmp_path: Path) -> None:
    save_packed(tmp_path, {"matrix": np.zeros(3)}, {})
    content = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(content[:-1] + b"x")
    with pytest.raises(NotAvailable, match="published"):
        load_packed(tmp_path, "test")


def test_words_survive_as_an_array() -> None:
    assert unpacked_words(packed_words("plain 与 中文\n")) == "plain 与 中文\n"

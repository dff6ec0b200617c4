from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from evals.data import MissingData, questions_of, rows

LINES = '{"n": 1}\n\n{"n": 2, "text": "知音"}\n'.encode()
ROWS = [{"n": 1}, {"n": 2, "text": "知音"}]


def test_rows_are_read_plain_or_gzipped(tmp_path: Path) -> None:
    (tmp_path / "plain.jsonl").write_bytes(LINES)
    (tmp_path / "zipped.jsonl.gz").write_bytes(gzip.compress(LINES))
    assert rows(tmp_path, "plain") == rows(tmp_path, "zipped") == ROWS


@pytest.mark.parametrize("half", ["open", "held"])
@pytest.mark.parametrize("prefix", ["", "questions_1k_"])
def test_questions_are_those_of_the_half_that_is_there(tmp_path: Path, half: str, prefix: str) -> None:
    (tmp_path / f"{prefix}{half}.jsonl.gz").write_bytes(gzip.compress(LINES))
    assert questions_of(tmp_path, prefix) == ROWS


def test_of_two_halves_the_open_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "open.jsonl").write_bytes(LINES)
    (tmp_path / "held.jsonl").write_bytes(b'{"n": 3}\n')
    assert questions_of(tmp_path) == ROWS


def test_a_set_that_is_not_there_ends_with_a_message_that_says_what_to_do(tmp_path: Path) -> None:
    for read in (lambda: rows(tmp_path, "corpus"), lambda: questions_of(tmp_path)):
        with pytest.raises(MissingData) as failure:
            read()
        assert str(tmp_path) in str(failure.value)
        assert "--data" in str(failure.value)
        assert isinstance(failure.value, SystemExit)

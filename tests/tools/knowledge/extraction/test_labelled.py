"""Labelled lines are read as they are meant, and refused when they are not of the format."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.knowledge.extraction.labelled import parse_line, read_labelled


def test_entities_and_relations_come_out_in_place() -> None:
    found = parse_line("In [1999|time], [Jack Ma|person] founded [Alibaba|organization]. ;; 3 created_by 2")
    assert found.text == "In 1999, Jack Ma founded Alibaba."
    assert [(found.text[e.start : e.end], e.type) for e in found.entities] == [
        ("1999", "time"),
        ("Jack Ma", "person"),
        ("Alibaba", "organization"),
    ]
    assert [(r.head, r.tail, r.type) for r in found.relations] == [(2, 1, "created_by")]


@pytest.mark.parametrize(
    "line", ["[A|colour] is.", "[A|person] is. ;; 1 knows 1", "[A|person] is. ;; 1 is_a 2", "[A|person] is ] here."]
)
def test_a_line_out_of_format_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_line(line)


def test_comments_are_no_sentences_and_errors_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "set.txt"
    path.write_text("# about\n\nNothing here.\n[A|person|x] b\n", encoding="utf-8")
    with pytest.raises(ValueError, match="Line 4"):
        read_labelled(path)

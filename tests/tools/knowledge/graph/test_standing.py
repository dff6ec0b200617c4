"""What a graph quotes is shown where it stands now, or not at all."""

from __future__ import annotations

import pytest

from tools.knowledge.graph.standing import name_place, sentence_of, sentence_place
from tools.stores.graph_protocol import GraphEvidence, GraphMention
from tools.stores.knowledge_protocol import StoredChunk

TEXT = "Tarn Bay is a village. Ada Merrow was born in Tarn Bay."
SAID = "Ada Merrow was born in Tarn Bay."


@pytest.fixture
def chunk() -> StoredChunk:
    """As the graph knows it: at 100 in its document."""
    return StoredChunk(1, "c", "doc", "d", "Title", "", None, 100, 100 + len(TEXT), TEXT, "en")


EVIDENCE = GraphEvidence(1, "ada merrow", "located_in", "tarn bay", 0.9, SAID, 123, 155, "x")
MENTION = GraphMention(1, "ada merrow", "Ada Merrow", "person", 0.9, 123, 133, 123, 155, "x")


def test_what_stands_where_the_graph_says_is_taken_from_there(chunk: StoredChunk) -> None:
    assert sentence_place(chunk, EVIDENCE) == sentence_of(chunk, MENTION) == (123, 155)
    assert name_place(chunk, MENTION) == (123, 133)
    assert chunk.quote(123, 155) == SAID


def test_a_chunk_that_moved_is_quoted_where_it_is_now(chunk: StoredChunk) -> None:
    moved = chunk._replace(start=110, end=110 + len(TEXT))
    assert sentence_place(moved, EVIDENCE) == (133, 165)
    assert moved.quote(133, 165) == SAID
    assert name_place(moved, MENTION) == (133, 143)


def test_a_sentence_known_by_its_place_alone_is_not_guessed_in_a_chunk_that_moved(chunk: StoredChunk) -> None:
    assert sentence_of(chunk._replace(start=110, end=110 + len(TEXT)), MENTION) is None


def test_what_the_chunk_no_longer_says_stands_nowhere(chunk: StoredChunk) -> None:
    other = chunk._replace(text="x" * len(TEXT))
    assert sentence_place(other, EVIDENCE) is None
    assert name_place(other, MENTION) is None
    assert sentence_of(other, MENTION) is None

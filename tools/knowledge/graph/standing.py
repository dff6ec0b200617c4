"""Whether what a graph quotes still stands where the graph says it does.

A document that is uploaded anew keeps the chunks that have not changed, but they may stand elsewhere in it; until the
graph has followed, its places are the old ones.
"""

from __future__ import annotations

from tools.stores.graph_protocol import GraphEvidence, GraphMention
from tools.stores.knowledge_protocol import StoredChunk


def sentence_place(chunk: StoredChunk, row: GraphEvidence) -> tuple[int, int] | None:
    """Where the row's sentence stands in the document now, (start, end); None when the chunk no longer says it."""
    return _place(chunk, row.sentence, row.sentence_start, row.sentence_end)


def name_place(chunk: StoredChunk, row: GraphMention) -> tuple[int, int] | None:
    """Where the mentioned name stands in the document now, (start, end); None when the chunk no longer has it."""
    return _place(chunk, row.name, row.start, row.end)


def sentence_of(chunk: StoredChunk, row: GraphMention) -> tuple[int, int] | None:
    """Where the sentence that mentions the name stands, (start, end); None when the chunk has moved or changed.

    Which sentence it was is known by its place alone, so it is not looked for elsewhere.
    """
    there = row.sentence_start <= row.start and chunk.quote(row.start, row.end) == row.name
    return (row.sentence_start, row.sentence_end) if there else None


def _place(chunk: StoredChunk, text: str, start: int, end: int) -> tuple[int, int] | None:
    if text and chunk.quote(start, end) == text:
        return start, end
    found = chunk.text.find(text) if text else -1
    return (chunk.start + found, chunk.start + found + len(text)) if found >= 0 else None

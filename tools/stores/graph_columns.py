"""A whole graph as numpy columns, put together from the rows of either backend without keeping a tuple of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tools.stores.graph_protocol import GraphEntity, GraphRows

Kind = Literal["number", "confidence", "text"]
Ints = NDArray[np.int64]


class Columns:
    """Rows taken in batch by batch, kept by column; texts as numbers of the distinct ones."""

    def __init__(self, *kinds: Kind) -> None:
        self._kinds = kinds
        self._parts: list[list[NDArray[Any]]] = [[] for _ in kinds]
        self._codes: list[dict[str, int]] = [{} for _ in kinds]

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take in a batch of rows, each as long as there are columns."""
        for place, values in enumerate(zip(*rows, strict=True)):
            self._parts[place].append(self._array(place, values))

    def numbers(self, place: int) -> Ints:
        """A column of numbers (n,)."""
        return self._column(place, np.int64)

    def confidences(self, place: int) -> NDArray[np.float32]:
        """A column of confidences (n,)."""
        return self._column(place, np.float32)

    def texts(self, place: int, among: Iterable[str] = ()) -> tuple[list[str], Ints]:
        """A column of texts: the distinct ones, and those of `among`, in order, and the place of each row's (n,)."""
        codes = self._codes[place]
        texts = sorted({*codes, *among})
        places = {text: place for place, text in enumerate(texts)}
        new = np.fromiter((places[text] for text in codes), dtype=np.int64, count=len(codes))
        column = self._column(place, np.int64)
        return texts, new[column] if len(column) else column

    def _array(self, place: int, values: Sequence[Any]) -> NDArray[Any]:
        match self._kinds[place]:
            case "number":
                return np.array(values, dtype=np.int64)
            case "confidence":
                return np.array(values, dtype=np.float32)
            case "text":
                codes = self._codes[place]
                return np.array([codes.setdefault(text, len(codes)) for text in values], dtype=np.int64)

    def _column(self, place: int, dtype: Any) -> NDArray[Any]:
        parts = self._parts[place]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


def numbers_column(batches: Iterable[Sequence[Sequence[int]]]) -> Ints:
    """Rows of one number each as a column (n,), several times as fast as by `Columns`."""
    parts = [np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=len(rows)) for rows in batches]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def graph_rows(
    version: int,
    entities: Sequence[GraphEntity],
    ids: Ints,
    documents: Iterable[str],
    chunks: Columns,
    mentions: tuple[Ints, Ints],
    edges: Columns,
) -> GraphRows:
    """The graph whose columns name entities by `ids`, those of `entities` in their order.

    Columns: of chunks position, subject (0 without) and document; of mentions positions and entities (m,), pairs
    distinct; of edges head, tail, relation and confidence. Rows may come in any order.
    """
    order = np.argsort(ids)
    known = ids[order]
    positions = chunks.numbers(0)
    in_order = np.argsort(positions)
    positions = positions[in_order]
    titles, owners = chunks.texts(2, documents)
    subjects = chunks.numbers(1)[in_order]
    about = np.full(len(subjects), -1, dtype=np.int32)
    about[subjects != 0] = order[np.searchsorted(known, subjects[subjects != 0])]
    # One number a pair: sorting numbers is several times as fast as sorting by two keys.
    size = max(len(entities), 1)
    pairs = np.searchsorted(positions, mentions[0]) * size + order[np.searchsorted(known, mentions[1])]
    pairs.sort()
    relations, kinds = edges.texts(2)
    heads, tails = (order[np.searchsorted(known, edges.numbers(place))] for place in (0, 1))
    by_place = np.lexsort((tails, kinds, heads))
    return GraphRows(
        version,
        entities,
        positions,
        titles,
        owners[in_order].astype(np.int32),
        about,
        (pairs // size).astype(np.int32),
        (pairs % size).astype(np.int32),
        relations,
        heads[by_place].astype(np.int32),
        tails[by_place].astype(np.int32),
        kinds[by_place].astype(np.int32),
        edges.confidences(3)[by_place],
    )

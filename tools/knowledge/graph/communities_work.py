"""The two heavy steps towards communities, from bytes to bytes, so that a child process can do them as well."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, fields
from typing import Literal

import numpy as np
import orjson

from tools.knowledge.graph.communities_partition import Linked, partition
from tools.knowledge.graph.communities_sentences import SentencePicker
from tools.stores.following_protocol import ChunkText

Step = Literal["partition", "pick"]


def partition_packed(request: bytes) -> bytes:
    """`Linked` as npz in, `Partition` as npz out."""
    with np.load(io.BytesIO(request), allow_pickle=False) as arrays:
        found = partition(Linked(**{field.name: arrays[field.name] for field in fields(Linked)}))
    answer = io.BytesIO()
    np.savez(answer, **asdict(found))
    return answer.getvalue()


def pick_packed(request: bytes) -> bytes:
    """JSON both ways: `texts` (rows of `ChunkText`) and `communities` (positions) in, places of sentences out."""
    asked = orjson.loads(request)
    picker = SentencePicker([ChunkText(*row) for row in asked["texts"]])
    picked = (picker.pick(positions) for positions in asked["communities"])
    return orjson.dumps([[astuple(sentence) for sentence in sentences] for sentences in picked])


STEPS: Mapping[Step, Callable[[bytes], bytes]] = {"partition": partition_packed, "pick": pick_packed}

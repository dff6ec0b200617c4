"""Anything that turns token ids into logits, in torch or in onnxruntime, so that both are measured alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from tools.errors import InvalidInput
from tools.models.onnx_artefact import MODEL as GRAPH

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Tokens = Sequence[Sequence[int]]
Logits = NDArray[np.float32]


class Runnable(Protocol):
    """A classifier on one thread."""

    @property
    def together(self) -> int:
        """Texts that one run should hold where nobody waits for a single one."""
        ...

    def logits(self, batch: Tokens) -> Logits:
        """One run, padded to the longest: (len(batch), labels)."""
        ...


class OnnxRunnable:
    """A session that neither spins nor takes a second thread."""

    together = 1
    """Scales of dynamic int8 span a run: alone, a text is read the same whoever else asks."""

    def __init__(self, session: InferenceSession, pad: int) -> None:
        self._session = session
        self._pad = pad

    def logits(self, batch: Tokens) -> Logits:
        """See `Runnable`."""
        ids, mask = padded(batch, self._pad)
        (rows,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return np.asarray(rows, dtype=np.float32)


def open_runnable(folder: Path, pad: int) -> Runnable:
    """What lies in `folder`: an int8 graph, else a transformers model.

    Raises:
        InvalidInput: neither is there, or it cannot be loaded.
    """
    if (folder / GRAPH).exists():
        return OnnxRunnable(open_session(folder / GRAPH), pad)
    # Torch takes hundreds of megabytes, which a process that measures a graph must not have.
    from tools.compression.folder import load_classifier
    from tools.compression.torch_runnable import TorchRunnable

    return TorchRunnable(load_classifier(folder).network, pad)


def open_session(graph: Path) -> InferenceSession:
    """One thread, no spinning.

    Raises:
        InvalidInput: onnxruntime cannot read the graph.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # As the app runs its own; an arena would keep what the longest batch took.
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the driver's errors have no common parent
        raise InvalidInput(f"{graph} is not a graph that onnxruntime can run.") from error


def padded(batch: Tokens, pad: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and mask, (len(batch), longest) each."""
    lengths = np.array([len(row) for row in batch])
    mask = np.arange(lengths.max()) < lengths[:, np.newaxis]
    ids = np.full(mask.shape, pad, dtype=np.int64)
    ids[mask] = np.concatenate([np.asarray(row, dtype=np.int64) for row in batch])
    return ids, mask.astype(np.int64)


def logits_of(runnable: Runnable, tokens: Tokens) -> Logits:
    """All rows in order, run with others of like length: (len(tokens), labels)."""
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    size = runnable.together
    found = [runnable.logits([tokens[index] for index in order[at : at + size]]) for at in range(0, len(order), size)]
    rows = np.concatenate(found)
    rows[order] = rows.copy()
    return rows


def shuffled(items: Sequence[Sequence[int]], number: int, seed: int) -> list[Sequence[int]]:
    """At most `number` of them, drawn without repetition."""
    chosen: Iterable[int] = np.random.default_rng(seed).permutation(len(items))[:number].tolist()
    return [items[index] for index in chosen]

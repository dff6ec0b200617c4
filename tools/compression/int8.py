"""An fp32 graph in 8 bits: weights per channel, and activations by ranges found at run time or beforehand.

What becomes of each kind of layer, wherever it came from (Linear is MatMul or Gemm in a graph, Conv2d is Conv):

| layer | dynamic | static |
| --- | --- | --- |
| Linear, Conv2d | int8 products, ranges of each run | int8 products, ranges of the calibration data |
| Embedding | int8 rows | int8 rows |
| LSTM | int8 products, ranges of each run | the same: it has no static form |
| GRU | weights stored in int8, products in fp32: onnxruntime has no int8 GRU | the same |

Weights use seven of the eight bits (`reduce_range`): without VNNI instructions the eighth overflows the 16-bit sums of
x86 processors, and answers would differ from machine to machine.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

Feed = Mapping[str, NDArray[Any]]
PRODUCTS = ["MatMul", "Gemm", "Conv"]
LOOK_UPS = ["Gather"]
RECURRENT = ["LSTM"]
WEIGHTS_OF_GRU = (1, 2)
"""Inputs W (directions, 3·hidden, inputs) and R (directions, 3·hidden, hidden) of the ONNX operator."""
BESIDE_FROM_BYTES = 1024
"""Weights smaller than this stay inside the graph's own file."""


def quantise(graph: Path, target: Path, kind: Literal["dynamic", "static"], calibration: Sequence[Feed] = ()) -> None:
    """Write `graph` in int8 to `target`, with the weights in a file beside it that is mapped, not read.

    `calibration`: inputs of the graph, each for one run; static int8 takes the ranges of activations from them.

    Raises:
        ValueError: static int8 without calibration data.
    """
    if kind == "static" and not calibration:
        raise ValueError("static int8 needs calibration data")
    with tempfile.TemporaryDirectory() as temporary, _quiet():
        stored, looked_up, done = (Path(temporary) / f"{step}.onnx" for step in ("stored", "looked_up", "done"))
        onnx.save_model(_with_small_gru(onnx.load(graph)), stored)
        # Rows of tables enter no products, so they may use all eight bits.
        quantize_dynamic(stored, looked_up, LOOK_UPS, weight_type=QuantType.QInt8)
        if kind == "dynamic":
            _quantise_dynamically(looked_up, done, PRODUCTS + RECURRENT)
        else:
            recurrent = Path(temporary) / "recurrent.onnx"
            _quantise_dynamically(looked_up, recurrent, RECURRENT)
            _quantise_statically(recurrent, done, calibration)
        _part_weights(done, target)


def _quantise_dynamically(graph: Path, target: Path, kinds: list[str]) -> None:
    quantize_dynamic(graph, target, kinds, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)


def _quantise_statically(graph: Path, target: Path, calibration: Sequence[Feed]) -> None:
    quantize_static(
        graph,
        target,
        _Calibration(calibration),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=PRODUCTS,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        extra_options={
            # Products of two activations, as in attention, stay in fp32; so does what comes out of a product, since
            # what follows is no product: rounding it would cost accuracy and save nothing.
            "MatMulConstBOnly": True,
            "OpTypesToExcludeOutputQuantization": PRODUCTS,
        },
    )


class _Calibration(CalibrationDataReader):
    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> dict[str, NDArray[Any]] | None:  # type: ignore[override]
        feed = next(self._feeds, None)
        return None if feed is None else dict(feed)


def _with_small_gru(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store the weights of GRU layers in int8, one scale per row of the gates."""
    graph = model.graph
    weights = {initialiser.name: initialiser for initialiser in graph.initializer}
    opened = list[onnx.NodeProto]()
    for node in [node for node in graph.node if node.op_type == "GRU"]:
        for place in WEIGHTS_OF_GRU:
            name = node.input[place]
            if name in weights:
                full = onnx.numpy_helper.to_array(weights[name])
                scale = np.maximum(np.abs(full).max(axis=(0, 2)) / 127, np.finfo(np.float32).tiny).astype(np.float32)
                small = np.rint(full / scale[:, np.newaxis]).astype(np.int8)
                graph.initializer.remove(weights.pop(name))
                graph.initializer.append(onnx.numpy_helper.from_array(small, f"{name}_int8"))
                graph.initializer.append(onnx.numpy_helper.from_array(scale, f"{name}_scale"))
                parts = [f"{name}_int8", f"{name}_scale"]
                opened.append(onnx.helper.make_node("DequantizeLinear", parts, [name], axis=1))
    for node in reversed(opened):
        graph.node.insert(0, node)
    return model


def _part_weights(graph: Path, target: Path) -> None:
    weights = target.with_suffix(".weights")
    weights.unlink(missing_ok=True)  # onnx appends to a file that is there
    onnx.save_model(
        onnx.load(graph), target, save_as_external_data=True, location=weights.name, size_threshold=BESIDE_FROM_BYTES
    )


def table_bytes(graph: Path) -> int:
    """Bytes of the tables that rows are looked up in."""
    found = onnx.load(graph, load_external_data=False).graph
    sizes = {
        initialiser.name: int(np.prod(initialiser.dims))
        * onnx.helper.tensor_dtype_to_np_dtype(initialiser.data_type).itemsize
        for initialiser in found.initializer
        if len(initialiser.dims) > 1
    }
    return sum(sizes.get(name, 0) for name in {node.input[0] for node in found.node if node.op_type == "Gather"})


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the quantiser's advice to preprocess pass: it would fold nothing in an exported graph."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import pytest
import torch

from tests.tools.compression.parts import logits_of_network, some_tokens
from tools.compression.export import export_classifier, export_module
from tools.compression.int8 import quantise, table_bytes
from tools.compression.runnable import GRAPH, OnnxRunnable, logits_of, open_session, padded

Kind = Literal["dynamic", "static"]
KINDS: tuple[Kind, ...] = ("dynamic", "static")


class Linear(torch.nn.Module):
    shape = (4, 64)

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(64, 128), torch.nn.Linear(128, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(x)))


class Convolution(torch.nn.Module):
    shape = (4, 3, 12, 12)

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Conv2d(3, 32, 3, padding=1), torch.nn.Conv2d(32, 64, 3)
        self.head = torch.nn.Linear(64, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))).mean((2, 3)))


class Recurrent(torch.nn.Module):
    shape = (4, 10, 32)

    def __init__(self, kind: type[torch.nn.LSTM] | type[torch.nn.GRU]) -> None:
        super().__init__()
        self.body, self.head = kind(32, 64, batch_first=True, bidirectional=True), torch.nn.Linear(128, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x)[0][:, -1])


MODULES = {
    "linear": Linear,
    "conv": Convolution,
    "lstm": lambda: Recurrent(torch.nn.LSTM),
    "gru": lambda: Recurrent(torch.nn.GRU),
}
INT8_FORMS: Mapping[tuple[str, Kind], set[str]] = {
    ("linear", "dynamic"): {"MatMulInteger"},
    ("linear", "static"): {"QuantizeLinear", "DequantizeLinear"},
    ("conv", "dynamic"): {"ConvInteger"},
    ("conv", "static"): {"QuantizeLinear", "DequantizeLinear"},
    ("lstm", "dynamic"): {"DynamicQuantizeLSTM"},
    ("lstm", "static"): {"DynamicQuantizeLSTM"},
    ("gru", "dynamic"): {"DequantizeLinear"},
    ("gru", "static"): {"DequantizeLinear"},
}


def bytes_of(graph: Path) -> int:
    return sum(path.stat().st_size for path in graph.parent.glob(f"{graph.stem}.*"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODULES)
def test_each_kind_of_layer_shrinks_and_answers_nearly_the_same(name: str, kind: Kind, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module: Any = MODULES[name]().eval()
    x = torch.randn(module.shape)
    with torch.inference_mode():
        expected = module(x).numpy()
    export_module(module, {"x": x}, tmp_path / "full.onnx", axes={"x": {0: "batch"}})
    rng = np.random.default_rng(1)
    feeds = [{"x": rng.standard_normal(module.shape).astype(np.float32)} for _ in range(20)]
    target = tmp_path / "small" / "small.onnx"
    target.parent.mkdir()
    quantise(tmp_path / "full.onnx", target, kind, feeds)

    assert INT8_FORMS[name, kind] <= {node.op_type for node in onnx.load(target).graph.node}
    assert bytes_of(target) < 0.5 * (tmp_path / "full.onnx").stat().st_size
    (found,) = open_session(target).run(None, {"x": x.numpy()})
    assert np.abs(np.asarray(found) - expected).max() < 0.1 * expected.std()


@pytest.mark.parametrize("kind", KINDS)
def test_a_classifier_in_int8_says_nearly_what_it_said(model: Path, kind: Kind, tmp_path: Path) -> None:
    classifier, tokens = some_tokens(model, 24)
    expected = logits_of_network(classifier.network, tokens)
    export_classifier(classifier.network, tmp_path / "full.onnx")
    feeds = [dict(zip(("input_ids", "attention_mask"), padded([row], classifier.pad), strict=True)) for row in tokens]
    quantise(tmp_path / "full.onnx", tmp_path / GRAPH, kind, feeds)
    found = logits_of(OnnxRunnable(open_session(tmp_path / GRAPH), classifier.pad), tokens)
    assert np.abs(found - expected).mean() < 0.1 * expected.std()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99


def test_the_exported_graph_says_what_torch_says_for_padded_batches(model: Path, tmp_path: Path) -> None:
    classifier, tokens = some_tokens(model)
    export_classifier(classifier.network, tmp_path / "full.onnx")
    found = OnnxRunnable(open_session(tmp_path / "full.onnx"), classifier.pad).logits(tokens)
    assert np.allclose(found, logits_of_network(classifier.network, tokens), atol=1e-4)


def test_weights_use_seven_bits_and_tables_eight(model: Path, tmp_path: Path) -> None:
    classifier, _ = some_tokens(model)
    export_classifier(classifier.network, tmp_path / "full.onnx")
    quantise(tmp_path / "full.onnx", tmp_path / GRAPH, "dynamic")
    graph = onnx.load(tmp_path / GRAPH).graph
    arrays = {initialiser.name: onnx.numpy_helper.to_array(initialiser) for initialiser in graph.initializer}
    looked_up = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    tables = [arrays[name] for name in looked_up & set(arrays)]
    spans = [int(table.max()) - int(table.min()) for table in tables if table.dtype == np.uint8 and table.ndim == 2]
    assert spans == [255, 255, 255]
    products = [array for array in arrays.values() if array.dtype == np.int8 and array.ndim == 2]
    assert {int(np.abs(weights.astype(int)).max()) for weights in products} == {64}


def test_tables_are_counted_in_their_own_bytes(model: Path, tmp_path: Path) -> None:
    classifier, _ = some_tokens(model)
    export_classifier(classifier.network, tmp_path / "full.onnx")
    quantise(tmp_path / "full.onnx", tmp_path / GRAPH, "dynamic")
    assert table_bytes(tmp_path / GRAPH) == (200 + 64 + 2) * 32


def test_static_int8_without_calibration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="calibration"):
        quantise(tmp_path / "any.onnx", tmp_path / "out.onnx", "static")

"""From torch to an ONNX graph, for classifiers and for any other module."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

OPSET = 17
Axes = Mapping[str, Mapping[int, str]]


class _LogitsOnly(torch.nn.Module):
    """A classifier that returns its logits bare: (batch, sequence) twice to (batch, labels)."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.network(input_ids=input_ids, attention_mask=attention_mask).logits


def export_classifier(network: Any, target: Path) -> None:
    """Write the fp32 graph of a transformers classifier: `input_ids`, `attention_mask` to `logits`, sizes free."""
    # Written out, attention is plain matrix products, which the optimiser and the quantiser know.
    network.set_attn_implementation("eager")
    example = torch.ones(2, 8, dtype=torch.long)
    free = {0: "batch", 1: "sequence"}
    export_module(
        _LogitsOnly(network),
        {"input_ids": example, "attention_mask": example},
        target,
        axes={"input_ids": free, "attention_mask": free, "logits": {0: "batch"}},
        output="logits",
    )


def export_module(
    module: torch.nn.Module, inputs: Mapping[str, torch.Tensor], target: Path, *, axes: Axes, output: str = "output"
) -> None:
    """Write the fp32 graph of any module with tensors in and one tensor out; `axes` names the sizes that are free."""
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but its graph is the one the int8 quantiser handles best.
        warnings.simplefilter("ignore")
        names: Sequence[str] = list(inputs)
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            str(target),
            input_names=names,
            output_names=[output],
            dynamic_axes={name: dict(free) for name, free in axes.items()},
            opset_version=OPSET,
            dynamo=False,
        )

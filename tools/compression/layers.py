"""Where a transformer layer keeps its heads and its feed-forward neurons, and how to take some of them out.

Both are the same kind of thing: linear layers that make a row of units (queries, keys and values of a head, or one
neuron), and one linear layer that reads it. Taking a unit out takes rows from the former and columns from the latter;
what the layer computes is then exactly what it would compute with that unit's output at nought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tools.errors import InvalidInput

KEPT_HEADS = "kept_attention_heads"
"""Entry of a config: heads that each layer has left, where `num_attention_heads` still gives the width of one."""


@dataclass(frozen=True, slots=True)
class Site:
    """Paths inside a layer: what makes the units, and what reads them."""

    makers: tuple[str, ...]
    reader: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A family of encoders: the path of its list of layers, its two sites, its config's name for the FFN's width."""

    layers: str
    heads: Site
    ffn: Site
    ffn_entry: str


LAYOUTS = (
    Layout(  # BERT, RoBERTa, XLM-R, ELECTRA, CamemBERT, …
        "encoder.layer",
        Site(("attention.self.query", "attention.self.key", "attention.self.value"), "attention.output.dense"),
        Site(("intermediate.dense",), "output.dense"),
        "intermediate_size",
    ),
    Layout(
        "transformer.layer",
        Site(("attention.q_lin", "attention.k_lin", "attention.v_lin"), "attention.out_lin"),
        Site(("ffn.lin1",), "ffn.lin2"),
        "hidden_dim",
    ),
)


def layout_of(network: Any) -> Layout:
    """The family that `network` belongs to, told by its modules.

    Raises:
        InvalidInput: it is built in a way that is not known here.
    """
    for layout in LAYOUTS:
        try:
            first = network.base_model.get_submodule(layout.layers)[0]
            for path in (*layout.heads.makers, layout.heads.reader, *layout.ffn.makers, layout.ffn.reader):
                first.get_submodule(path)
        except (AttributeError, TypeError, IndexError):
            continue
        return layout
    raise InvalidInput(f"Layers of a {network.config.model_type!r} model cannot be taken apart here.")


def layers_of(network: Any) -> torch.nn.ModuleList:
    """The list of its transformer layers."""
    return network.base_model.get_submodule(layout_of(network).layers)


def head_size(network: Any) -> int:
    """Columns of one head."""
    return network.config.hidden_size // network.config.num_attention_heads


def keep_units(layer: torch.nn.Module, site: Site, kept: Sequence[int], width: int = 1) -> None:
    """Leave only the units `kept` (each `width` rows) at a site of `layer`, in that order."""
    columns = torch.tensor([unit * width + place for unit in kept for place in range(width)])
    for path in site.makers:
        maker: Any = layer.get_submodule(path)
        maker.weight = torch.nn.Parameter(maker.weight.detach()[columns].clone())
        if maker.bias is not None:
            maker.bias = torch.nn.Parameter(maker.bias.detach()[columns].clone())
        maker.out_features = len(columns)
    reader: Any = layer.get_submodule(site.reader)
    reader.weight = torch.nn.Parameter(reader.weight.detach()[:, columns].clone())
    reader.in_features = len(columns)


def narrow_heads(network: Any, kept: int) -> None:
    """Give a fresh network the shapes of one with `kept` heads in each layer, before its weights are filled in."""
    site = layout_of(network).heads
    for layer in layers_of(network):
        keep_units(layer, site, range(kept), head_size(network))

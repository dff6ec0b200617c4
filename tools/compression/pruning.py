"""Take whole heads and feed-forward neurons out of each layer, those that matter least; the weights shrink.

A unit's importance is by how much the loss would change, to first order, were its output nought: the size of
Σ activation × gradient over a text, averaged over texts. For heads: Michel et al., 2019, "Are Sixteen Heads Really
Better than One?"; for neurons: Molchanov et al., 2019, "Importance Estimation for Neural Network Pruning".
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tools.compression.layers import KEPT_HEADS, Site, head_size, keep_units, layers_of, layout_of
from tools.errors import InvalidInput

Loss = Callable[[Any, Sequence[int]], torch.Tensor]
"""The loss of a network on the examples at some places."""


@dataclass(frozen=True, slots=True)
class Importance:
    """How much each unit matters, for each layer: heads (layers, heads), neurons (layers, neurons), all >= 0."""

    heads: torch.Tensor
    neurons: torch.Tensor


def importance_of(
    network: Any, loss_of: Loss, examples: int, watch: Callable[[int], None] = lambda _: None
) -> Importance:
    """Measure on the first `examples` examples, one at a time; `watch` hears how many are done."""
    layout = layout_of(network)
    sites = ((layout.heads, head_size(network)), (layout.ffn, 1))
    totals: list[list[torch.Tensor]] = [[], []]
    read: list[dict[int, torch.Tensor]] = [{}, {}]
    hooks = list[Any]()
    for which, (site, width) in enumerate(sites):
        for place, layer in enumerate(layers_of(network)):
            reader: Any = layer.get_submodule(site.reader)
            totals[which].append(torch.zeros(reader.in_features // width))
            hooks.append(reader.register_forward_pre_hook(_keeper(read[which], place)))
    try:
        for example in range(examples):
            network.zero_grad(set_to_none=True)
            loss_of(network, [example]).backward()
            for which, (_, width) in enumerate(sites):
                for place, total in enumerate(totals[which]):
                    total += _change(read[which][place], width)
            watch(example + 1)
    finally:
        for hook in hooks:
            hook.remove()
        network.zero_grad(set_to_none=True)
    heads, neurons = (torch.stack(found) / examples for found in totals)
    return Importance(heads, neurons)


def pruned(network: Any, importance: Importance, *, heads: float, ffn: float) -> Any:
    """A copy without the least important share of heads and neurons of each layer; its config has the new sizes.

    Each layer loses the same number, so that its config stays one that others can read.

    Raises:
        InvalidInput: nothing would be left, or nothing would go.
    """
    smaller = copy.deepcopy(network)
    layout, config = layout_of(smaller), smaller.config
    kept_heads = _left(importance.heads.shape[1], heads, "heads")
    kept_neurons = _left(importance.neurons.shape[1], ffn, "neurons")
    for place, layer in enumerate(layers_of(smaller)):
        if heads:
            keep_units(layer, layout.heads, _best(importance.heads[place], kept_heads), head_size(smaller))
        if ffn:
            keep_units(layer, layout.ffn, _best(importance.neurons[place], kept_neurons))
    if heads:
        setattr(config, KEPT_HEADS, kept_heads)
    setattr(config, layout.ffn_entry, kept_neurons)
    return smaller


def silence(network: Any, site: Site, layer: int, unit: int, width: int) -> None:
    """Set what one unit passes on to nought, in place: what `pruned` must equal without it."""
    reader: Any = layers_of(network)[layer].get_submodule(site.reader)
    with torch.no_grad():
        reader.weight[:, unit * width : (unit + 1) * width] = 0


def _keeper(read: dict[int, torch.Tensor], place: int) -> Callable[..., None]:
    def keep(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        inputs[0].retain_grad()
        read[place] = inputs[0]

    return keep


def _change(read: torch.Tensor, width: int) -> torch.Tensor:
    """|Σ activation × gradient| of each unit, over the tokens of one text: (units,)."""
    if read.grad is None:
        raise AssertionError("the loss does not depend on a layer")
    change = (read.detach() * read.grad).reshape(-1, read.shape[-1]).sum(0)
    return change.reshape(-1, width).sum(1).abs()


def _left(units: int, share: float, what: str) -> int:
    left = units - round(units * share)
    if not 0 < left <= units or (share and left == units):
        raise InvalidInput(f"Taking {share:.0%} of {units} {what} leaves all or none of them.")
    return left


def _best(importance: torch.Tensor, kept: int) -> list[int]:
    return sorted(importance.argsort(descending=True, stable=True)[:kept].tolist())

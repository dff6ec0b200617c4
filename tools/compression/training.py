"""The steps of a training: seeded, in batches of like length, and resumed from where a broken run stood.

A checkpoint is tensors and a line of JSON, never a pickle. The random state of each step follows from the seed and the
step's number, so that a resumed run takes the very steps that an unbroken one takes.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from tools.compression.plan import Recipe

CHECKPOINT_STEPS = 200
BUCKET = 50
"""Batches whose examples are sorted by length together: little padding, and yet another mix in each epoch."""
MAX_NORM = 1.0
"""Longest gradient that a step follows."""

Loss = Callable[[Any, Sequence[int]], torch.Tensor]


class Training:
    """Fits a network's weights but its embedding tables, which may be shared with other models."""

    def __init__(
        self, network: Any, lengths: Sequence[int], recipe: Recipe, seed: int, folder: Path, digest: str
    ) -> None:
        """`lengths`: tokens of each example. `digest` tells what is trained on what: another's checkpoint is no use."""
        self._network, self._lengths, self._recipe, self._seed = network, lengths, recipe, seed
        self._folder, self._digest = folder, digest
        self._epoch, self._order = -1, list[list[int]]()
        self._per_epoch = math.ceil(len(lengths) / recipe.batch)
        self.steps = math.ceil(recipe.epochs * self._per_epoch)
        for module in network.modules():
            if isinstance(module, torch.nn.Embedding):
                module.requires_grad_(False)
        self._trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
        self._optimiser = torch.optim.AdamW(self._trained.values(), lr=recipe.rate, weight_decay=recipe.weight_decay)

    def run(self, loss_of: Loss, watch: Callable[[int, float], None] = lambda *_: None) -> None:
        """Take the steps that are still to do; `watch` hears the number done and the loss."""
        done = self._resume()
        self._network.train()
        for step in range(done, self.steps):
            torch.manual_seed(hash_of(self._seed, step))
            for group in self._optimiser.param_groups:
                group["lr"] = self._recipe.rate * share_of_rate(step, self.steps, self._recipe.warm_up)
            self._optimiser.zero_grad(set_to_none=True)
            loss = loss_of(self._network, self._batch(step))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._trained.values(), MAX_NORM)
            self._optimiser.step()
            watch(step + 1, loss.item())
            if (step + 1) % CHECKPOINT_STEPS == 0:
                self._save(step + 1)
        self._network.eval()

    def _batch(self, step: int) -> list[int]:
        epoch, place = divmod(step, self._per_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = batches(self._lengths, self._recipe.batch, hash_of(self._seed, -1 - epoch))
        return self._order[place]

    def _save(self, step: int) -> None:
        """Written aside and then put in place, so that a kill leaves the one before."""
        aside = self._folder.with_name(f"{self._folder.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        tensors = dict[str, torch.Tensor]()
        for name, weight in self._trained.items():
            moments = self._optimiser.state[weight]
            tensors[f"weight.{name}"] = weight.detach().contiguous()
            tensors |= {f"{kind}.{name}": moments[kind].contiguous() for kind in ("exp_avg", "exp_avg_sq")}
        save_file(tensors, aside / "state.safetensors")
        (aside / "state.json").write_text(json.dumps({"step": step, "digest": self._digest}))
        shutil.rmtree(self._folder, ignore_errors=True)
        aside.rename(self._folder)

    def _resume(self) -> int:
        """Take up a checkpoint of the same work; gives the steps that it has done, 0 without one."""
        try:
            state = json.loads((self._folder / "state.json").read_text())
        except (OSError, ValueError):
            return 0
        if state["digest"] != self._digest:
            return 0
        tensors = load_file(self._folder / "state.safetensors")
        for name, weight in self._trained.items():
            weight.data.copy_(tensors[f"weight.{name}"])
            self._optimiser.state[weight] = {
                "step": torch.tensor(float(state["step"])),
                **{kind: tensors[f"{kind}.{name}"].to(weight.device) for kind in ("exp_avg", "exp_avg_sq")},
            }
        return int(state["step"])


def batches(lengths: Sequence[int], size: int, seed: int) -> list[list[int]]:
    """All places once, in random batches of nearly equal lengths."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(lengths)).tolist()
    found = list[list[int]]()
    for start in range(0, len(order), size * BUCKET):
        bucket = sorted(order[start : start + size * BUCKET], key=lengths.__getitem__)
        found += [bucket[at : at + size] for at in range(0, len(bucket), size)]
    return [found[place] for place in random.permutation(len(found))]


def share_of_rate(step: int, steps: int, warm_up: float) -> float:
    """Which share (0-1) of the full rate holds at a step: up, then straight down to nothing."""
    rising = max(1.0, warm_up * steps)
    return min((step + 1) / rising, (steps - step) / max(1.0, steps - rising))


def hash_of(seed: int, number: int) -> int:
    """A seed of its own for each number, the same on every machine."""
    return int(np.random.SeedSequence([seed, number % (1 << 32)]).generate_state(1)[0])

"""Trains a tagger's network; needs the `ml` extra, and nothing that serves imports it."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tools.knowledge.extraction.network import GAP, WINDOWS

Example = tuple[NDArray[np.int32], NDArray[np.float32]]
"""The rows of each token (tokens, slots), and what its labels should be (tokens, labels), each row summing to 1."""


@dataclass(frozen=True)
class Recipe:
    """How to train. `width` D, `hidden` H; rates of dropped table rows, vectors and hidden units."""

    width: int = 64
    hidden: int = 96
    epochs: int = 12
    batch: int = 48
    rate: float = 2e-3
    drop_rows: float = 0.1
    drop: float = 0.3
    weight_decay: float = 1e-4
    average_from: float = 0.6
    """The share of steps after which weights are averaged."""
    seed: int = 1
    kept_rows: int = 0
    """Rows of the table, from 1, that stay as they began: words that training does not show keep their place."""


class Student(torch.nn.Module):
    """The network of `network.py`, to be trained."""

    def __init__(self, rows: int, labels: int, recipe: Recipe, table: torch.Tensor | None = None) -> None:
        super().__init__()
        self.recipe = recipe
        self.table = torch.nn.Embedding(rows, recipe.width, padding_idx=0)
        torch.nn.init.normal_(self.table.weight, std=0.05)
        if table is not None:
            with torch.no_grad():
                self.table.weight[: len(table)] = table
        with torch.no_grad():
            self.table.weight[0] = 0
        widths = [recipe.width, recipe.hidden, recipe.hidden]
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(len(window) * width, recipe.hidden) for window, width in zip(WINDOWS, widths, strict=True)
        )
        self.out = torch.nn.Linear(recipe.hidden, labels)
        self.drop = torch.nn.Dropout(recipe.drop)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """`ids` (n, slots) of sentences with gaps between, `mask` (n, 1) 0 in the gaps; gives logits (n, labels)."""
        if self.training:
            ids = ids * (torch.rand(ids.shape) >= self.recipe.drop_rows)
        hidden = self.drop(self.table(ids).sum(1)) * mask
        for number, (layer, window) in enumerate(zip(self.layers, WINDOWS, strict=True)):
            around = torch.nn.functional.pad(hidden, (0, 0, GAP, GAP))
            seen = torch.cat([around[GAP + shift : GAP + shift + len(hidden)] for shift in window], dim=1)
            found = self.drop(torch.relu(layer(seen)))
            hidden = (found + hidden if number else found) * mask
        return self.out(hidden)


def train_student(
    student: Student,
    examples: Callable[[int], Sequence[Example]],
    evaluate: Callable[[Student], float] | None = None,
) -> Student:
    """Train on what `examples(epoch)` gives; ends with weights averaged over the last steps."""
    recipe = student.recipe
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)  # noqa: S311 - reproducible, and no secret
    groups = [
        {"params": [student.table.weight], "weight_decay": 0.0},
        {"params": [p for name, p in student.named_parameters() if not name.startswith("table")]},
    ]
    optimiser = torch.optim.AdamW(groups, lr=recipe.rate, weight_decay=recipe.weight_decay)
    averaged = torch.optim.swa_utils.AveragedModel(student)
    for epoch in range(recipe.epochs):
        started = time.perf_counter()
        batches = list(_batches(examples(epoch), recipe.batch, rng))
        student.train()
        total = 0.0
        for number, (ids, mask, target) in enumerate(batches):
            done = (epoch + number / len(batches)) / recipe.epochs
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate * min(1.0, 20 * done + 0.05, 1.1 - done)
            logits = student(ids, mask)
            loss = -(target * torch.log_softmax(logits, dim=1)).sum() / mask.sum()
            optimiser.zero_grad()
            loss.backward()
            if recipe.kept_rows and student.table.weight.grad is not None:
                student.table.weight.grad[1 : recipe.kept_rows + 1] = 0
            optimiser.step()
            total += loss.item()
            if done >= recipe.average_from:
                averaged.update_parameters(student)
        measured = evaluate(student.eval()) if evaluate else 0.0
        seconds = time.perf_counter() - started
        sys.stdout.write(f"student {epoch} loss {total / len(batches):.4f} dev {measured:.4f} {seconds:.0f} s\n")
        sys.stdout.flush()
    student.load_state_dict(averaged.module.state_dict())
    return student.eval()


def _batches(
    examples: Sequence[Example], size: int, rng: random.Random
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    order = list(range(len(examples)))
    rng.shuffle(order)
    for at in range(0, len(order), size):
        yield joined([examples[place] for place in order[at : at + size]])


def joined(examples: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Examples in one array with gaps: ids (n, slots), mask (n, 1), targets (n, labels), zero in the gaps."""
    slots, labels = examples[0][0].shape[1], examples[0][1].shape[1]
    size = sum(len(ids) + GAP for ids, _ in examples)
    ids = np.zeros((size, slots), dtype=np.int64)
    target = np.zeros((size, labels), dtype=np.float32)
    mask = np.zeros((size, 1), dtype=np.float32)
    at = 0
    for rows, goal in examples:
        ids[at : at + len(rows)] = rows
        target[at : at + len(rows)] = goal
        mask[at : at + len(rows)] = 1
        at += len(rows) + GAP
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(target)


def smoothed(labels: Sequence[int], count: int, smoothing: float = 0.03) -> NDArray[np.float32]:
    """Labels as targets (tokens, count) with a little of every label."""
    target = np.full((len(labels), count), smoothing / count, dtype=np.float32)
    target[np.arange(len(labels)), list(labels)] += 1 - smoothing
    return target

"""The Chinese teacher: the lexical analyser that comes with jieba (Baidu LAC, two BiGRU layers), fine-tuned.

LAC reads characters and knows word boundaries, parts of speech and names; its weights are read straight
from the files of the jieba package, without the framework they were made with.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from training import invent_zh
from training.lexicon_zh import chinese_lexicon
from training.sentences import Names, batches, swap

from tools.knowledge.extraction.features import Layout, chinese_ids
from tools.knowledge.extraction.labelled import LabelledSentence
from tools.knowledge.extraction.protocol import ENTITY_TYPES
from tools.knowledge.extraction.tagset import labels_of, spans_of
from tools.knowledge.extraction.tokens import Token, tokenise

EMBEDDING, HIDDEN, LAC_LABELS = 128, 128, 57
COVERED = 48
DROPPED = 0.2
OOV = 20940
EPOCHS = 8
BATCH = 24
RATE, HEAD_RATE = 5e-4, 2e-3


def _read(folder: Path, name: str, *shape: int) -> torch.Tensor:
    """A tensor from a parameter file: a header, then little-endian floats."""
    raw = (folder / "model_baseline" / name).read_bytes()
    count = int(np.prod(shape))
    return torch.from_numpy(np.frombuffer(raw[-4 * count :], dtype="<f4").reshape(shape).copy())


class Gru(torch.nn.Module):
    """One direction: the candidate sees the reset state before its matrix, `h = (1 - u) h' + u c`."""

    def __init__(self, folder: Path, number: int, width: int) -> None:
        super().__init__()
        self.inward = torch.nn.Parameter(_read(folder, f"fc_{number}.w_0", width, 3 * HIDDEN))
        self.inward_bias = torch.nn.Parameter(_read(folder, f"fc_{number}.b_0", 3 * HIDDEN))
        recurrent = _read(folder, f"gru_{number}.w_0", 3 * HIDDEN * HIDDEN)
        self.gates = torch.nn.Parameter(recurrent[: 2 * HIDDEN * HIDDEN].reshape(HIDDEN, 2 * HIDDEN).clone())
        self.candidate = torch.nn.Parameter(recurrent[2 * HIDDEN * HIDDEN :].reshape(HIDDEN, HIDDEN).clone())
        self.bias = torch.nn.Parameter(_read(folder, f"gru_{number}.b_0", 3 * HIDDEN))
        self.reverse = bool(number % 2)

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(batch, time, width) to (batch, time, hidden); masked steps keep the state."""
        projected = inputs @ self.inward + self.inward_bias + self.bias
        state = inputs.new_zeros(len(inputs), HIDDEN)
        steps = range(inputs.shape[1])
        states: list[torch.Tensor] = [state] * inputs.shape[1]
        for at in reversed(steps) if self.reverse else steps:
            gates = torch.sigmoid(projected[:, at, : 2 * HIDDEN] + state @ self.gates)
            update, reset = gates[:, :HIDDEN], gates[:, HIDDEN:]
            candidate = torch.tanh(projected[:, at, 2 * HIDDEN :] + (reset * state) @ self.candidate)
            fresh = (1 - update) * state + update * candidate
            state = torch.where(mask[:, at, None], fresh, state)
            states[at] = state
        return torch.stack(states, dim=1)


class Lac(torch.nn.Module):
    """The network of LAC as published: character vectors, two layers in both directions, its own labels."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        rows = (line.rstrip("\n").split("\t") for line in (folder / "word.dic").open(encoding="utf-8"))
        self.ids = {row[1]: int(row[0]) for row in rows if len(row) == 2}
        self.embedding = torch.nn.Embedding.from_pretrained(_read(folder, "word_emb", OOV + 1, EMBEDDING), freeze=False)
        self.layers = torch.nn.ModuleList(
            Gru(folder, number, EMBEDDING if number < 2 else 2 * HIDDEN) for number in range(4)
        )
        self.labels = torch.nn.Linear(2 * HIDDEN, LAC_LABELS)
        with torch.no_grad():
            self.labels.weight.copy_(_read(folder, "fc_4.w_0", 2 * HIDDEN, LAC_LABELS).T)
            self.labels.bias.copy_(_read(folder, "fc_4.b_0", LAC_LABELS))

    def forward(self, texts: Sequence[str]) -> list[torch.Tensor]:
        """Vectors and both layers, each (batch, characters, width)."""
        length = max(1, *(len(text) for text in texts))
        ids = torch.full((len(texts), length), OOV)
        mask = torch.zeros(len(texts), length, dtype=torch.bool)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = torch.tensor([self.ids.get(sign, OOV) for sign in text], dtype=torch.long)
            mask[row, : len(text)] = True
        embedded = self.embedding(ids)
        first = torch.cat([layer(embedded, mask) for layer in self.layers[:2]], dim=2)
        return [embedded, first, torch.cat([layer(first, mask) for layer in self.layers[2:]], dim=2)]


class Teacher(torch.nn.Module):
    """LAC to be fine-tuned, what unchanged LAC says of each character, and the words of the lexicon that cover it."""

    def __init__(self, folder: Path, labels: int) -> None:
        super().__init__()
        self.layout, self.lexicon = Layout("zh", {}), chinese_lexicon(folder.parent, invent_zh.terms())
        self.covered = torch.nn.Embedding(self.layout.rows, COVERED, padding_idx=0)
        torch.nn.init.normal_(self.covered.weight, std=0.05)
        with torch.no_grad():
            self.covered.weight[0] = 0
        self.body, self.unchanged = Lac(folder), Lac(folder).requires_grad_(False)
        self.head = torch.nn.Sequential(
            torch.nn.Conv1d(4 * HIDDEN + EMBEDDING + LAC_LABELS + COVERED, 160, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.3),
            torch.nn.Conv1d(160, labels, 3, padding=1),
        )
        self.drop = torch.nn.Dropout(0.25)

    def forward(self, texts: Sequence[str], tokens: Sequence[Sequence[Token]]) -> list[torch.Tensor]:
        """Logits (tokens, labels) for each text, whose tokens these are."""
        with torch.no_grad():
            said = torch.softmax(self.unchanged.labels(self.unchanged(texts)[-1]), dim=2)
        of_signs = torch.cat([*self.body(texts), said], dim=2)
        length = max(1, *(len(row) for row in tokens))
        joined = of_signs.new_zeros(len(texts), length, of_signs.shape[2] + COVERED)
        for row, units in enumerate(tokens):
            ids = torch.from_numpy(chinese_ids(units, self.layout, self.lexicon).astype(np.int64))
            if self.training:
                ids = ids * (torch.rand(ids.shape) >= DROPPED)
            joined[row, : len(units)] = torch.cat(
                [of_signs[row, [unit.start for unit in units]], self.covered(ids).sum(1)], dim=1
            )
        mask = (joined.abs().sum(2, keepdim=True) > 0).to(joined.dtype)
        logits = self.head((self.drop(joined) * mask).transpose(1, 2)).transpose(1, 2)
        return [logits[row, : len(units)] for row, units in enumerate(tokens)]


def train_teacher(
    folder: Path,
    train: Sequence[LabelledSentence],
    dev: Sequence[LabelledSentence],
    types: Sequence[str] = ENTITY_TYPES,
    seed: int = 1,
    epochs: int = EPOCHS,
) -> Teacher:
    """Fine-tune on `train` with swapped copies; prints F1 on `dev` as it goes."""
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311
    teacher = Teacher(folder, 1 + 2 * len(types))
    head = [*teacher.head.parameters(), *teacher.covered.parameters()]
    body = [p for name, p in teacher.named_parameters() if name.startswith("body")]
    optimiser = torch.optim.AdamW([{"params": body, "lr": RATE}, {"params": head, "lr": HEAD_RATE}], weight_decay=0.01)
    steps = epochs * (2 * len(train) // BATCH + 2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [RATE, HEAD_RATE], total_steps=steps + 1, pct_start=0.15)
    names = Names(train, "zh") if tuple(types) == ENTITY_TYPES else None
    for epoch in range(epochs):
        started = time.perf_counter()
        teacher.train()
        sentences = [*train, *(swap(s, names, rng) for s in train if names)]
        total = 0.0
        for batch in batches(sentences, BATCH, rng):
            tokens = [tokenise(s.text, "zh") for s in batch]
            logits = torch.cat(teacher([s.text for s in batch], tokens))
            gold = torch.tensor(
                [label for s, row in zip(batch, tokens, strict=True) for label in labels_of(s, row, types)]
            )
            loss = torch.nn.functional.cross_entropy(logits, gold, label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        f1 = score(teacher, dev, types) if epoch % 3 == 2 or epoch == epochs - 1 else 0.0
        sys.stdout.write(f"teacher {epoch} loss {total:.1f} dev {f1:.4f} {time.perf_counter() - started:.0f} s\n")
        sys.stdout.flush()
    return teacher.eval()


@torch.inference_mode()
def probabilities(teacher: Teacher, texts: Sequence[str]) -> list[np.ndarray]:
    """Label probabilities (tokens, labels) for each sentence."""
    teacher.eval()
    tokens = [tokenise(text, "zh") for text in texts]
    return [torch.softmax(logits, dim=1).numpy() for logits in teacher(texts, tokens)]


def score(teacher: Teacher, dev: Sequence[LabelledSentence], types: Sequence[str] = ENTITY_TYPES) -> float:
    """Micro F1 of exact spans and types."""
    hits = found = gold = 0
    for at in range(0, len(dev), 32):
        batch = dev[at : at + 32]
        for sentence, probability in zip(batch, probabilities(teacher, [s.text for s in batch]), strict=True):
            row = tokenise(sentence.text, "zh")
            told = {(row[a].start, row[b - 1].end, kind) for a, b, kind in spans_of(np.log(probability + 1e-9), types)}
            true = {(e.start, e.end, e.type) for e in sentence.entities}
            hits, found, gold = hits + len(told & true), found + len(told), gold + len(true)
    return 2 * hits / max(1, found + gold)

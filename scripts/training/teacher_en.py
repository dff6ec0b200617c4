"""The English teacher: all-MiniLM-L6-v2 fine-tuned to tag words; slow and better than what is shipped."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from training.sentences import Names, batches, swap
from transformers import AutoModel

from tools.knowledge.extraction.labelled import LabelledSentence
from tools.knowledge.extraction.tagset import LABELS, labels_of, spans_of
from tools.knowledge.extraction.tokens import tokenise

EPOCHS = 12
BATCH = 16
RATE = 1.5e-4
HEAD_RATE = 1e-3
MAX_PIECES = 160


class Teacher(torch.nn.Module):
    """MiniLM with a linear layer on the first piece of each word."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.encoder = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, len(LABELS))
        self.drop = torch.nn.Dropout(0.2)

    def forward(self, batch: Sequence[Sequence[str]]) -> list[torch.Tensor]:
        """Logits (words, labels) for each of the sentences, given as words."""
        pieces = [self.tokenizer.encode(list(words), is_pretokenized=True) for words in batch]
        length = min(max(len(piece.ids) for piece in pieces), MAX_PIECES)
        ids = torch.zeros(len(batch), length, dtype=torch.long)
        mask = torch.zeros(len(batch), length, dtype=torch.long)
        firsts: list[list[int]] = []
        for row, (piece, words) in enumerate(zip(pieces, batch, strict=True)):
            kept = piece.ids[:length]
            ids[row, : len(kept)] = torch.tensor(kept)
            mask[row, : len(kept)] = 1
            place = dict[int, int]()
            for at, word in enumerate(piece.word_ids[:length]):
                if word is not None:
                    place.setdefault(word, at)
            firsts.append([place.get(word, 0) for word in range(len(words))])
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        logits = self.head(self.drop(hidden))
        return [logits[row, first] for row, first in enumerate(firsts)]


def train_teacher(
    folder: Path,
    train: Sequence[LabelledSentence],
    dev: Sequence[LabelledSentence],
    seed: int = 1,
    epochs: int = EPOCHS,
    start: Path | None = None,
) -> Teacher:
    """Fine-tune on `train` with swapped copies; prints F1 on `dev` as it goes."""
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311
    teacher = Teacher(folder)
    if start is not None:
        teacher.load_state_dict(torch.load(start))
    groups = [
        {"params": teacher.encoder.parameters(), "lr": RATE},
        {"params": teacher.head.parameters(), "lr": HEAD_RATE},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    names = Names(train, "en")
    steps = epochs * (len(train) * 3 // 2 // BATCH + 2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [RATE, HEAD_RATE], total_steps=steps + 1, pct_start=0.1, anneal_strategy="linear"
    )
    for epoch in range(epochs):
        started = time.perf_counter()
        teacher.train()
        sentences = [*train, *(swap(s, names, rng) for s in train[epoch % 2 :: 2])]
        total = 0.0
        for batch in batches(sentences, BATCH, rng):
            tokens = [tokenise(s.text, "en") for s in batch]
            logits = torch.cat(teacher([[t.text for t in row] for row in tokens]))
            gold = torch.tensor([label for s, row in zip(batch, tokens, strict=True) for label in labels_of(s, row)])
            loss = torch.nn.functional.cross_entropy(logits, gold, label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        f1 = score(teacher, dev) if epoch % 3 == 2 or epoch == epochs - 1 else 0.0
        sys.stdout.write(f"teacher {epoch} loss {total:.1f} dev {f1:.4f} {time.perf_counter() - started:.0f} s\n")
        sys.stdout.flush()
    return teacher.eval()


@torch.inference_mode()
def probabilities(teacher: Teacher, batch: Sequence[Sequence[str]], temperature: float = 1.0) -> list[np.ndarray]:
    """Label probabilities (words, labels) for each sentence."""
    teacher.eval()
    return [torch.softmax(logits / temperature, dim=1).numpy() for logits in teacher(batch)]


def score(teacher: Teacher, dev: Sequence[LabelledSentence]) -> float:
    """Micro F1 of exact spans and types."""
    hits = found = gold = 0
    for at in range(0, len(dev), 32):
        batch = dev[at : at + 32]
        tokens = [tokenise(s.text, "en") for s in batch]
        for sentence, row, probability in zip(
            batch, tokens, probabilities(teacher, [[t.text for t in r] for r in tokens]), strict=True
        ):
            told = {(row[a].start, row[b - 1].end, kind) for a, b, kind in spans_of(np.log(probability + 1e-9))}
            true = {(e.start, e.end, e.type) for e in sentence.entities}
            hits, found, gold = hits + len(told & true), found + len(told), gold + len(true)
    return 2 * hits / max(1, found + gold)

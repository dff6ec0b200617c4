"""Fine-tune a sentence encoder to tell the 28 labels: from rows of text to a transformers folder. Needs the `ml` extra.

A run that is killed goes on where its last checkpoint stands: what it needs lies in the work folder as tensors, without
a pickle. The order of the batches follows from the seed, so a run that was interrupted ends where an unbroken one does.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from safetensors.torch import load_file, save_file
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoTokenizer
from transformers.utils import logging

from tools.emotion.labels import LABELS
from tools.emotion.training_data import Labelled
from tools.models.mean_pooled_bert import MeanPooledBertConfig, MeanPooledBertForSequenceClassification

CHECKPOINT_STEPS = 50
BUCKET = 50
"""Batches whose examples are sorted by length together: little padding, and yet another mix in each epoch."""
NEGATIVE_START = -3.0
"""Bias that the head begins with: a label holds for one message in twenty, and need not be unlearnt for the rest."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast; chosen on `dev`."""

    epochs: int = 3
    batch: int = 64
    rate: float = 2e-4
    head_rate: float = 1e-3
    warm_up: float = 0.06
    """Share of the steps over which the rate rises; after them it falls to nothing along a cosine."""
    decay: float = 0.01
    max_tokens: int = 40
    seed: int = 1


def fine_tune(base: Path, train: Labelled, recipe: Recipe, work: Path, device: str) -> Path:
    """Train on `train` from the encoder in `base`; gives the folder in `work` that holds the result.

    The embedding tables stay as they are: words that are not in `train` keep their meaning.
    """
    done = work / "encoder"
    if (done / "config.json").exists():
        return done
    # A head that is not in the folder, and a bar for each file, are nothing to tell anybody.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = _with_head(base).to(device)
    tokens = tokenizer(list(train.texts), truncation=True, max_length=recipe.max_tokens)["input_ids"]
    targets = torch.from_numpy(train.targets.astype(np.float32))
    run = _Run(model, recipe, work / "checkpoint", _digest(train, recipe), len(tokens))
    pad = int(tokenizer.pad_token_id or 0)

    def loss_of(chosen: Sequence[int]) -> torch.Tensor:
        ids, mask = padded([tokens[index] for index in chosen], pad)
        with torch.autocast(device, dtype=torch.bfloat16):
            logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits.float()
        return binary_cross_entropy_with_logits(logits, targets[list(chosen)].to(device))

    lengths = [len(ids) for ids in tokens]
    run.go_through(lambda epoch: batches(lengths, recipe.batch, recipe.seed + epoch), loss_of)
    model.float().to("cpu").save_pretrained(work / "encoder.part")
    tokenizer.save_pretrained(work / "encoder.part")
    (work / "encoder.part").rename(done)
    shutil.rmtree(work / "checkpoint", ignore_errors=True)
    return done


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask of token lists of any lengths: (rows, longest) each."""
    lengths = torch.tensor([len(row) for row in rows])
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    ids = torch.full(mask.shape, pad)
    ids[mask] = torch.tensor([token for row in rows for token in row])
    return ids, mask.long()


def batches(lengths: Sequence[int], size: int, seed: int) -> list[list[int]]:
    """All places, in random batches of nearly equal lengths."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    found = list[list[int]]()
    for start in range(0, len(order), size * BUCKET):
        bucket = sorted(order[start : start + size * BUCKET].tolist(), key=lengths.__getitem__)
        found += [bucket[at : at + size] for at in range(0, len(bucket), size)]
    return [found[place] for place in rng.permutation(len(found))]


class _Run:
    """The steps of a training, with what a checkpoint must keep of them."""

    def __init__(self, model: Any, recipe: Recipe, folder: Path, digest: str, examples: int) -> None:
        self._model, self._recipe, self._folder, self._digest = model, recipe, folder, digest
        self._trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        head = [weight for name, weight in self._trained.items() if name.startswith("classifier")]
        body = [weight for name, weight in self._trained.items() if not name.startswith("classifier")]
        groups = [{"params": body, "full": recipe.rate}, {"params": head, "full": recipe.head_rate}]
        self._optimiser = torch.optim.AdamW(groups, weight_decay=recipe.decay, fused=True)
        self._steps, self._step = recipe.epochs * math.ceil(examples / recipe.batch), 0

    def go_through(
        self, epoch_of: Callable[[int], list[list[int]]], loss_of: Callable[[Sequence[int]], torch.Tensor]
    ) -> None:
        """All steps that are still to do."""
        self._resume()
        self._model.train()
        with Progress() as progress:
            task = progress.add_task("fine-tuning", total=self._steps, completed=self._step)
            for chosen in self._left(epoch_of):
                for group in self._optimiser.param_groups:
                    group["lr"] = group["full"] * _share(self._step, self._steps, self._recipe)
                loss = loss_of(chosen)
                self._optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self._trained.values(), 1.0)
                self._optimiser.step()
                self._step += 1
                progress.update(task, advance=1, description=f"fine-tuning, loss {loss.item():.3f}")
                if self._step % CHECKPOINT_STEPS == 0:
                    self._save()
        self._model.eval()

    def _left(self, epoch_of: Callable[[int], list[list[int]]]) -> Iterator[list[int]]:
        per_epoch = self._steps // self._recipe.epochs
        for epoch in range(self._step // per_epoch, self._recipe.epochs):
            yield from epoch_of(epoch)[self._step - epoch * per_epoch :]

    def _save(self) -> None:
        """Weights, both moments of each and the random state; written aside, so that a kill leaves the one before."""
        aside = self._folder.with_name("checkpoint.part")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        tensors = {f"weight.{name}": weight.detach().contiguous() for name, weight in self._trained.items()}
        for name, weight in self._trained.items():
            moments = self._optimiser.state[weight]
            tensors |= {f"{moment}.{name}": moments[moment] for moment in ("exp_avg", "exp_avg_sq")}
        save_file(tensors | {"random": torch.get_rng_state()}, aside / "state.safetensors")
        (aside / "state.json").write_text(json.dumps({"step": self._step, "digest": self._digest}))
        shutil.rmtree(self._folder, ignore_errors=True)
        aside.rename(self._folder)

    def _resume(self) -> None:
        """Take up a checkpoint of the same data and recipe."""
        try:
            state = json.loads((self._folder / "state.json").read_text())
        except OSError:
            return
        if state["digest"] != self._digest:
            return
        tensors = load_file(self._folder / "state.safetensors")
        self._step = state["step"]
        for name, weight in self._trained.items():
            weight.data.copy_(tensors[f"weight.{name}"])
            self._optimiser.state[weight] = {
                "step": torch.tensor(float(self._step)),
                "exp_avg": tensors[f"exp_avg.{name}"].to(weight.device),
                "exp_avg_sq": tensors[f"exp_avg_sq.{name}"].to(weight.device),
            }
        torch.set_rng_state(tensors["random"])


def _with_head(base: Path) -> Any:
    """The encoder with a fresh linear head on the mean of its tokens; its tables are frozen."""
    config = MeanPooledBertConfig.from_pretrained(
        base,
        problem_type="multi_label_classification",
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    model: Any = MeanPooledBertForSequenceClassification.from_pretrained(
        base, config=config, local_files_only=True, dtype=torch.float32
    )
    torch.nn.init.constant_(model.classifier.bias, NEGATIVE_START)
    for weight in model.bert.embeddings.parameters():
        weight.requires_grad_(False)
    return model


def _share(step: int, steps: int, recipe: Recipe) -> float:
    """Which share of the full rate holds at a step."""
    rising = max(1.0, recipe.warm_up * steps)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1.0, steps - rising)))


def _digest(train: Labelled, recipe: Recipe) -> str:
    """What a checkpoint belongs to."""
    digest = hashlib.sha256(json.dumps(asdict(recipe)).encode())
    digest.update("\0".join(train.texts).encode("utf-8", "surrogatepass"))
    digest.update(train.targets.tobytes())
    return digest.hexdigest()

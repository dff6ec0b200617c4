"""Trains a `ChineseClassifier` on texts with labels. Needs the `ml` extra; minutes on one CPU core."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jieba
import numpy as np
import torch
from rich.progress import Progress

from tools.emotion.chinese_classifier import ChineseClassifier, signs_of
from tools.emotion.chinese_network import UNKNOWN, WIDTHS, Alphabet, CharacterNetwork, Floats
from tools.models.text_classifier.ngrams import CHINESE
from tools.models.text_classifier.training import Recipe as LinearRecipe
from tools.models.text_classifier.training import train as train_linear

LAC = Path(jieba.__file__).parent / "lac_small"
LAC_ROWS, WIDTH = 20941, 128
"""Shape of the character vectors of Baidu LAC, which come with jieba (Apache-2.0): the first vectors of ours."""
FIRST_SPREAD = 0.3
"""Standard deviation of the first vectors."""
BUCKET = 20
"""Batches whose texts are sorted by length together."""


LINEAR = LinearRecipe(CHINESE, l2=3e-5, least=3, rounds=40)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a classifier is made; chosen on dialogues and messages that were kept apart.

    `balance` (0-1): how far rare labels count more, 1 for as much as the common ones together; a label counts as
    standing in `least_share` of the texts at least.
    """

    linear: LinearRecipe = LINEAR
    balance: float = 0.5
    least_share: float = 0.01
    characters: int = 4500
    filters: int = 96
    epochs: int = 6
    batch: int = 32
    rate: float = 2e-3
    dropped: float = 0.4
    characters_dropped: float = 0.1
    smoothing: float = 0.1
    seeds: tuple[int, ...] = (0,)
    """One network each; none for the linear model alone."""


def train_chinese(
    texts: Sequence[str], targets: Floats, labels: Sequence[str], recipe: Recipe, weights: Floats | None = None
) -> ChineseClassifier:
    """A classifier of `texts` by `targets` (n, labels), 0-1 and adding up to 1 per text; `weights` (n,) is what each
    text counts. The same input gives the same classifier.
    """
    counts = balanced(targets, recipe) * (1 if weights is None else weights)
    linear = train_linear(texts, targets, labels, recipe.linear, signs_of(texts), counts.astype(np.float32))
    alphabet = alphabet_of(texts, recipe.characters)
    first = _first_vectors(alphabet)
    networks = [_train_network(texts, targets, counts, alphabet, first, recipe, seed) for seed in recipe.seeds]
    return ChineseClassifier(linear, alphabet, tuple(networks))


def balanced(targets: Floats, recipe: Recipe) -> Floats:
    """What each text counts so that rare labels are not drowned: (n,), 1 on average."""
    shares = np.maximum(targets.mean(axis=0), recipe.least_share)
    counts = targets @ (1 / shares) ** recipe.balance
    return (counts / counts.mean()).astype(np.float32)


def alphabet_of(texts: Sequence[str], most: int) -> Alphabet:
    """The characters that stand in `texts` more than once, the most frequent of them."""
    found = Counter(ord(sign) for text in texts for sign in CHINESE.normal_form(text))
    kept = [code for code, count in found.most_common(most) if count > 1]
    return Alphabet(np.array(sorted(kept), dtype=np.uint32))


class _Network(torch.nn.Module):
    """`CharacterNetwork` while it learns."""

    def __init__(self, first: torch.Tensor, labels: int, recipe: Recipe) -> None:
        super().__init__()
        self.table = torch.nn.Embedding.from_pretrained(first.clone(), freeze=False, padding_idx=0)
        windows = [torch.nn.Conv1d(WIDTH, recipe.filters, width, padding=width // 2) for width in WIDTHS]
        self.windows = torch.nn.ModuleList(windows)
        self.out = torch.nn.Linear(recipe.filters * len(WIDTHS), labels)
        self.drop = torch.nn.Dropout(recipe.dropped)
        self.drop_characters = torch.nn.Dropout1d(recipe.characters_dropped)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(batch, longest) rows, 0 beyond a text's end, to logits (batch, labels)."""
        inside = (rows > 0)[:, None]
        vectors = self.drop(self.drop_characters(self.table(rows))).transpose(1, 2)
        found = [window(vectors)[..., : rows.shape[1]].masked_fill(~inside, -1e4).amax(2) for window in self.windows]
        return self.out(self.drop(torch.relu(torch.cat(found, dim=1))))


def _train_network(
    texts: Sequence[str],
    targets: Floats,
    counts: Floats,
    alphabet: Alphabet,
    first: torch.Tensor,
    recipe: Recipe,
    seed: int,
) -> CharacterNetwork:
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rows = [alphabet.rows(text) for text in texts]
    usable = [place for place, row in enumerate(rows) if len(row)]
    network = _Network(first, targets.shape[1], recipe).train()
    # Most of the time a text that counts a tenth is left out; one that counts ten is seen once and weighs ten.
    seen, weighed = np.minimum(counts, 1), torch.from_numpy(np.maximum(counts, 1).astype(np.float32))
    smoothed = torch.from_numpy(targets * (1 - recipe.smoothing) + recipe.smoothing / targets.shape[1]).float()
    rng = random.Random(seed)  # noqa: S311
    epochs = [[place for place in usable if rng.random() < seen[place]] for _ in range(recipe.epochs)]
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=0.01)
    steps = sum(-(-len(epoch) // recipe.batch) for epoch in epochs)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=steps + 1, pct_start=0.1)
    with Progress(transient=True) as progress:
        task = progress.add_task(f"network {seed}", total=steps)
        for epoch in epochs:
            for chosen in _batches(epoch, [len(row) for row in rows], recipe.batch, rng):
                logits = network(_padded([rows[place] for place in chosen]))
                losses = torch.nn.functional.cross_entropy(logits, smoothed[chosen], reduction="none")
                loss = (losses * weighed[chosen]).mean()
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                progress.advance(task)
    return _as_numpy(network)


def _batches(places: Sequence[int], lengths: Sequence[int], size: int, rng: random.Random) -> Iterator[list[int]]:
    order = list(places)
    rng.shuffle(order)
    found = list[list[int]]()
    for start in range(0, len(order), size * BUCKET):
        bucket = sorted(order[start : start + size * BUCKET], key=lengths.__getitem__)
        found += [bucket[at : at + size] for at in range(0, len(bucket), size)]
    rng.shuffle(found)
    yield from found


def _padded(rows: Sequence[np.ndarray]) -> torch.Tensor:
    padded = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = torch.from_numpy(row)
    return padded


def _as_numpy(network: _Network) -> CharacterNetwork:
    """The weights in the form that runs, its table in steps of 1/127 of nearly the largest number in it."""
    table = network.table.weight.detach().numpy()
    scale = float(np.quantile(np.abs(table[1:]), 0.9999)) / 127
    small = np.clip(np.rint(table / scale), -127, 127).astype(np.int8)
    windows = [dict(window.named_parameters()) for window in network.windows]
    # (filters, width, window) to (window * width, filters).
    filters = tuple(_stored(its["weight"].permute(2, 1, 0).flatten(0, 1)) for its in windows)
    biases = np.concatenate([_stored(its["bias"]) for its in windows])
    return CharacterNetwork(small, scale, filters, biases, _stored(network.out.weight.T), _stored(network.out.bias))


def _stored(weights: torch.Tensor) -> Floats:
    """As they come back from a file, so that what is measured is what is kept."""
    return weights.detach().numpy().astype(np.float16).astype(np.float32)


def _first_vectors(alphabet: Alphabet) -> torch.Tensor:
    """(characters + 2, 128): LAC's vectors of the characters that it knows, noise for the others, zeros at the ends."""
    raw = (LAC / "model_baseline" / "word_emb").read_bytes()
    # A header of no interest, then little-endian floats.
    known = np.frombuffer(raw[-4 * LAC_ROWS * WIDTH :], dtype="<f4").reshape(LAC_ROWS, WIDTH)
    places = dict[int, int]()
    for line in (LAC / "word.dic").read_text(encoding="utf-8").splitlines():
        number, _, sign = line.partition("\t")
        if len(sign) == 1:
            places[ord(sign)] = int(number)
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, FIRST_SPREAD, (len(alphabet.codes) + UNKNOWN + 1, WIDTH)).astype(np.float32)
    for row, code in enumerate(alphabet.codes.tolist(), UNKNOWN + 1):
        if code in places:
            vectors[row] = known[places[code]] * (FIRST_SPREAD / known.std())
    vectors[0] = 0
    return torch.from_numpy(vectors)

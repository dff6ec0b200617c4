"""Where a student's table of vectors begins: vocabularies, lexicon and first vectors, from what the teachers know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from tools.knowledge.extraction.features import Layout
from tools.knowledge.extraction.tokens import tokenise

ENGLISH_WORDS = 26_000
CHINESE_SIGNS = 6_000


def english_layout(texts: Iterable[str], always: Iterable[str]) -> Layout:
    """The commonest words of the texts, lower case, and those in `always`."""
    counts = Counter(token.text.lower() for text in texts for token in tokenise(text, "en") if token.text[0].isalpha())
    words = dict.fromkeys(word.lower() for word in always)
    for word, _ in counts.most_common():
        if len(words) >= ENGLISH_WORDS:
            break
        words.setdefault(word)
    return Layout("en", {word: row for row, word in enumerate(sorted(words), 1)})


def chinese_layout(texts: Iterable[str], always: Iterable[str]) -> Layout:
    """The commonest characters and Latin runs of the texts, and those in `always`."""
    counts = Counter(token.text for text in texts for token in tokenise(text, "zh"))
    signs = dict.fromkeys(token.text for text in always for token in tokenise(text, "zh") if token.text[0] > "\u2e80")
    for sign, count in counts.most_common():
        if len(signs) >= CHINESE_SIGNS or count < 2:
            break
        signs.setdefault(sign)
    return Layout("zh", {sign: row for row, sign in enumerate(sorted(signs), 1)})


def reduced(vectors: np.ndarray, width: int, spread: float = 0.25) -> torch.Tensor:
    """The first `width` principal components, scaled to a standard deviation of `spread`."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred[:: max(1, len(centred) // 8000)], full_matrices=False)
    found = centred @ axes[:width].T
    return torch.from_numpy((found / found.std() * spread).astype(np.float32))


@torch.inference_mode()
def minilm_vectors(folder: Path, words: Sequence[str], batch: int = 256) -> np.ndarray:
    """MiniLM's sentence vector of each word alone, (words, 384)."""
    from tokenizers import Tokenizer
    from transformers import AutoModel

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.enable_padding()
    encoder = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    rows = []
    for at in range(0, len(words), batch):
        coded = tokenizer.encode_batch([word[:40] for word in words[at : at + batch]])
        ids = torch.tensor([row.ids for row in coded])
        mask = torch.tensor([row.attention_mask for row in coded])
        hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state * mask[:, :, None]
        rows.append((hidden.sum(1) / mask.sum(1, keepdim=True)).numpy())
    return np.concatenate(rows)


def lac_vectors(jieba: Path, signs: Sequence[str]) -> np.ndarray:
    """LAC's character vectors, (signs, 128); of a Latin run that of its first letter."""
    from training.teacher_zh import OOV, Lac

    lac = Lac(jieba / "lac_small")
    ids = torch.tensor([lac.ids.get(sign[0], OOV) for sign in signs])
    return lac.embedding.weight.detach()[ids].numpy()


def whole_words(folder: Path) -> list[str]:
    """The words that are one piece to MiniLM."""
    pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return [piece for piece in pieces if len(piece) > 1 and piece.isascii() and piece.isalpha()]

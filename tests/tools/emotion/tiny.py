"""A random BERT small enough to train in a test, and sets of a few sentences in the layout of the public ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SENTENCES = {
    "joy": ("what a happy day", "so happy with the new garden", "happy to see the sea"),
    "anger": ("this makes me angry", "angry at the late train", "so angry with them"),
    "sadness": ("i feel sad today", "sad to leave the sea", "it is a sad day"),
    "neutral": ("the train leaves at nine", "the garden has a wall", "they see the new wall"),
}


def make_bert(folder: Path) -> Path:
    """A folder with a random BERT of two layers and a tokenizer of the words of `SENTENCES`."""
    import torch
    import transformers
    from tokenizers import BertWordPieceTokenizer

    folder.mkdir(parents=True)
    trained = BertWordPieceTokenizer()
    texts = [text for its in SENTENCES.values() for text in its]
    trained.train_from_iterator(texts * 4, vocab_size=300, min_frequency=1, show_progress=False)
    transformers.BertTokenizer(vocab=trained.get_vocab()).save_pretrained(folder)
    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=trained.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=160,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def make_sets(folder: Path) -> Path:
    """GoEmotions, EmoBank and iSarcasmEval, a dozen rows each."""
    labelled = [{"text": text, "labels": [label]} for label, texts in SENTENCES.items() for text in texts]
    valence = {"joy": 4.0, "neutral": 3.0, "anger": 2.0, "sadness": 1.8}
    rated = [{"text": row["text"], "valence": valence[row["labels"][0]], "arousal": 3.0 + len(row["text"]) / 50}
             for row in labelled]  # fmt: skip
    tweets = [{"text": row["text"], "sarcastic": int("so" in row["text"].split())} for row in labelled]
    for name, part, found in (
        ("goemotions", "train", labelled * 4),
        ("goemotions", "dev", labelled * 2),
        ("goemotions", "open", labelled),
        ("emobank", "train", rated),
        ("emobank", "open", rated),
        ("isarcasm_en", "train", tweets),
        ("isarcasm_en", "open", tweets),
    ):
        write_rows(folder / name, part, found)
    return folder


def write_rows(folder: Path, part: str, found: list[dict[str, Any]]) -> None:
    """One JSON object a line."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")

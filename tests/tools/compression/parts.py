"""What the tests of compression are made of: a set that words tell, and a small BERT that learns it in a second."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from tools.compression.folder import Classifier, load_classifier, save_classifier

LABELS = ("joy", "anger", "fear", "calm")
TOLD_BY = {"joy": "glad", "anger": "furious", "fear": "afraid", "calm": "quiet"}
FILLERS = ("the", "a", "we", "they", "day", "night", "house", "street", "went", "saw", "home", "walked", "and", "then")
PAD, CLS, SEP, UNKNOWN = range(4)


def make_data(folder: Path, *, several: bool) -> Path:
    """`train` (gzipped), `dev`, `open` and `labels` under `folder`."""
    rng = random.Random(1)
    for part, number in (("train", 240), ("dev", 60), ("open", 60)):
        rows = list[dict[str, Any]]()
        for index in range(number):
            chosen = rng.sample(LABELS, rng.choice([1, 1, 2]) if several else 1)
            words = [*rng.sample(FILLERS, rng.randint(2, 9)), *(TOLD_BY[label] for label in chosen)]
            rng.shuffle(words)
            rows.append({"id": str(index), "text": " ".join(words), "labels": chosen})
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        if part == "train":
            with gzip.open(folder / "train.jsonl.gz", "wt") as file:
                file.write(lines)
        else:
            (folder / f"{part}.jsonl").write_text(lines)
    (folder / "labels.jsonl").write_text("".join(json.dumps({"label": label}) + "\n" for label in LABELS))
    return folder


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Byte pairs learnt from `texts`."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=200, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]"
    )


def small_network(*, multi: bool, layers: int = 2, seed: int = 0) -> BertForSequenceClassification:
    """Hidden 32, four heads of 8, 64 neurons; not trained."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=200,
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=PAD,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        problem_type="multi_label_classification" if multi else "single_label_classification",
        id2label=dict(enumerate(LABELS)),
        label2id={label: place for place, label in enumerate(LABELS)},
        initializer_range=0.2,
    )
    return BertForSequenceClassification(config).eval()


def make_model(folder: Path, data: Path, *, multi: bool) -> Path:
    """A small BERT trained on `train` of `data`, as a transformers folder."""
    with gzip.open(data / "train.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    tokenizer = make_tokenizer([row["text"] for row in rows])
    network = small_network(multi=multi)
    targets = torch.tensor([[float(label in row["labels"]) for label in LABELS] for row in rows])
    batch = tokenizer([row["text"] for row in rows], padding=True, return_tensors="pt")
    inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
    loss_of = torch.nn.BCEWithLogitsLoss() if multi else torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3)
    network.train()
    for _ in range(40):
        optimiser.zero_grad()
        loss_of(network(**inputs).logits, targets).backward()
        optimiser.step()
    save_classifier(Classifier(network.eval(), tokenizer, LABELS, multi), folder)
    return folder


def logits_of_network(network: Any, tokens: list[list[int]]) -> np.ndarray[Any, Any]:
    """Text by text, in fp32."""
    with torch.inference_mode():
        rows = [
            network(torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long)).logits
            for row in tokens
        ]
    return torch.cat(rows).numpy()


def some_tokens(model: Path, number: int = 12) -> tuple[Classifier, list[list[int]]]:
    """The model in `model`, and token lists of different lengths for it."""
    rng = random.Random(5)
    classifier = load_classifier(model)
    texts = [" ".join(rng.choices([*FILLERS, *TOLD_BY.values()], k=2 + index)) for index in range(number)]
    return classifier, classifier.tokens(texts, 64)

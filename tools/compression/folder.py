"""A sequence classifier as it lies in a transformers folder: read with its tokenizer and labels, checked, written.

Only safetensors are read, never a pickle, and no code that lies in the folder is run. A model whose heads were pruned
says so in its config (`kept_attention_heads`, per layer) and is loaded here; all others load in plain transformers too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from tools.compression.layers import KEPT_HEADS, narrow_heads
from tools.errors import InvalidInput
from tools.models import mean_pooled_bert  # noqa: F401 - from then on the Auto classes know it

WEIGHTS = "model.safetensors"
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")
"""One of these makes a tokenizer; without any, transformers makes one that knows no words."""
RESERVED_POSITIONS = 2
"""RoBERTa and its kin count positions from here, so that many fewer tokens fit than positions exist."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """A loaded classifier: `network(input_ids, attention_mask).logits` is (batch, len(labels)).

    `multi_label` is None where the config does not say whether several labels may hold: the data tells.
    """

    network: Any
    tokenizer: Any
    labels: tuple[str, ...]
    multi_label: bool | None

    @property
    def pad(self) -> int:
        """The token that fills up short rows."""
        return int(self.network.config.pad_token_id or 0)

    def tokens(self, texts: list[str], max_tokens: int) -> list[list[int]]:
        """Token ids of each text, cut at `max_tokens` or at the model's own limit."""
        limit = min(max_tokens, self.network.config.max_position_embeddings - RESERVED_POSITIONS)
        return self.tokenizer(texts, truncation=True, max_length=limit)["input_ids"]


def load_classifier(folder: Path) -> Classifier:
    """Read the model in `folder` onto the CPU in fp32, ready to answer.

    Raises:
        InvalidInput: it is not the folder of a trained sequence classifier that we can read.
    """
    logging.disable_progress_bar()
    config = _config(folder)
    network = _network(folder, config).float().eval()
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise InvalidInput(f"{folder} holds no tokenizer.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The tokenizer in {folder} cannot be loaded: {_first_line(error)}") from None
    if not isinstance(getattr(tokenizer, "backend_tokenizer", None), Tokenizer):
        raise InvalidInput(f"{folder} has a tokenizer that cannot be stored as tokenizer.json.")
    return Classifier(
        network=network,
        tokenizer=tokenizer,
        labels=tuple(str(config.id2label[index]) for index in range(config.num_labels)),
        multi_label=_multi_label(config),
    )


def save_classifier(classifier: Classifier, folder: Path) -> None:
    """Write config, weights and tokenizer, for `load_classifier` and (heads unpruned) for plain transformers."""
    folder.mkdir(parents=True, exist_ok=True)
    config = classifier.network.config
    config.architectures = [type(classifier.network).__name__]
    config.save_pretrained(folder)
    weights = {name: tensor.contiguous() for name, tensor in classifier.network.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    save_tokenizer(classifier, folder)


def save_tokenizer(classifier: Classifier, folder: Path) -> None:
    """Write `tokenizer.json`, without padding or truncation: those are whoever's who runs it."""
    classifier.tokenizer.save_pretrained(folder)
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    plain.no_padding()
    plain.no_truncation()
    plain.save(str(folder / "tokenizer.json"))


def _config(folder: Path) -> Any:
    if not (folder / "config.json").is_file():
        raise InvalidInput(f"{folder} is not a model folder: it has no config.json.")
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InvalidInput(f"The config.json in {folder} cannot be read: {_first_line(error)}") from None
    if config.problem_type == "regression" or len(config.id2label or ()) < 2:
        raise InvalidInput(f"The model in {folder} does not choose among labels.")
    return config


def _network(folder: Path, config: Any) -> Any:
    if not any(folder.glob("*.safetensors")):
        raise InvalidInput(f"{folder} holds no safetensors; other formats of weights are not read.")
    try:
        if getattr(config, KEPT_HEADS, None) is not None:
            network: Any = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
            narrow_heads(network, getattr(config, KEPT_HEADS))
            network.load_state_dict(load_file(folder / WEIGHTS))
            return network
        network, found = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise InvalidInput(f"The model in {folder} cannot be loaded: {_first_line(error)}") from None
    if found["missing_keys"]:
        raise InvalidInput(f"The model in {folder} lacks trained weights, such as {min(found['missing_keys'])!r}.")
    return network


def _multi_label(config: Any) -> bool | None:
    match config.problem_type:
        case "multi_label_classification":
            return True
        case "single_label_classification":
            return False
        case _:
            return None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def write_json(path: Path, content: Any) -> None:
    """Readable JSON with a line end."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

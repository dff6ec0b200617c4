"""Pick the reader of emotion that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from tools.emotion.chinese import open_chinese
from tools.emotion.encoder import OnnxEmotions
from tools.emotion.lexicon import LexiconEmotionReader
from tools.emotion.protocol import EmotionReader
from tools.emotion.reader import CalibratedModel, JoinedEmotionReader
from tools.emotion.sarcasm import load_sarcasm
from tools.emotion.settings import EmotionSettings
from tools.emotion.transformers import TransformersEmotions
from tools.errors import NotAvailable
from tools.models.protocol import Language

log = structlog.get_logger(__name__)
Part = TypeVar("Part")


def open_emotion_reader(settings: EmotionSettings) -> EmotionReader:
    """A reader whose large model loads at its first use; close it when done.

    A built-in model that is missing or broken is left out, and its language is read by words.

    Raises:
        NotAvailable: `EMOTION_PATH` is not the folder of a model that we can run.
    """
    if settings.emotion_backend == "lexicon":
        return LexiconEmotionReader()
    models = dict[Language, CalibratedModel]()
    if settings.emotion_path is not None:
        models["en"] = TransformersEmotions(settings.emotion_path, threads=settings.emotion_threads)
    elif (english := _built_in(lambda: OnnxEmotions(threads=settings.emotion_threads))) is not None:
        models["en"] = english
    if (chinese := _built_in(open_chinese)) is not None:
        models["zh"] = chinese
    return JoinedEmotionReader(models, _built_in(load_sarcasm))


def _built_in(opened: Callable[[], Part]) -> Part | None:
    try:
        return opened()
    except NotAvailable as error:
        log.warning("emotion.model_missing", error=error.message)
        return None

"""How an answer sounds when the message carries a feeling: what models are told, and what the embedded one says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tools.models.protocol import Language, Tone
from tools.models.yaml_file import shipped_yaml

MANNERS = Path(__file__).with_name("tone.yaml")
STRONG = 0.5
"""Intensity (0-1) from which a feeling is spoken to in words of its own rather than in the tone alone."""
_TOLD: dict[Language, str] = {
    "en": "The message may carry a feeling, so {manner}; do not name it.",
    "zh": "这条消息可能带着情绪：请{manner}；不要点明是什么情绪。",
}


def manner_of(tone: Tone, language: Language) -> str:
    """One sentence to a language model on how to speak; empty where the feeling asks for nothing."""
    manner = _manners().get(tone.emotion)
    return _TOLD[language].replace("{manner}", manner["manner"][language]) if manner else ""


def opening_of(tone: Tone, language: Language) -> str:
    """One short sentence to say before an answer; empty where the feeling is faint, mixed or asks for nothing."""
    manner = _manners().get(tone.emotion)
    if manner is None or tone.intensity < STRONG or tone.valence not in manner["valence"]:
        return ""
    return manner["opening"][language]


@cache
def _manners() -> Mapping[str, Mapping[str, Any]]:
    """By GoEmotions label."""
    groups = shipped_yaml(MANNERS)
    return {emotion: group for group in groups.values() for emotion in group["emotions"]}

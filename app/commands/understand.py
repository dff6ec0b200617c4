"""`zhiyin intent` and `zhiyin emotion`: what the models see in a text, and how sure they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.settings import Settings
from tools.emotion.protocol import Emotion
from tools.intent.protocol import Intent
from tools.models.protocol import Language

console = Console(highlight=False)

INTENT_HEADINGS: dict[Language, tuple[str, ...]] = {
    "en": ("intent", "confidence", "decided by"),
    "zh": ("意图", "把握", "判定者"),
}
EMOTION_HEADINGS: dict[Language, tuple[str, ...]] = {
    "en": ("emotion", "sentiment", "valence", "arousal", "intensity", "confidence", "decided by"),
    "zh": ("情绪", "倾向", "愉悦度", "唤醒度", "强度", "把握", "判定者"),
}
MIXED: dict[Language, str] = {"en": "mixed", "zh": "混合情绪"}
SARCASTIC: dict[Language, str] = {"en": "perhaps sarcastic", "zh": "可能是反话"}
RUNNERS_UP = 3
STRONGEST = 6
"""Labels of an emotion that get a bar."""
BAR_CHARS = 24


def show_intent(settings: Settings, text: str, earlier: Sequence[str]) -> None:
    """The intent of `text` after the user's `earlier` messages, who decided, and what else was thought of."""
    language = _language_of(text)
    intent = asyncio.run(_intent_of(settings, text, language, earlier))
    table = Table(*INTENT_HEADINGS[language])
    table.add_row(f"[bold]{intent.label}[/]", f"{intent.confidence:.3f}", intent.decided_by)
    for label, confidence in intent.runners_up[:RUNNERS_UP]:
        table.add_row(f"[dim]{label}[/]", f"[dim]{confidence:.3f}[/]", "")
    console.print(table)


def show_emotion(settings: Settings, text: str, earlier: Sequence[str]) -> None:
    """The emotion of `text` after the user's `earlier` messages: its figures, and the strongest labels as bars."""
    language = _language_of(text)
    emotion = asyncio.run(_emotion_of(settings, text, language, earlier))
    table = Table(*EMOTION_HEADINGS[language])
    table.add_row(
        f"[bold]{emotion.primary_emotion}[/]",
        emotion.sentiment,
        f"{emotion.valence:+.2f}",
        f"{emotion.arousal:.2f}",
        f"{emotion.intensity:.2f}",
        f"{emotion.confidence:.2f}",
        emotion.decided_by,
    )
    console.print(table)
    strongest = sorted(emotion.all_emotions.items(), key=lambda named: named[1], reverse=True)[:STRONGEST]
    for label, probability in strongest:
        console.print(f"{label:16} {_bar(probability)} {probability:.3f}")
    if emotion.mixed_emotions:
        console.print(f"{MIXED[language]}: {escape(', '.join(emotion.mixed_emotions))}")
    if emotion.is_sarcastic:
        console.print(f"{SARCASTIC[language]} ({emotion.sarcasm_confidence:.2f})")


async def _intent_of(settings: Settings, text: str, language: Language, earlier: Sequence[str]) -> Intent:
    from tools.intent.ml import open_intent_detector
    from tools.intent.rules import RuleIntentDetector
    from tools.models.embedders.open import open_embedder

    if not settings.open_flags().current().enable_ml_intent:
        return await RuleIntentDetector().detect(text, language, earlier)
    embedder = open_embedder(settings)
    detector = open_intent_detector(embedder, settings.data_dir)
    try:
        await detector.warm_up()
        return await detector.detect(text, language, earlier)
    finally:
        await detector.close()
        await embedder.close()


async def _emotion_of(settings: Settings, text: str, language: Language, earlier: Sequence[str]) -> Emotion:
    from tools.emotion.open import open_emotion_reader

    reader = open_emotion_reader(settings)
    try:
        return await reader.read(text, language, earlier)
    finally:
        await reader.close()


def _language_of(text: str) -> Language:
    from tools.knowledge.language import detect_language

    return detect_language(text)


def _bar(share: float) -> str:
    filled = round(share * BAR_CHARS)
    return "█" * filled + "·" * (BAR_CHARS - filled)

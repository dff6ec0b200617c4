"""The suites of emotion on sets small enough to know the right figures by heart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from evals.__main__ import cli
from tests.tools.emotion.tiny import write_rows

CLEAR = (
    ("Thank you so much, that is very kind!", ["gratitude"]),
    ("I love this so much!", ["love"]),
    ("This makes me so angry!", ["anger"]),
    ("I'm so sad that he died.", ["sadness"]),
    ("The meeting is at nine on Tuesday.", ["neutral"]),
)


def measured(data: Path, suite: str) -> dict[str, Any]:
    out = data / "report.json"
    result = CliRunner().invoke(cli, ["run", suite, "--data", str(data), "--json", str(out)])
    assert result.exit_code == 0, result.output
    return {name: figure["value"] for name, figure in orjson.loads(out.read_bytes())["metrics"].items()}


def test_goemotions_gives_every_figure_and_clear_messages_are_right(tmp_path: Path) -> None:
    labelled = [{"text": text, "labels": labels} for text, labels in CLEAR]
    write_rows(tmp_path / "goemotions", "dev", labelled)
    write_rows(tmp_path / "goemotions", "open", labelled)
    figures = measured(tmp_path, "goemotions")
    assert figures["primary_accuracy"] == figures["ekman_accuracy"] == figures["sentiment_accuracy"] == 1.0
    assert figures["macro_f1"] >= 5 / 28
    assert {"macro_f1_at_0.5", "micro_f1", "ekman_f1", "sentiment_f1", "ece"} <= figures.keys()


def test_emobank_correlates_with_what_readers_felt(tmp_path: Path) -> None:
    felt = [(4.2, 3.6), (4.4, 3.7), (1.9, 4.0), (1.8, 2.9), (3.0, 2.6)]
    rows = [{"text": text, "valence": v, "arousal": a} for (text, _), (v, a) in zip(CLEAR, felt, strict=True)]
    write_rows(tmp_path / "emobank", "open", rows)
    assert measured(tmp_path, "emobank")["valence_r"] > 0.8


def test_meld_knows_what_the_same_speaker_said_before(tmp_path: Path) -> None:
    turns = [
        {"speaker": "Ann", "text": "I'm so sad that he died.", "emotion": "sadness", "sentiment": "negative"},
        {"speaker": "Bob", "text": "I love this so much!", "emotion": "joy", "sentiment": "positive"},
        {"speaker": "Ann", "text": "This makes me so angry!", "emotion": "anger", "sentiment": "negative"},
    ]
    write_rows(tmp_path / "meld", "open", [{"id": "1", "turns": turns}])
    figures = measured(tmp_path, "meld")
    assert figures["emotion_weighted_f1"] == figures["sentiment_accuracy"] == 1.0


def test_emocontext_looks_at_the_last_turn(tmp_path: Path) -> None:
    last = {"happy": "I am so happy!", "sad": "I am so sad", "angry": "I am so angry at you", "others": "at nine"}
    chats = [{"turns": ["Hello", "hi, what is it?", text], "label": label} for label, text in last.items()]
    write_rows(tmp_path / "emocontext", "dev", chats)
    write_rows(tmp_path / "emocontext", "open", chats)
    figures = measured(tmp_path, "emocontext")
    assert figures["micro_f1_without_context"] == pytest.approx(1.0)
    assert 0 <= figures["micro_f1"] <= 1


def test_isarcasm_states_how_weak_the_sign_is(tmp_path: Path) -> None:
    tweets = [
        {"text": "Oh great, another Monday. Just what I needed", "sarcastic": 1},
        {"text": "The meeting is at nine on Tuesday.", "sarcastic": 0},
    ]
    write_rows(tmp_path / "isarcasm_en", "open", tweets)
    figures = measured(tmp_path, "isarcasm_en")
    assert figures["auroc"] == 1.0
    assert {"f1_sarcastic", "f1_sarcastic_from_base_rate", "said_sarcastic"} <= figures.keys()


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "emobank", "--data", str(tmp_path)])
    assert result.exit_code != 0
    assert "emobank" in result.output or "emobank" in str(result.exception)

"""`zhiyin intent` and `zhiyin emotion`, as somebody types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import cli


def said(*arguments: str, status: int = 0, **environ: str) -> str:
    result = CliRunner().invoke(cli, list(arguments), env={"COLUMNS": "160", **environ})
    assert result.exit_code == status, result.output
    return result.output


def test_an_intent_is_shown_with_who_decided_and_its_runners_up(tmp_path: Path) -> None:
    shown = said("intent", "Why did the second pump fail?", "--data-dir", str(tmp_path))
    assert "causal_question" in shown
    assert "ml" in shown
    assert len([line for line in shown.splitlines() if line.startswith("│")]) == 4


def test_an_earlier_message_counts(tmp_path: Path) -> None:
    shown = said("intent", "and in Berlin?", "--after", "Why did rents rise in Paris?", "--data-dir", str(tmp_path))
    assert "causal_question" in shown


def test_without_the_model_the_rules_are_shown(tmp_path: Path) -> None:
    shown = said("intent", "水泵为什么停了？", "--data-dir", str(tmp_path), ENABLE_ML_INTENT="false")
    assert "rules" in shown
    assert "意图" in shown


def test_examples_that_cannot_be_used_end_with_one_clean_message(tmp_path: Path) -> None:
    own = tmp_path / "intents" / "en.yaml"
    own.parent.mkdir()
    own.write_text("intents:\n  task: [only one]\n")
    shown = said("intent", "hello", "--data-dir", str(tmp_path), status=2)
    assert "task needs at least 3" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(("text", "heading"), [("I am so happy today!", "sentiment"), ("今天真开心！", "倾向")])
def test_an_emotion_is_shown_with_bars(tmp_path: Path, text: str, heading: str) -> None:
    shown = said("emotion", text, "--data-dir", str(tmp_path))
    assert "joy" in shown
    assert "positive" in shown
    assert heading in shown
    assert "█" in shown

"""Files of examples, shipped and an operator's own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from flags.errors import ConfigurationError
from tools.intent.examples import LINE_WEIGHT, MAX_BYTES, MOST_WORDINGS, intents_of, read_examples
from tools.intent.probe import probe_messages
from tools.intent.protocol import IntentLabel
from tools.models.protocol import Language

OWN = """
intents:
  task:
    - fold the letter
    - stamp the (letter|card|)
    - seal the envelope
"""


def own(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "en.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_shipped_examples_cover_every_intent(language: Language) -> None:
    lines = {(example.line, example.label) for example in read_examples(language)}
    counts = Counter(label for _, label in lines)
    assert set(counts) == set(get_args(IntentLabel))
    assert min(counts.values()) >= 50


@pytest.mark.parametrize("language", ["en", "zh"])
def test_hardly_an_example_stands_in_the_probe_set(language: Language) -> None:
    shipped = {example.text.strip("?!.。？！").lower() for example in read_examples(language)}
    both = [p.message for p in probe_messages() if p.message.strip("?!.。？！").lower() in shipped]
    assert len(both) <= 3


def test_an_operator_s_lines_are_added(tmp_path: Path) -> None:
    before, after = read_examples("en"), read_examples("en", own(tmp_path, OWN))
    added = {example.text for example in after} - {example.text for example in before}
    assert added == {"fold the letter", "stamp the letter", "stamp the card", "stamp the", "seal the envelope"}


def test_an_operator_s_word_on_a_line_is_the_last(tmp_path: Path) -> None:
    content = 'intents:\n  meta: ["Tell me a joke.", "about you", "your maker"]\n'
    labels = [e.label for e in read_examples("en", own(tmp_path, content)) if e.text == "Tell me a joke."]
    assert labels == ["meta"]


def test_an_operator_s_lines_may_stand_alone(tmp_path: Path) -> None:
    content = "only_these: true\n" + OWN + "  meta: [who, what, how]\n"
    examples = read_examples("en", own(tmp_path, content))
    assert intents_of(examples) == ("task", "meta")
    assert len(examples) == 8


def test_a_line_with_choices_weighs_the_same_however_many_it_has(tmp_path: Path) -> None:
    many = "(" + "|".join(f"word{i}" for i in range(40)) + ") (now|later|)"
    examples = read_examples("en", own(tmp_path, f"intents:\n  task: ['{many}', one, two]\n"))
    worded = [example for example in examples if example.text.startswith("word")]
    assert len(worded) == MOST_WORDINGS
    assert sum(example.weight for example in worded) == pytest.approx(LINE_WEIGHT)


def test_examples_are_the_same_every_time() -> None:
    assert read_examples("zh") == read_examples("zh")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("intents:\n  task: [only one]\n", "task needs at least 3"),
        ("intents:\n  task: [same, same, same]\n", "task needs at least 3"),
        ("intents:\n  task: [a, b, c]\n  task: [d, e, f]\n", "task stands twice"),
        ("intents:\n  task: [a, b, c]\n  meta: [a, d, e]\n", "stands under task and under meta"),
        ("intents:\n  shopping: [a, b, c]\n", "knowledge_question"),
        ("intents:\n  task: [a, b, yes]\n", "intents.task.2: Input should be a valid string"),
        ("intents:\n  task: [a, b, '']\n", "at least 1 character"),
        ("intents:\n  task: three\n", "list"),
        ("intents: {}\n", "at least 1"),
        ("", "intents"),
        ("intentions: {}\n", "intentions"),
        ("intents: [\n", "line"),
        ("only_these: true\nintents:\n  task: [a, b, c]\n", "two intents"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"# " + b"x" * MAX_BYTES, "larger than"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_fault(tmp_path: Path, content: str | bytes, fault: str) -> None:
    path = own(tmp_path, content)
    with pytest.raises(ConfigurationError) as raised:
        read_examples("en", path)
    (problem,) = raised.value.problems
    assert str(path) in problem
    assert fault in problem

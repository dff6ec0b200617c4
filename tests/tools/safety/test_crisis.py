from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from flags.errors import ConfigurationError
from tools.safety.crisis import MAX_CHARS, HelpLineAnswers, crisis_in
from tools.safety.crisis_lines import FILE_NAME, SHIPPED, HelpLines, read_help_lines

PHRASES = yaml.safe_load(Path(__file__).with_name("crisis_phrases.yaml").read_text("utf-8"))
LABELLED = [
    (message, None if kind == "none" else kind)
    for by_kind in PHRASES.values()
    for kind, messages in by_kind.items()
    for message in messages
]


def answers() -> HelpLineAnswers:
    return HelpLineAnswers(read_help_lines(SHIPPED.parent / "nowhere"))


def written(folder: Path, text: str) -> Path:
    (folder / FILE_NAME).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(("message", "crisis"), LABELLED)
def test_plain_words_are_heard_and_near_misses_left_alone(message: str, crisis: str | None) -> None:
    assert crisis_in(message) == crisis


def test_half_of_the_phrases_are_chinese_and_half_are_near_misses() -> None:
    chinese = sum(map(len, PHRASES["zh"].values()))
    assert len(LABELLED) >= 120
    assert abs(chinese - len(LABELLED) / 2) <= 4
    assert abs(sum(crisis is None for _, crisis in LABELLED) - len(LABELLED) / 2) <= 12


def test_how_it_is_typed_makes_no_difference() -> None:
    assert crisis_in("I WANT TO KILL MYSELF!!!") == "self_harm"
    assert crisis_in("  i   want\tto kill  myself") == "self_harm"
    assert crisis_in("I don’t want to live anymore") == "self_harm"


def test_one_s_own_crisis_comes_before_somebody_else_s_and_a_denial_takes_nothing_from_it() -> None:
    assert crisis_in("My sister wants to kill herself, and I want to die too.") == "self_harm"
    assert crisis_in("I don't want to kill myself. I just can't go on living.") == "self_harm"
    assert crisis_in("笑死我了。不过说真的，我不想活了") == "self_harm"


@pytest.mark.parametrize("message", ["", " ", "?!", "🙂" * 50, "\0\n", "a" * 100_000, "想" * 100_000, "i " * 50_000])
def test_any_text_is_taken(message: str) -> None:
    assert crisis_in(message) is None


def test_of_a_huge_message_its_beginning_and_end_count() -> None:
    filler = "The harbour was built in 1874. " * MAX_CHARS
    assert crisis_in(f"I want to die. {filler}") == "self_harm"
    assert crisis_in(f"{filler} 我不想活了") == "self_harm"
    assert crisis_in(f"{filler} I want to die. {filler}") is None


@pytest.mark.parametrize(
    ("message", "language", "said"),
    [
        ("I want to die", "en", ["988", "116 123", "12356", "findahelpline.com", "911"]),
        ("我不想活了", "zh", ["12356", "120", "findahelpline.com"]),
        ("My friend is suicidal", "en", ["988", "worry about somebody"]),
        ("我被家暴了", "zh", ["12338", "110", "不是您的错"]),
        ("My husband hits me", "en", ["1-800-799-7233", "not your fault"]),
    ],
)
def test_the_answer_names_lines_that_help_with_it_in_the_asked_language(
    message: str, language: str, said: list[str]
) -> None:
    answer = answers().answer_to(message, language)  # type: ignore[arg-type]
    assert answer is not None
    assert all(part in answer for part in said)
    assert any("\u4e00" <= character <= "\u9fff" for character in answer) == (language == "zh")


@pytest.mark.parametrize("message", [message for message, crisis in LABELLED if crisis])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_answer_diagnoses_or_promises(message: str, language: str) -> None:
    answer = (answers().answer_to(message, language) or "").lower()  # type: ignore[arg-type]
    for word in (
        "depress",
        "disorder",
        "diagnos",
        "promise",
        "be fine",
        "抑郁",
        "病症",
        "诊断",
        "保证",
        "一定会好",
    ):
        assert word not in answer


def test_the_operator_s_lines_take_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    own = "en:\n  - {where: Utopia, name: The Ear, contact: 12345, hours: always}\n"
    lines = read_help_lines(written(tmp_path, own))
    answer = HelpLineAnswers(lines).answer_to("I want to die", "en") or ""
    assert answer.count("- Utopia: The Ear, 12345 (always)") == 2
    assert "988" not in answer


def test_a_language_without_lines_is_told_those_of_the_other(tmp_path: Path) -> None:
    own = "en:\n  - {where: Utopia, name: The Ear, contact: '12345'}\n"
    assert "Utopia" in (HelpLineAnswers(read_help_lines(written(tmp_path, own))).answer_to("我不想活了", "zh") or "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one line"),
        ("en: []", "at least one line"),
        ("- 988", "file:"),
        ("fr:\n  - {where: F, name: n, contact: '3114'}", "fr"),
        ("en:\n  - {where: X, name: n}", "contact"),
        ("en:\n  - {where: X, name: n, contact: '1', helps: [danger]}", "en has no line for self_harm and abuse"),
        ("zh:\n  - {where: X, name: n, contact: '1', helps: [everything]}", "helps"),
        ("en: [", "line 1"),
    ],
)
def test_a_file_that_leaves_somebody_without_help_stops_the_start(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as fault:
        read_help_lines(written(tmp_path, text))
    assert says in str(fault.value)
    assert FILE_NAME in str(fault.value)


def test_the_shipped_lines_help_with_everything_in_both_languages() -> None:
    lines: HelpLines = read_help_lines(SHIPPED.parent / "nowhere")
    for kind in ("self_harm", "abuse", "danger"):
        assert lines.of("en", kind)
        assert lines.of("zh", kind)
        assert lines.of("en", kind) != lines.of("zh", kind)

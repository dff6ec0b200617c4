"""The page's own modules, asked one by one in a real Chromium."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from playwright.sync_api import Page

from app.api.page import FILES
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.server

FEED = """async ([pieces]) => {
    const { FrameParser } = await import("/page/scripts/sse.js");
    const parser = new FrameParser();
    return pieces.flatMap((piece) => [...parser.feed(piece)]);
}"""
DRAW = """async ([text, unsupported]) => {
    const { AnswerText } = await import("/page/scripts/answer-text.js");
    const cite = (id) => (Number(id) < 4 ? Object.assign(document.createElement("button"), { textContent: id }) : null);
    const answer = new AnswerText(cite);
    answer.append(text);
    answer.finish(unsupported);
    return answer.element.innerHTML;
}"""


@pytest.fixture
def page(newcomer: Visitor) -> Page:
    newcomer.come()
    return newcomer.page


def drawn(page: Page, text: str, unsupported: list[dict[str, Any]] | None = None) -> str:
    html = page.evaluate(DRAW, [text, unsupported or []])
    assert isinstance(html, str)
    return html


def test_frames_are_the_same_however_the_bytes_are_cut(page: Page) -> None:
    stream = (
        ': heartbeat\r\n\r\nid: t:1\r\ndata: {"a":1}\r\n\r\nid:t:2\ndata: one\ndata: two\n\nretry: 5\n\ndata: 知音\r\r'
    )
    expected = [{"id": "t:1", "data": '{"a":1}'}, {"id": "t:2", "data": "one\ntwo"}, {"id": "t:2", "data": "知音"}]
    dice = random.Random(7)
    for _ in range(50):
        cuts = sorted(dice.sample(range(len(stream)), dice.randint(0, 12)))
        pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        assert page.evaluate(FEED, [[*pieces, ":"]]) == expected


def test_code_points_become_utf16_offsets(page: Page) -> None:
    text = "a🌱b𝒳c知"
    asked = "async ([text, at]) => (await import('/page/scripts/offsets.js')).utf16Offsets(text, at)"
    for start in range(len(text) + 1):
        expected = len(text[:start].encode("utf-16-le")) // 2
        assert page.evaluate(asked, [text, [start, 99]]) == [expected, 8]


def test_numbers_of_sources_become_buttons_and_others_stay(page: Page) -> None:
    html = drawn(page, "Yes [1], [2, 3] and [9], but `[1]` and [1](https://example.org).")
    assert html.count("<button>") == 3
    assert "and [9], but <code>[1]</code>" in html
    assert "<button>1</button>,</span>" in html


@pytest.mark.parametrize(
    ("text", "sentence", "told"),
    [
        ("🌱 It is so. Nobody knows this. End.", "Nobody knows this.", "Nobody knows this."),
        ("- **Bold claim.**\n- fine [1]", "**Bold claim.**", "Bold claim."),
        ("- **Bold** claim.\n- fine [1]", "**Bold** claim.", "Bold claim."),
        ("- one claim [1].\n- fine", "- one claim [1].", "one claim&nbsp;"),
        ("# A claim\n\nfine", "# A claim", "A claim"),
        ("一。没有依据的话。三。", "没有依据的话。", "没有依据的话。"),
    ],
)
def test_unsupported_sentences_are_underlined_whatever_markdown_they_hold(
    page: Page, text: str, sentence: str, told: str
) -> None:
    start = text.index(sentence)
    html = drawn(page, text, [{"sentence": sentence, "start": start, "end": start + len(sentence)}])
    assert "".join(re.findall(r'<span class="unsupported"[^>]*>([^<]*)<', html)) == told
    assert not {"\u2402", "\u2403"} & set(html)
    assert ("<strong>" in html) == ("**" in text)


def test_lines_that_only_the_margin_broke_run_together_and_keep_their_places(page: Page) -> None:
    text = "Title\nA line that is as long as the page is\nwide and goes on here for a while\nEnd.\n- item"
    asked = "async ([text]) => (await import('/page/scripts/reader.js')).rejoined(text, 0, text.length)"
    rejoined = page.evaluate(asked, [text])
    assert rejoined == "Title\nA line that is as long as the page is wide and goes on here for a while End.\n- item"
    assert page.evaluate(asked, ["这一行一直写到了页边\n然后继续"]) == "这一行一直写到了页边\u200b然后继续"


def test_a_growing_answer_redraws_only_its_last_block(page: Page) -> None:
    same = page.evaluate("""async () => {
        const { AnswerText } = await import("/page/scripts/answer-text.js");
        const answer = new AnswerText(() => null);
        answer.append("First.\\n\\nSecond.\\n\\nThird");
        answer.finish();
        const before = [...answer.element.children];
        answer.append(" grows.\\n\\nFourth.");
        answer.finish();
        const after = [...answer.element.children];
        return before.map((node, i) => node === after[i]);
    }""")
    assert same == [True, True, False]


def test_many_pieces_are_drawn_at_most_once_per_frame(page: Page) -> None:
    draws, frames, length = page.evaluate("""async () => {
        const { AnswerText } = await import("/page/scripts/answer-text.js");
        const answer = new AnswerText(() => null);
        document.body.append(answer.element);
        let draws = 0;
        let frames = 0;
        new MutationObserver(() => (draws += 1)).observe(answer.element, { childList: true });
        const count = () => { frames += 1; requestAnimationFrame(count); };
        requestAnimationFrame(count);
        for (let i = 0; i < 4000; i += 1) {
            answer.append(`word${i} ` + (i % 40 === 39 ? "\\n\\n" : ""));
            if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve));
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
        answer.finish();
        return [draws, frames, answer.element.textContent.length];
    }""")
    assert length > 30_000
    assert 1 < draws <= frames + 2


def test_both_languages_say_the_same_things(page: Page) -> None:
    english, chinese = page.evaluate("""async () => {
        const { strings } = await import("/page/scripts/strings.js");
        return [Object.keys(strings.en), Object.keys(strings.zh)];
    }""")
    labels = {key for key in chinese if key.startswith(("intent.", "emotion."))}
    assert set(english) == set(chinese) - labels


def test_every_string_that_is_asked_for_is_there(page: Page) -> None:
    keys = set(page.evaluate("async () => Object.keys((await import('/page/scripts/strings.js')).strings.en)"))
    rooms = {key.partition(".")[0] for key in keys}
    sources = [FILES / "index.html", *(FILES / "scripts").glob("*.js")]
    asked = {key for path in sources for key in re.findall(r'"([a-z]+\.[a-z_.]+)"', path.read_text())}
    assert {key for key in asked if key.partition(".")[0] in rooms} <= keys

"""The mood view in a real Chromium: weeks of readings drawn, told in words, and erased when the reader says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.moods import keep_moods
from tests.e2e.visitor import Visitor, need_chromium, visitor
from tests.server.processes import Zhiyin

pytestmark = pytest.mark.server

WEEKS = [
    (59.5 - day, emotion, level + (day % 5 - 2) / 12)
    for day in range(60)
    for emotion, level in [("sadness", -0.5) if day < 40 else ("joy", 0.5)]
]
"""Sixty days: low for forty of them, then well."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zhiyin]:
    need_chromium()
    with Zhiyin(tmp_path_factory.mktemp("mood")) as running:
        yield running


@pytest.fixture
def reader(browser: Browser, app: Zhiyin) -> Iterator[Visitor]:
    forget(app)
    with visitor(browser, app.url, reduced_motion="reduce") as someone:
        yield someone


def forget(app: Zhiyin) -> None:
    """Begin anew: no readings, no choice."""
    with closing(sqlite3.connect(app.folder / "var" / "zhiyin.db")) as connection, connection:
        connection.execute("DELETE FROM moods")
        connection.execute("DELETE FROM mood_opt_outs")


def remember(app: Zhiyin) -> None:
    keep_moods(app.folder / "var" / "zhiyin.db", WEEKS, "local", "local")


def open_mood(page: Page) -> None:
    page.get_by_role("button", name="Your mood over time").click()
    expect(page.locator("#panel h2")).to_have_text("Your mood")


def test_who_has_said_nothing_is_told_what_will_stand_there(reader: Visitor) -> None:
    reader.come()
    open_mood(reader.page)
    expect(reader.page.locator(".mood-none")).to_contain_text("No readings in these days")
    expect(reader.page.get_by_role("switch")).to_have_attribute("aria-checked", "true")


def test_a_message_appears_in_the_open_view_once_it_is_answered(reader: Visitor) -> None:
    page = reader.page
    reader.come()
    open_mood(page)
    expect(page.locator(".mood-none")).to_be_visible()
    reader.ask("I am so happy today, thank you!")
    reader.await_answer()
    expect(page.locator(".mood-dot")).to_have_count(1)
    expect(page.locator(".mood-few")).to_contain_text("too few readings")
    expect(page.locator(".mood-trend")).to_have_count(0)


def test_weeks_are_drawn_with_their_change_and_told_in_words(reader: Visitor, app: Zhiyin) -> None:
    remember(app)
    page = reader.page
    reader.come()
    open_mood(page)
    expect(page.get_by_role("button", name="30 days")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".mood-dot")).to_have_count(30)
    page.get_by_role("button", name="90 days").click()
    expect(page.locator(".mood-dot")).to_have_count(60)
    expect(page.locator(".mood-change")).to_have_count(1)
    expect(page.locator(".mood-changes li")).to_contain_text("from -0.5")
    expect(page.get_by_role("img", name="Valence of 60 readings over 90 days")).to_be_visible()
    expect(page.locator(".mood-facts")).to_contain_text("Expected next")
    bars = page.locator(".mood-bars li")
    expect(bars).to_have_count(2)
    expect(bars.first).to_contain_text("sadness")
    expect(bars.first).to_contain_text("67 %")
    page.get_by_role("button", name="7 days").click()
    expect(page.locator(".mood-dot")).to_have_count(7)
    expect(page.locator(".mood-few")).to_be_visible()


def test_everything_drawn_lies_within_the_drawing(reader: Visitor, app: Zhiyin) -> None:
    remember(app)
    page = reader.page
    reader.come()
    open_mood(page)
    expect(page.locator(".mood-dot")).to_have_count(30)
    frame = page.locator(".mood-chart").bounding_box()
    assert frame is not None
    for mark in page.locator(".mood-dot, .mood-next, .mood-tick").all():
        box = mark.bounding_box()
        assert box is not None
        assert frame["x"] - 1 <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
        assert frame["y"] - 1 <= box["y"]
        assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1


def test_the_readings_can_be_read_as_a_table(reader: Visitor, app: Zhiyin) -> None:
    remember(app)
    page = reader.page
    reader.come()
    open_mood(page)
    page.get_by_text("All readings as a table").click()
    expect(page.get_by_role("row")).to_have_count(31)
    expect(page.get_by_role("row").nth(1)).to_contain_text("joy")


def test_stopping_asks_first_then_erases_and_can_be_taken_back(reader: Visitor, app: Zhiyin) -> None:
    remember(app)
    page = reader.page
    reader.come()
    open_mood(page)
    switch = page.get_by_role("switch", name="Record how my messages feel")
    expect(page.locator(".mood-dot")).to_have_count(30)
    switch.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    page.get_by_role("dialog").get_by_role("button", name="Stop and erase").click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.locator(".mood-none")).to_contain_text("Your mood is not recorded")
    reader.ask("I am so happy today, thank you!")
    reader.await_answer()
    expect(page.locator(".mood-dot")).to_have_count(0)
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(page.locator(".mood-none")).to_contain_text("No readings")


def test_the_view_follows_the_language_and_the_keyboard(reader: Visitor, app: Zhiyin) -> None:
    remember(app)
    page = reader.page
    reader.come()
    open_mood(page)
    expect(page.locator(".mood-dot")).to_have_count(30)
    page.locator("#language").click()
    expect(page.locator("#panel h2")).to_have_text("你的心情")
    expect(page.locator(".mood-bars")).to_contain_text("喜悦")
    expect(page.locator(".mood-word").first).to_have_text("愉快")
    page.locator("#language").click()
    page.get_by_role("button", name="90 days").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".mood-dot")).to_have_count(60)
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator("#mood")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_in_either_light_shows_all_of_it(browser: Browser, app: Zhiyin, scheme: str) -> None:
    forget(app)
    remember(app)
    size = {"width": 360, "height": 740}
    with visitor(browser, app.url, viewport=size, color_scheme=scheme, reduced_motion="reduce") as someone:
        someone.come()
        open_mood(someone.page)
        expect(someone.page.locator(".mood-dot")).to_have_count(30)
        wide = someone.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"]

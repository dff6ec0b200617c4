"""The paths of answers in a real Chromium: read as a line, opened hop by hop, drawn on the graph."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.graph_server import GraphServer
from tests.e2e.graph_stories import Story
from tests.e2e.test_graph import COLOUR, PIXEL, settled
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.server

ACCENT = """() => {
    const probe = document.querySelector(".graph-path .path-hop");
    return getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).map(Number);
}"""


def test_the_path_of_an_answer_reads_as_a_line_and_each_hop_shows_its_sentence(
    reader: Visitor, server: GraphServer
) -> None:
    page = reader.page
    server.says_path(("Lowick harbour", "Ada Merrow", True), ("Ada Merrow", "On Tidal Works", False))
    reader.come()
    reader.ask("What else did the engineer of Lowick harbour make?")
    path = page.locator(".path")
    line = "Lowick harbour —created by→ Ada Merrow ←created by— On Tidal Works"
    expect(path.locator(".path-line")).to_have_text(line)
    second = path.get_by_role("button", name="created by").nth(1)
    second.click()
    expect(second).to_have_attribute("aria-expanded", "true")
    expect(path.locator("blockquote")).to_have_text("Ada Merrow wrote On Tidal Works, a treatise on breakwaters.")
    expect(path.locator(".path-sentence")).to_contain_text("92 % sure")
    path.get_by_role("button", name="Open in the document").click()
    expect(page.locator("#panel mark")).to_have_text("Ada Merrow wrote On Tidal Works, a treatise on breakwaters.")
    page.keyboard.press("Escape")
    second.click()
    expect(path.locator("blockquote")).to_be_hidden()
    page.locator(".cite").hover()
    expect(page.locator("#card .path-line")).to_have_text(line)


def test_a_path_is_drawn_on_the_graph_around_it(reader: Visitor, server: GraphServer) -> None:
    page = reader.page
    server.says_path(("Lowick harbour", "Ada Merrow", True), ("Ada Merrow", "Tarn Bay", True))
    reader.come()
    reader.ask("Where was the engineer of Lowick harbour born?")
    page.get_by_role("button", name="Show on the graph").click()
    settled(page)
    expect(page.locator(".graph-path .path-line")).to_contain_text("Ada Merrow —located in→ Tarn Bay")
    page.wait_for_timeout(50)
    for hop in (["Lowick harbour", "Ada Merrow"], ["Ada Merrow", "Tarn Bay"]):
        (x0, y0), (x1, y1) = page.evaluate(PIXEL, hop[:1]), page.evaluate(PIXEL, hop[1:])
        quarter = [x0 + (x1 - x0) * 0.3, y0 + (y1 - y0) * 0.3]
        assert page.evaluate(COLOUR, quarter)[:3] == pytest.approx(page.evaluate(ACCENT), abs=6)
    page.reload()
    settled(page)
    page.locator(".graph-path").get_by_role("button", name="located in").click()
    expect(page.locator("#panel blockquote")).to_have_text("Ada Merrow was born in Tarn Bay in 1841.")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Take the path away").click()
    expect(page.locator(".graph-path")).to_be_hidden()
    page.get_by_role("button", name="Back to the conversation").click()
    expect(page.locator("#message")).to_be_visible()


def test_a_path_whose_document_is_gone_says_so(reader: Visitor, server: GraphServer) -> None:
    server.says_path(("Lowick harbour", "Ada Merrow", True), ("Ada Merrow", "Tarn Bay", True))
    reader.come()
    reader.ask("Where was the engineer of Lowick harbour born?")
    story = server.story
    kept = [node for node in story.nodes if node.name != "Tarn Bay"]
    server.story = Story(kept, story.edges, story.communities, story.documents)
    reader.page.get_by_role("button", name="Show on the graph").click()
    expect(reader.page.locator(".graph-path")).to_contain_text("A part of this path is no longer in the graph.")

"""The graph view before the real app: what it draws was read out of the documents that a visitor dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.graph_stories import DOCUMENTS
from tests.e2e.test_graph import click, look
from tests.e2e.visitor import Visitor, need_chromium, visitor
from tests.server.processes import Zhiyin

pytestmark = pytest.mark.server

GRAPH = "/api/v1/knowledge/graph/default"


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Zhiyin]:
    """An app that has read the three documents about Lowick."""
    need_chromium()
    with Zhiyin(tmp_path_factory.mktemp("harbour")) as app, visitor(browser, app.url) as someone:
        someone.come()
        for title, text in DOCUMENTS.values():
            someone.add(f"{title}.txt", text.encode(), "text/plain")
        yield app


@pytest.fixture
def reader(browser: Browser, harbour: Zhiyin) -> Iterator[Visitor]:
    with visitor(browser, harbour.url, reduced_motion="reduce") as someone:
        yield someone


def asked(page: Page, path: str) -> dict[str, Any]:
    """What the API answers."""
    return json.loads(page.request.get(f"{page.url.split('/#')[0]}{path}").text())


def test_the_graph_of_dropped_documents_is_drawn_and_its_nodes_lead_to_their_passages(reader: Visitor) -> None:
    page = look(reader)
    part = asked(page, GRAPH)
    expect(page.locator(".graph-remarks")).to_contain_text(f"{len(part['nodes'])} entities")
    click(page, "Ada Merrow")
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_have_text("Ada Merrow")
    passages = asked(page, f"{GRAPH}/passages?entity=ada%20merrow")["items"]
    assert len(passages) >= 2
    expect(panel.locator(".passage")).to_have_count(len(passages))
    panel.locator(".passage", has_text="The life of Ada Merrow").click()
    expect(panel.locator("mark .mention")).to_have_text("Ada Merrow")


def test_an_edge_of_dropped_documents_leads_to_its_sentence(reader: Visitor) -> None:
    page = look(reader)
    part = asked(page, GRAPH)
    surest = max(part["edges"], key=lambda edge: edge["confidence"])
    names = {node["id"]: node["name"] for node in part["nodes"]}
    source, target = surest["source"], surest["target"]
    said = asked(page, f"{GRAPH}/evidence?source={quote(source)}&target={quote(target)}")["items"]
    click(page, names[source], names[target])
    panel = page.locator("#panel")
    expect(panel.locator(".passage blockquote").first).to_have_text(said[0]["sentence"])
    panel.locator(".passage").first.click()
    expect(panel.locator("mark")).to_have_text(said[0]["sentence"])


def test_a_question_over_two_documents_shows_its_path_and_draws_it(reader: Visitor) -> None:
    page = reader.page
    reader.come()
    reader.ask("Where was Ada Merrow, the engineer who built Lowick harbour, born?")
    reader.await_answer()
    for hidden in page.locator(".sources details").all():
        hidden.locator("summary").click()
    path = page.locator(".path").last
    line = path.locator(".path-line").inner_text()
    path.locator(".path-hop").first.click()
    expect(path.locator("blockquote")).not_to_be_empty()
    path.get_by_role("button", name="Show on the graph").click()
    expect(page.locator(".graph-stage[data-settled]")).to_be_visible()
    expect(page.locator(".graph-path .path-line")).to_have_text(line)
    expect(page.locator(".graph-path small")).to_have_count(0)


def test_a_deleted_document_leaves_the_graph(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    with Zhiyin(tmp_path_factory.mktemp("forgetful")) as app, visitor(browser, app.url) as someone:
        page = someone.page
        someone.come()
        for title, text in DOCUMENTS.values():
            someone.add(f"{title}.txt", text.encode(), "text/plain")
        look(someone)
        assert any(node["name"] == "Norlund Railway" for node in asked(page, GRAPH)["nodes"])
        page.locator("#documents").click()
        page.get_by_role("button", name="Delete Tarn Bay.txt").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        page.get_by_role("button", name="List").click()
        expect(page.locator(".graph-list tbody tr", has_text="Ada Merrow").first).to_be_visible()
        expect(page.locator(".graph-list tbody tr", has_text="Norlund Railway")).to_have_count(0)

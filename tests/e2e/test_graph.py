"""The graph view in a real Chromium, before a server that answers as the API does."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.graph_bench import measure
from tests.e2e.graph_server import GraphServer
from tests.e2e.graph_stories import Story, crowd
from tests.e2e.visitor import Visitor, visitor

pytestmark = pytest.mark.server

PIXEL = """async (names) => {
    const { shownGraph } = await import("/page/scripts/graph-door.js");
    return shownGraph().pixelOf(...names);
}"""
COLOUR = """([x, y]) => {
    const canvas = document.querySelector(".graph-canvas");
    const { left, top, width } = canvas.getBoundingClientRect();
    const ratio = canvas.width / width;
    const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, (left - x) * ratio, (top - y) * ratio);
    return [...copy.getImageData(0, 0, 1, 1).data];
}"""


def look(someone: Visitor, address: str = "/#/graph") -> Page:
    """Open the graph and wait until it is laid out."""
    someone.page.goto(someone.url + address)
    return settled(someone.page)


def settled(page: Page) -> Page:
    expect(page.locator(".graph-stage[data-settled]")).to_be_visible()
    expect(page.locator(".graph-progress")).to_be_hidden()
    return page


def click(page: Page, *names: str) -> None:
    """Click the node of that name, or the link between two."""
    page.mouse.click(*page.evaluate(PIXEL, list(names)))


def distance(page: Page, first: str, second: str) -> float:
    (x0, y0), (x1, y1) = page.evaluate(PIXEL, [first]), page.evaluate(PIXEL, [second])
    return float(((x0 - x1) ** 2 + (y0 - y1) ** 2) ** 0.5)


def test_the_graph_opens_by_its_button_and_its_address_and_leads_back(reader: Visitor) -> None:
    page = reader.page
    reader.come()
    page.get_by_role("button", name="Show the knowledge graph").click()
    settled(page)
    assert page.evaluate("location.hash") == "#/graph"
    expect(page.locator("#graph h2")).to_be_focused()
    expect(page.locator("#message")).to_be_hidden()
    page.get_by_role("button", name="Back to the conversation").click()
    expect(page.locator("#message")).to_be_visible()
    expect(page.locator("#graph-toggle")).to_be_focused()
    page.go_back()
    expect(page.locator(".graph-canvas")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#message")).to_be_focused()
    page.goto("about:blank")
    look(reader)
    expect(page.locator(".graph-remarks")).to_contain_text("25 entities, 21 relations")


def test_a_click_on_a_node_shows_its_passages_and_they_open_with_the_mention_marked(reader: Visitor) -> None:
    page = look(reader)
    click(page, "Tom Arkle")
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_have_text("Tom Arkle")
    expect(panel.locator(".entity-facts")).to_contain_text("Person")
    expect(panel.locator(".neighbours .chip")).to_have_text(["Gull Rock light", "Merrow & Daughters"])
    panel.locator(".passage").click()
    expect(panel.locator("mark")).to_contain_text("Ada Merrow was born in Tarn Bay")
    expect(panel.locator("mark .mention")).to_have_text("Tom Arkle")
    expect(panel.locator(".mention")).to_be_in_viewport()
    panel.get_by_role("button", name="Back to the graph's details").click()
    expect(panel.locator("h2")).to_have_text("Tom Arkle")
    panel.locator(".chip", has_text="Gull Rock light").click()
    expect(panel.locator("h2")).to_have_text("Gull Rock light")


def test_a_click_on_an_edge_shows_the_sentence_that_says_so(reader: Visitor) -> None:
    page = look(reader)
    click(page, "Tarn Bay", "Norlund")
    panel = page.locator("#panel")
    card = panel.locator(".passage")
    expect(card.locator(".card-how")).to_contain_text("Tarn Bay —located in→ Norlund")
    expect(card.locator(".card-how small")).to_have_text("95 %")
    expect(card.locator("blockquote")).to_have_text("Tarn Bay lies in the county of Norlund.")
    card.click()
    expect(panel.locator("mark")).to_have_text("Tarn Bay lies in the county of Norlund.")


def test_the_pointer_learns_who_it_is_over(reader: Visitor) -> None:
    page = look(reader)
    page.mouse.move(*page.evaluate(PIXEL, ["Ada Merrow"]))
    expect(page.locator(".graph-tip")).to_contain_text("Ada Merrow")
    expect(page.locator(".graph-tip")).to_contain_text("Person")
    page.mouse.move(*page.evaluate(PIXEL, ["Dredging", "Silting"]))
    expect(page.locator(".graph-tip strong")).to_have_text("DredgingpreventsSilting")


def test_wheel_buttons_and_keys_zoom_and_move(reader: Visitor) -> None:
    page = look(reader)
    pair = ("Ada Merrow", "Tarn Bay")
    before = distance(page, *pair)
    place = page.evaluate(PIXEL, ["Ada Merrow"])
    page.mouse.move(*place)
    page.mouse.wheel(0, -200)
    wheeled = distance(page, *pair)
    assert wheeled > before * 1.2
    assert page.evaluate(PIXEL, ["Ada Merrow"]) == pytest.approx(place, abs=1)
    page.get_by_role("button", name="Zoom out").click()
    assert distance(page, *pair) < wheeled
    page.locator(".graph-canvas").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(PIXEL, ["Ada Merrow"])[0] > place[0]
    page.keyboard.press("0")
    page.wait_for_timeout(50)
    assert distance(page, *pair) == pytest.approx(before, rel=0.02)
    page.keyboard.press("+")
    assert distance(page, *pair) == pytest.approx(before * 1.25, rel=0.02)


def test_dragging_moves_the_drawing_and_chooses_nothing(reader: Visitor) -> None:
    page = look(reader)
    x, y = page.evaluate(PIXEL, ["Ada Merrow"])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y + 30, steps=4)
    page.mouse.up()
    assert page.evaluate(PIXEL, ["Ada Merrow"]) == pytest.approx([x + 80, y + 30], abs=12)
    expect(page.locator("#panel")).to_be_hidden()


def test_a_search_asks_the_server_and_shows_what_is_around(reader: Visitor, server: GraphServer) -> None:
    page = look(reader)
    page.get_by_label("Find an entity by its name").fill("Ada Merrow")
    page.keyboard.press("Enter")
    expect(page.locator(".graph-remarks")).to_contain_text("Around “Ada Merrow”: 6 entities")
    assert server.asked[-1] == {"q": "Ada Merrow", "hops": 1, "limit": 300}
    page.get_by_label("How far around it").select_option("2")
    expect(page.locator(".graph-remarks")).to_contain_text("Around “Ada Merrow”: 15 entities")
    assert page.evaluate("location.hash") == "#/graph?q=Ada+Merrow&hops=2"
    page.go_back()
    expect(page.locator(".graph-remarks")).to_contain_text("6 entities")
    page.get_by_role("button", name="Show the whole graph").click()
    expect(page.locator(".graph-remarks")).to_contain_text("25 entities")


def test_the_list_holds_what_is_drawn_and_works_by_keyboard(reader: Visitor) -> None:
    page = look(reader)
    page.get_by_role("button", name="List").focus()
    page.keyboard.press("Enter")
    rows = page.locator(".graph-list tbody tr")
    expect(rows).to_have_count(25)
    expect(page.locator(".graph-canvas")).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text("Tarn Bay")
    page.keyboard.press("Escape")
    expect(rows.first.get_by_role("button")).to_be_focused()


def test_a_kind_can_be_hidden_and_colours_can_tell_communities(reader: Visitor) -> None:
    page = look(reader)
    place = page.evaluate(PIXEL, ["Ada Merrow"])
    assert page.evaluate(COLOUR, place)[:3] == [43, 95, 208]
    page.locator(".graph-legend").get_by_role("button", name="Person").click()
    page.wait_for_timeout(50)
    assert page.evaluate(COLOUR, place)[:3] != [43, 95, 208]
    click(page, "Ada Merrow")
    expect(page.locator("#panel")).to_be_hidden()
    page.locator(".graph-legend").get_by_role("button", name="Communities").click()
    page.locator(".graph-legend li button", has_text="Tarn Bay").click()
    expect(page.locator("#panel .summary")).to_have_text("Tarn Bay and the county around it.")
    expect(page.locator("#panel .chip").first).to_have_text("Tarn Bay")


def test_every_kind_has_a_shape_of_its_own_and_stands_out_in_both_themes(reader: Visitor) -> None:
    page = look(reader)
    contrasts = """() => {
        const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((value) => {
            const part = value / 255;
            return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        const shares = [0.2126, 0.7152, 0.0722];
        const light = (colour) => channels(colour).reduce((sum, part, i) => sum + part * shares[i], 0);
        const paper = light(getComputedStyle(document.body).backgroundColor) + 0.05;
        return [...document.querySelectorAll(".graph-legend .swatch")].map((swatch) => {
            const own = light(getComputedStyle(swatch).color) + 0.05;
            return Math.max(paper / own, own / paper);
        });
    }"""
    outlines = page.locator(".graph-legend .swatch path").evaluate_all("paths => paths.map((path) => path.outerHTML)")
    assert len(outlines) == len(set(outlines)) == 10
    for theme in ("light", "dark"):
        page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
        assert min(page.evaluate(contrasts)) >= 3


@pytest.mark.parametrize("tongue", ["en", "zh"])
@pytest.mark.parametrize(
    ("state", "english", "chinese"),
    [
        ("empty", "There is no graph yet", "还没有图谱"),
        ("unbuilt", "These documents have no graph", "这些文档没有图谱"),
        ("building", "Building the graph", "正在构建图谱"),
        ("behind", "The graph has not caught up", "图谱还没有跟上"),
        ("nameless", "No entities were found", "没有找到实体"),
        ("unknown", "Nothing here is called “Nemo”", "这里没有叫“Nemo”的实体"),
        ("away", "The graph cannot be reached just now", "现在连不上图谱"),
    ],
)
def test_an_empty_view_says_why_and_what_to_do(
    browser: Browser, server: GraphServer, tongue: str, state: str, english: str, chinese: str
) -> None:
    documents = server.story.documents
    if state == "empty":
        server.story = Story()
    elif state not in {"unknown", "away"}:
        server.story = Story(documents=documents)
    server.status = {
        "unbuilt": {"index_type": "vector"},
        "building": {"status": "indexing", "stage": "graph", "progress": 0.93},
        "behind": {"notices": ["graph_behind"]},
    }.get(state, {})
    server.refusal = (503, "store_unavailable") if state == "away" else None
    with visitor(browser, server.url, locale={"en": "en-US", "zh": "zh-CN"}[tongue]) as someone:
        page = someone.page
        page.goto(server.url + ("/#/graph?q=Nemo" if state == "unknown" else "/#/graph"))
        over = page.locator(".graph-over")
        expect(over).to_contain_text(english if tongue == "en" else chinese)
        if state == "building":
            server.status, server.story = {}, crowd(20, 30)
            expect(over).to_be_hidden()
        else:
            expect(over.get_by_role("button")).to_have_count(1)
        if state == "away":
            someone.complaints.clear()  # Chromium reports each 503 on the console
            server.refusal = None
            over.get_by_role("button").click()
            expect(over).to_be_hidden()
        if state == "unbuilt":
            over.get_by_role("button").click()
            page.wait_for_timeout(200)
            assert {"dataset_id": "default", "index_type": "hybrid"} in server.asked


def test_a_cut_graph_says_so_and_shows_more_on_demand(reader: Visitor, server: GraphServer) -> None:
    server.story = crowd(700, 1500)
    page = look(reader)
    expect(page.locator(".graph-remarks")).to_contain_text("The 300 most mentioned entities")
    expect(page.locator(".graph-remarks")).to_contain_text("search a name to see others")
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".graph-remarks")).to_contain_text("700 entities")
    assert server.asked[-1]["limit"] == 1000


def test_a_graph_that_is_behind_says_so(reader: Visitor, server: GraphServer) -> None:
    server.degraded = True
    page = look(reader)
    expect(page.locator(".graph-remarks .warn")).to_contain_text("the graph has not caught up")
    server.degraded = False
    page.get_by_role("button", name="Look again").click()
    expect(page.locator(".graph-remarks .warn")).to_have_count(0)


def test_the_view_speaks_the_readers_language(chinese_reader: Visitor) -> None:
    page = look(chinese_reader)
    expect(page.locator("#graph h2")).to_have_text("知识图谱")
    expect(page.locator(".graph-remarks")).to_have_text("25 个实体，21 条关系")
    click(page, "Tarn Bay", "Norlund")
    expect(page.locator("#panel .card-how")).to_contain_text("Tarn Bay —位于→ Norlund")
    page.locator("#language").click()
    expect(page.locator("#panel .card-how")).to_contain_text("Tarn Bay —located in→ Norlund")
    expect(page.locator(".graph-remarks")).to_contain_text("25 entities")
    expect(page.locator(".graph-legend")).to_contain_text("Organization")


def test_another_data_set_is_another_graph(reader: Visitor, server: GraphServer) -> None:
    server.others["tea"] = crowd(30, 40)
    page = look(reader)
    page.get_by_label("Data set").select_option("tea")
    expect(page.locator(".graph-remarks")).to_contain_text("30 entities")
    assert page.evaluate("location.hash") == "#/graph?dataset=tea"


def test_the_documents_tell_what_their_graph_holds_and_lead_to_it(reader: Visitor) -> None:
    page = reader.page
    reader.come()
    page.locator("#documents").click()
    page.get_by_role("link", name="25 entities, 21 relations").click()
    settled(page)
    expect(page.locator("#graph h2")).to_have_text("Knowledge graph")


def test_an_upload_tells_every_stage_until_the_graph_is_built(reader: Visitor, server: GraphServer) -> None:
    server.stages = [("queued", 0.0), ("parsing", 0.2), ("embedding", 0.5), ("storing", 0.8)]
    server.graph_polls = 4
    reader.come()
    reader.page.evaluate("""() => {
        window.told = [];
        new MutationObserver(() => {
            const words = document.querySelector(".upload-state")?.textContent.replace(/[\\d %]+$/, "");
            if (words && words !== window.told.at(-1)) window.told.push(words);
        }).observe(document.querySelector(".uploads"), { childList: true, subtree: true, characterData: true });
    }""")
    reader.add("new.txt", b"Some words.", "text/plain")
    told = reader.page.evaluate("window.told")
    assert told[-6:] == ["Queued", "Reading", "Embedding", "Storing", "Building the graph", "Ready"]


def test_a_phone_shows_the_graph_without_scrolling_sideways(browser: Browser, server: GraphServer) -> None:
    with visitor(browser, server.url, viewport={"width": 360, "height": 740}, has_touch=True) as someone:
        page = look(someone)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        expect(page.locator(".graph-legend ul")).to_be_hidden()
        page.touchscreen.tap(*page.evaluate(PIXEL, ["Ada Merrow"]))
        expect(page.locator("#panel h2")).to_have_text("Ada Merrow")
        page.locator("#panel").get_by_role("button", name="Close").click()
        expect(page.locator(".graph-canvas")).to_be_visible()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_five_thousand_nodes_stay_usable(browser: Browser, server: GraphServer) -> None:
    figures = measure(browser, server)
    assert figures.arranging_ms < 100
    assert figures.arranged_ms < 100
    assert figures.longest_task_ms < 1000

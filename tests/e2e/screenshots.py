"""Take the README's pictures of the running app: `python -m tests.e2e.screenshots docs/images`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.graph_stories import DOCUMENTS
from tests.e2e.visitor import Visitor, chromium, visitor
from tests.server.processes import Zhiyin
from tests.tools.knowledge.files import pdf

HANDBOOK = (
    "The Lowick Harbour Handbook\n"
    "\n"
    "The harbour\n"
    "\n"
    "Lowick harbour was built between 1874 and 1879 by the engineer Ada\n"
    "Merrow. Its north pier is 412 metres long and carries a light that can\n"
    "be seen from eleven miles at sea.\n",
    "The fleet\n"
    "\n"
    "At its height, in 1908, the herring fleet counted 214 boats and gave\n"
    "work to every third family of the town. In 1931 the fleet moved to\n"
    "Tarn Bay, because the harbour mouth had begun to silt up and the boats\n"
    "could no longer leave at low tide.\n",
    "The lighthouse\n"
    "\n"
    "The lighthouse stands on Gull Rock and was lit for the first time on\n"
    "3 March 1881. Since 1986 it has been looked after by volunteers, who\n"
    "open it to visitors on the first Sunday of each month.\n",
)
LONGJING = """# 龙井茶手册

## 产地与历史

龙井茶产于浙江杭州西湖一带，已有一千二百余年历史。明代时列为上品，清代乾隆皇帝六次下江南，四次到龙井茶区观看采茶。

## 采摘与炒制

龙井茶以清明前采制的“明前茶”品质最佳，谷雨前采制的“雨前茶”次之。特级龙井一斤需要三万六千个嫩芽，全部手工炒制，有抓、抖、搭、捺、甩等十大手法。

## 冲泡与保存

冲泡龙井宜用八十至八十五摄氏度的水，每三克茶配一百五十毫升水。茶叶应密封、避光、低温保存，最好在十二个月内饮用。
"""
SIZE = {"width": 1280, "height": 800}


def main() -> None:
    """Write the pictures into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        with app() as url, seated(browser, url, locale="en-US", color_scheme="light") as someone:
            english(someone, folder)
        with app() as url, seated(browser, url, locale="zh-CN", color_scheme="dark") as someone:
            chinese(someone, folder)
        with app() as url, seated(browser, url, locale="en-US", color_scheme="light") as someone:
            graph(someone, folder)


@contextmanager
def app() -> Iterator[str]:
    """An app without documents or conversations."""
    with tempfile.TemporaryDirectory() as folder, Zhiyin(Path(folder)) as running:
        yield running.url


@contextmanager
def seated(browser: Browser, url: str, **options: str) -> Iterator[Visitor]:
    """A visitor with a sharp screen and no patience for animations."""
    with visitor(browser, url, viewport=SIZE, device_scale_factor=1.5, reduced_motion="reduce", **options) as someone:
        someone.page.goto(url)
        expect(someone.page.locator(".invitation")).to_be_visible()
        yield someone


def english(someone: Visitor, folder: Path) -> None:
    """The start of a conversation, and an answer with its passage open."""
    page = someone.page
    someone.add("Lowick Harbour Handbook.pdf", pdf(*HANDBOOK))
    quiet(page)
    expect(page.locator(".examples button").first).to_be_visible()
    page.screenshot(path=folder / "page-start-en.png")
    someone.ask("When was the lighthouse lit for the first time?")
    someone.await_answer()
    someone.ask("Why did the herring fleet move to Tarn Bay?")
    someone.await_answer()
    page.locator(".answer").last.locator(".cite").first.click()
    expect(page.locator("#panel mark")).to_be_visible()
    page.screenshot(path=folder / "page-light-en.png")


def chinese(someone: Visitor, folder: Path) -> None:
    """An answer with its steps open."""
    page = someone.page
    someone.add("龙井茶手册.md", LONGJING.encode(), "text/markdown")
    quiet(page)
    someone.ask("冲泡龙井用多少度的水？")
    someone.await_answer()
    page.locator(".steps summary").last.click()
    page.screenshot(path=folder / "page-dark-zh.png")


def graph(someone: Visitor, folder: Path) -> None:
    """The graph of three documents with an entity chosen, and the path of an answer drawn on it."""
    page = someone.page
    for title, text in DOCUMENTS.values():
        someone.add(f"{title}.txt", text.encode(), "text/plain")
    quiet(page)
    someone.ask("Where was Ada Merrow, the engineer who built Lowick harbour, born?")
    someone.await_answer()
    page.locator(".path-show:visible").last.click()
    settle(page)
    page.screenshot(path=folder / "graph-path-en.png")
    page.get_by_role("button", name="Show the whole graph").click()
    settle(page)
    page.get_by_role("button", name="Communities").click()
    page.get_by_role("button", name="List").click()
    page.locator(".graph-list").get_by_role("button", name="Ada Merrow", exact=True).click()
    page.get_by_role("button", name="List").click()
    expect(page.locator("#panel .passage").first).to_be_visible()
    page.screenshot(path=folder / "graph-light-en.png")


def settle(page: Page) -> None:
    """Wait until the graph is laid out."""
    expect(page.locator(".graph-stage[data-settled]")).to_be_visible()
    expect(page.locator(".graph-progress")).to_be_hidden()
    page.wait_for_timeout(300)


def quiet(page: Page) -> None:
    """Wait until the uploads' tray is empty."""
    expect(page.locator(".uploads li")).to_have_count(0)


if __name__ == "__main__":
    main()

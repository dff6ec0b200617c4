"""Somebody at the page: a real Chromium, and the few things a visitor does."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DROP = """([name, type, content]) => {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type }));
    for (const kind of ["dragenter", "dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
}"""
PATIENCE_MS = 30_000


def need_chromium() -> None:
    """Skip where there is no browser, but in CI never."""
    if not CHROMIUM.exists() and os.environ.get("CI") != "true":
        pytest.skip(f"{CHROMIUM} is not there: run scripts/install-test-servers")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """A page in a profile of its own, and what it did that a visitor would not see."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def come(self, path: str = "/") -> None:
        """Open the page and wait until it is alive."""
        self.page.goto(self.url + path)
        expect(self.page.locator("#send")).to_have_attribute("aria-label", "Send")

    def drop(self, name: str, content: bytes, media_type: str = "application/pdf") -> None:
        """Drop a file anywhere."""
        self.page.evaluate(DROP, [name, media_type, base64.b64encode(content).decode()])

    def add(self, name: str, content: bytes, media_type: str = "application/pdf") -> None:
        """Drop a file and wait until it can be asked about."""
        self.drop(name, content, media_type)
        row = self.page.locator(".uploads li", has_text=name)
        expect(row).to_have_class("ready")

    def ask(self, question: str) -> None:
        """Type a question and press Enter."""
        self.page.locator("#message").fill(question)
        self.page.keyboard.press("Enter")

    def await_answer(self) -> None:
        """Wait until the last answer is complete."""
        expect(self.page.locator(".answer").last.locator(".steps")).to_be_visible()
        expect(self.page.locator(".answer[aria-busy]")).to_have_count(0)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def watch(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.strangers.append(request.url)


@contextmanager
def visitor(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """A visitor whose page asks nobody else and complains of nothing."""
    context = browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 800}, **options})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    someone = Visitor(page, url)
    page.on("console", someone.hear)
    page.on("request", someone.watch)
    page.on("pageerror", lambda error: someone.complaints.append(str(error)))
    try:
        yield someone
        assert someone.strangers == []
        assert someone.complaints == []
    finally:
        context.close()

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import httpx
from fastapi import FastAPI

from app.api.page import FILES, mount_page


def client() -> httpx.AsyncClient:
    app = FastAPI()
    mount_page(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page")


async def test_the_page_stands_at_the_root_under_a_policy_that_lets_nothing_in() -> None:
    async with client() as http:
        answer = await http.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_an_unchanged_file_is_not_sent_again() -> None:
    async with client() as http:
        first = await http.get("/page/scripts/main.js")
        again = await http.get("/page/scripts/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


async def test_every_module_is_sent_as_javascript() -> None:
    scripts = [path for path in FILES.rglob("*") if path.suffix in {".js", ".mjs"}]
    async with client() as http:
        kinds = {(await http.get(f"/page/{path.relative_to(FILES)}")).headers["content-type"] for path in scripts}
    assert len(scripts) > 20
    assert kinds == {"text/javascript; charset=utf-8"}


async def test_paths_do_not_lead_out_of_the_page() -> None:
    async with client() as http:
        for path in ("/page/../page.py", "/page/%2e%2e/%2e%2e/pyproject.toml", "/page/nothing.js", "/page"):
            assert (await http.get(path)).status_code in {404, 307}


def test_no_file_of_the_page_names_another_host() -> None:
    ours = [path for path in FILES.rglob("*") if path.suffix in {".js", ".css", ".html", ".svg"}]
    addresses = {address for path in ours if "vendor" not in path.parts for address in _addresses(path)}
    assert addresses == {"http://www.w3.org/2000/svg"}


def test_markup_holds_no_inline_script_and_no_inline_style() -> None:
    page = (FILES / "index.html").read_text()
    assert "style=" not in page
    assert "<style" not in page
    assert not re.search(r"\son\w+=", page)
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)


def test_vendored_libraries_are_the_ones_that_notice_names() -> None:
    notice = (FILES.parent.parent / "NOTICE").read_text()
    libraries = [path for path in (FILES / "vendor").iterdir() if path.suffix in {".js", ".mjs"}]
    assert len(libraries) == 6
    for library in libraries:
        assert library.name in notice
        assert hashlib.sha256(library.read_bytes()).hexdigest() in notice


def _addresses(path: Path) -> list[str]:
    return re.findall(r"https?://[^\s\"'`)>]+", path.read_text())

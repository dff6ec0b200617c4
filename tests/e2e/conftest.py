"""Two running apps, one with its own embedded model and one whose model the test speaks for, and a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.graph_server import GraphServer, running
from tests.e2e.model_server import ModelServer
from tests.e2e.visitor import Visitor, chromium, need_chromium, visitor
from tests.server.processes import Zhiyin


@pytest.fixture(scope="session")
def embedded_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zhiyin]:
    """The app as a newcomer has it."""
    need_chromium()
    with Zhiyin(tmp_path_factory.mktemp("embedded")) as app:
        yield app


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    """The model behind `scripted_app`."""
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def scripted_app(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[Zhiyin]:
    """The app in front of `model`."""
    need_chromium()
    app = Zhiyin(tmp_path_factory.mktemp("scripted"))
    app.write_env(model.env)
    with app:
        yield app


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a file; Playwright holds the event loop as long as it lives."""
    need_chromium()
    with chromium() as running:
        yield running


@pytest.fixture
def newcomer(browser: Browser, embedded_app: Zhiyin) -> Iterator[Visitor]:
    """Somebody at the embedded app."""
    with visitor(browser, embedded_app.url) as someone:
        yield someone


@pytest.fixture
def guest(browser: Browser, scripted_app: Zhiyin) -> Iterator[Visitor]:
    """Somebody at the app whose model is scripted."""
    with visitor(browser, scripted_app.url) as someone:
        yield someone


@pytest.fixture(scope="session")
def servers() -> Iterator[GraphServer]:
    """A server that tells of made-up graphs."""
    need_chromium()
    with running() as server:
        yield server


@pytest.fixture
def server(servers: GraphServer) -> GraphServer:
    """The server, telling of the harbour."""
    servers.reset()
    return servers


@pytest.fixture
def reader(browser: Browser, server: GraphServer) -> Iterator[Visitor]:
    """Somebody who reads English by daylight and likes no animations."""
    with visitor(browser, server.url, reduced_motion="reduce") as someone:
        yield someone


@pytest.fixture
def chinese_reader(browser: Browser, server: GraphServer) -> Iterator[Visitor]:
    """Somebody who reads Chinese in the dark."""
    with visitor(browser, server.url, locale="zh-CN", color_scheme="dark", reduced_motion="reduce") as someone:
        yield someone

"""Runs `async def` tests on a fresh event loop each, and lets no server test be skipped in CI."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Generator
from typing import Any

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # spinning OpenMP threads on shared cores cost more than they give
os.environ.setdefault("HF_HUB_OFFLINE", "1")


CONTRACTS = "tests.contracts."


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--smoke-url`, `--smoke-token`: a running app for the smoke tests."""
    parser.addoption("--smoke-url", default=None, help="address of a running app for tests/smoke")
    parser.addoption("--smoke-token", default=None, help="bearer token for it, where it wants one")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what a backend or an engine inherits from a suite of `tests.contracts`."""
    suites = [
        kind for kind in getattr(getattr(item, "cls", None), "__mro__", ()) if kind.__module__.startswith(CONTRACTS)
    ]
    if suites:
        item.add_marker("contract")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test with `asyncio.run`."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped server test has failed: there its servers are installed."""
    report = yield
    if report.skipped and os.environ.get("CI") and item.get_closest_marker("server"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.upstream import Upstream
from tools.models import openai_compatible


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """A model's server; what is sent to it again is sent without a pause."""
    monkeypatch.setattr(openai_compatible, "FIRST_PAUSE_SECONDS", 0.01)
    with Upstream() as server:
        yield server

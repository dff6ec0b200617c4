"""Where the embedded stores find their folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tools.stores.settings import StoreSettings


def test_everything_lies_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA_DIR", raising=False)
    assert StoreSettings().database_path == Path("var/zhiyin.db")
    monkeypatch.setenv("DATA_DIR", "/srv/zhiyin")
    settings = StoreSettings()
    assert settings.database_path == Path("/srv/zhiyin/zhiyin.db")
    assert settings.owners_dir == Path("/srv/zhiyin/owners")


@pytest.mark.parametrize("value", ["0", "-1", "soon"])
def test_patience_is_a_positive_number_of_milliseconds(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SQLITE_BUSY_TIMEOUT_MS", value)
    with pytest.raises(ValidationError):
        StoreSettings()

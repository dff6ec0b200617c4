"""Where the embedded stores find their folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tools.stores.settings import MilvusSettings, StoreSettings


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


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, None),
        ({"milvus_uri": "  "}, None),
        ({"milvus_uri": "http://host:1234"}, "http://host:1234"),
        ({"milvus_uri": "grpc://host:1234"}, "http://host:1234"),
        ({"milvus_uri": "grpcs://host"}, "https://host"),
        ({"milvus_uri": "var/vectors.db"}, "var/vectors.db"),
        ({"milvus_host": "host"}, "http://host:19530"),
        ({"milvus_host": "::1", "milvus_port": 7}, "http://[::1]:7"),
        ({"milvus_uri": "https://a", "milvus_host": "b"}, "https://a"),
    ],
)
def test_milvus_is_where_the_uri_or_the_host_says(given: dict[str, Any], address: str | None) -> None:
    assert MilvusSettings(**given).milvus_address == address


@pytest.mark.parametrize("value", ["vectors", "ftp://host", "http://", "http://u:p@host", "http://host:99999"])
def test_an_address_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        MilvusSettings(milvus_uri=value)


def test_a_token_is_stronger_than_user_and_password() -> None:
    both = {"milvus_user": "u", "milvus_password": "p"}
    assert MilvusSettings().milvus_credentials == ""
    assert MilvusSettings(milvus_user="u").milvus_credentials == ""
    assert MilvusSettings(**both).milvus_credentials == "u:p"
    assert MilvusSettings(**both, milvus_token="t").milvus_credentials == "t"

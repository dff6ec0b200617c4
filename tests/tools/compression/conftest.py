"""Small models and data made on the spot: two layers, a tokenizer trained on the words of the data."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the `ml` extra")

from tests.tools.compression.parts import LABELS, make_data, make_model


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set that several labels may hold in: each of them is told by a word."""
    return make_data(tmp_path_factory.mktemp("data"), several=True)


@pytest.fixture(scope="session")
def single_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set with one label each, in a field of another name."""
    folder = make_data(tmp_path_factory.mktemp("single"), several=False)
    rng = random.Random(3)
    with gzip.open(folder / "extra.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"words": "calm day", "kind": rng.choice(LABELS)}) + "\n" for _ in range(4))
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A BERT of two layers that has learnt `data`."""
    return make_model(tmp_path_factory.mktemp("model") / "bert", data, multi=True)


@pytest.fixture(scope="session")
def single_model(tmp_path_factory: pytest.TempPathFactory, single_data: Path) -> Path:
    """The same with one label each."""
    return make_model(tmp_path_factory.mktemp("single_model") / "bert", single_data, multi=False)

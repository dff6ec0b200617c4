"""`zhiyin compress`, from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the `ml` extra")

from typer.testing import CliRunner, Result

import app.commands.compress
from app.__main__ import cli
from tests.tools.compression.parts import make_data, make_model
from tools.compression import measuring


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"), several=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    return make_model(tmp_path_factory.mktemp("model") / "bert", data, multi=True)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(measuring, "MESSAGES", 32)
    monkeypatch.setattr(measuring, "ROOT", tmp_path)  # the process that memory is measured in finds no project there
    monkeypatch.setattr(app.commands.compress.console, "_width", 400)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["compress", *map(str, arguments)])


def test_a_result_within_the_bound_ends_with_0_and_its_report_is_printed(
    model: Path, data: Path, tmp_path: Path
) -> None:
    result = run(model, "--method", "int8-dynamic", "--data", data, "--out", tmp_path / "out", "--max-loss", "0.05")
    assert result.exit_code == 0, result.output
    for what in ("size beyond embedding tables", "CPU ms a message", "macro-F1 (tuned)", "fear", "Done: ", "report.md"):
        assert what in result.output
    assert json.loads((tmp_path / "out" / "report.json").read_text())["done"] is True


def test_a_result_past_the_bound_ends_with_1_and_says_why(model: Path, data: Path, tmp_path: Path) -> None:
    result = run(
        *(model, "--method", "distil", "--data", data, "--out", tmp_path / "out"),
        *("--layers", "1", "--epochs", "0", "--max-loss", "0", "--split", "dev"),
    )
    assert result.exit_code == 1
    assert "Refused: macro-F1 (tuned) went from" in result.output
    assert not (tmp_path / "out" / "card.json").exists()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"--method": "shrink"}, "There is no method 'shrink'"),
        ({"--max-loss": "1.5"}, "max-loss must lie between 0 and 1"),
        ({"--data": "nowhere"}, "nowhere is not a folder of data"),
        ({"--text-field": "words"}, "name the field with --text-field"),
        ({"--layers": "2", "--method": "distil"}, "not smaller than its teacher"),
    ],
)
def test_bad_input_ends_with_2_and_one_clean_message(
    changed: dict[str, str], told: str, model: Path, data: Path, tmp_path: Path
) -> None:
    options = {"--method": "int8-dynamic", "--data": str(data), "--out": str(tmp_path / "out")} | changed
    result = run(model, *(part for option in options.items() for part in option))
    assert result.exit_code == 2
    assert told in result.output
    assert "Traceback" not in result.output


def test_what_is_no_model_folder_ends_with_2(data: Path, tmp_path: Path) -> None:
    result = run(tmp_path, "--method", "prune", "--data", data, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "is not a model folder" in result.output

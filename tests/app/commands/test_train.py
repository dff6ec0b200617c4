from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from tests.tools.emotion.tiny import SENTENCES, make_bert, make_sets
from tools.emotion.encoder import OnnxEmotions
from tools.emotion.sarcasm import load_sarcasm


@pytest.mark.slow
async def test_one_command_goes_from_a_data_folder_to_an_artefact_that_reads(tmp_path: Path) -> None:
    for name in ("torch", "transformers", "onnx"):
        pytest.importorskip(name, reason="needs the ml extra: pip install 'zhiyin[ml]'")
    data, base = make_sets(tmp_path / "data"), make_bert(tmp_path / "tiny-bert")
    out = tmp_path / "out" / "en"
    arguments = ["train", "emotion", "--data", str(data), "--out", str(out), "--work", str(tmp_path / "work")]
    result = CliRunner().invoke(cli, [*arguments, "--base", str(base), "--epochs", "1"])
    assert result.exit_code == 0, result.output
    assert "macro_f1" in result.output
    card = json.loads((out / "card.json").read_text())
    assert {"files", "calibration", "metrics_on_dev", "data", "licence", "command", "recipe"} <= card.keys()
    model = OnnxEmotions(out)
    rows = await model.probabilities(SENTENCES["joy"])
    await model.close()
    assert rows.shape == (3, 28)
    assert load_sarcasm(out.with_name("en-sarcasm")).probabilities(["so"], rows[:1]).shape == (1,)


def test_a_set_that_is_missing_is_named_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the ml extra: pip install 'zhiyin[ml]'")
    result = CliRunner().invoke(cli, ["train", "emotion", "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "goemotions/train.jsonl is not in the data folder" in result.stderr

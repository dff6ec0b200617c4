from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.tools.compression.parts import LABELS
from tools.compression.examples import DataFolder, Examples, is_multi_label
from tools.errors import InvalidInput


def folder_of(path: Path, **parts: str) -> Path:
    for part, lines in parts.items():
        (path / f"{part}.jsonl").write_text(lines)
    return path


def opened(folder: Path, labels: tuple[str, ...] = LABELS, text: str = "text", label: str = "labels") -> DataFolder:
    return DataFolder(folder, labels, text_field=text, label_field=label)


def test_plain_and_gzipped_files_are_read_alike(data: Path, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(gzip.decompress((data / "train.jsonl.gz").read_bytes()))
    plain, zipped = opened(tmp_path).read("train"), opened(data).read("train")
    assert plain.texts == zipped.texts
    assert np.array_equal(plain.targets, zipped.targets)
    assert zipped.targets.shape == (240, 4)


def test_fields_may_have_other_names_and_a_label_may_stand_alone(single_data: Path) -> None:
    found = opened(single_data, text="words", label="kind").read("extra")
    assert found.texts[0] == "calm day"
    assert (found.targets.sum(axis=1) == 1).all()


def test_a_label_may_be_a_number(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, dev='{"text": "x", "labels": [0, 3]}\n\n{"text": "y", "labels": 1}\n')
    assert opened(folder).read("dev").targets.tolist() == [[1, 0, 0, 1], [0, 1, 0, 0]]


def test_a_model_without_names_takes_those_of_the_set(data: Path) -> None:
    unnamed = tuple(f"LABEL_{index}" for index in range(4))
    assert opened(data, unnamed).labels == LABELS
    with pytest.raises(InvalidInput, match="4 labels, the model 3"):
        opened(data, unnamed[:3])


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("", "no examples"),
        ("not json\n", "one JSON object a line"),
        ("[1]\n", "one JSON object a line"),
        ('{"labels": ["joy"]}\n', "no text in 'text'"),
        ('{"text": 5, "labels": ["joy"]}\n', "no text in 'text'"),
        ('{"text": "x"}\n', "no 'labels'"),
        ('{"text": "x", "labels": ["bliss"]}\n', "'bliss', which the model does not know"),
        ('{"text": "x", "labels": [9]}\n', "which the model does not know"),
        ('{"text": "x", "labels": [null]}\n', "which the model does not know"),
    ],
)
def test_rows_of_no_use_are_refused_with_their_place(lines: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=told):
        opened(folder_of(tmp_path, dev=lines)).read("dev")


def test_a_file_that_only_looks_gzipped_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dev.jsonl.gz").write_bytes(b'{"text": "x", "labels": []}\n')
    with pytest.raises(InvalidInput, match="one JSON object a line"):
        opened(tmp_path).read("dev")


def test_a_missing_part_or_folder_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"held\.jsonl is not there"):
        opened(data).read("held")
    with pytest.raises(InvalidInput, match="not a folder"):
        opened(tmp_path / "none")


def test_whether_several_labels_hold_is_stated_or_seen() -> None:
    one, two = (Examples(["x"], np.array([row], dtype=np.float32)) for row in ([1, 0], [1, 1]))
    assert is_multi_label(None, one) is False
    assert is_multi_label(None, two) is True
    assert is_multi_label(True, one) is True
    with pytest.raises(InvalidInput, match="chooses one label"):
        is_multi_label(False, two)

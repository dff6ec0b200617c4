"""Rebuild `tools/models/artefacts/all-MiniLM-L6-v2` from its pinned source, to the same bytes.

Needs the `ml` extra and a package index; asks no model hub. `--check` builds into a temporary folder
and fails when the result differs from what is committed. See docs/decisions/0002-embedding-artefact.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import shutil
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from transformers import AutoModel

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools.models.embedders.minilm_source import REQUIREMENT, SOURCE_SHA256, fetch_source  # noqa: E402

ARTEFACT = ROOT / "tools/models/artefacts/all-MiniLM-L6-v2"
FILES = ("model.int8.onnx", "model.int8.weights", "tokenizer.json")
MAX_TOKENS = 256
PROBES = (
    "Who signed the lease?",
    "How long is the warranty on the pump, and what voids it?",
    "Reset the device.",
    "The committee met on Tuesday and put off its decision until the spring.",
    "Sales fell by four per cent in the second quarter because two suppliers could not deliver.",
    "import numpy as np; print(np.eye(3))",
    "Dr. O'Neill's e-mail (sent 2021-03-04) says: 'do not operate above 85 °C'!",
    "A bridge that carries a railway needs deeper girders than one that carries only people, because trains are "
    "heavy, come at speed and brake on the deck; its bearings must let the steel grow in summer and shrink in winter.",
    "Employees may carry over up to five days of annual leave into the next year. Days that are not taken by the end "
    "of March lapse, except where illness or urgent business prevented it. Requests go to the line manager in writing "
    "at least two weeks ahead; a refusal must give its reasons. Leave during the notice period is granted as usual. "
    "Whoever falls ill on leave and shows a certificate gets the days back. Public holidays do not count.",
)
"""What the two precisions are compared on: short and long, prose, code and signs."""


class PooledEncoder(torch.nn.Module):
    """The encoder with mean pooling and unit length inside the graph: ids and mask in, sentence vectors out."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Shapes (batch, sequence) twice to (batch, 384)."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=torch.zeros_like(input_ids)
        ).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)
        return torch.nn.functional.normalize(pooled, dim=1)


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def export(model: Path, target: Path) -> None:
    """Write the fp32 ONNX graph with free batch and sequence sizes."""
    torch.set_num_threads(1)
    encoder = AutoModel.from_pretrained(
        model, attn_implementation="eager", local_files_only=True, dtype=torch.float32
    ).eval()
    example = torch.ones(2, 8, dtype=torch.long)
    free = {0: "batch", 1: "sequence"}
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but its graph is the one the int8 quantiser handles best.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            PooledEncoder(encoder),
            (example, example),
            target,
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding"],
            dynamic_axes={"input_ids": free, "attention_mask": free, "embedding": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )


def quantise(source: Path, target: Path) -> None:
    """Dynamic int8 per channel, weights in 7 bits: on CPUs without VNNI the eighth bit overflows 16-bit sums."""
    logging.getLogger().setLevel(logging.ERROR)
    quantize_dynamic(source, target, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)


def part_weights(graph: Path) -> None:
    """Move the weights into a file beside the graph: that one is mapped, not read, which saves 12 MB of memory."""
    onnx.save_model(
        onnx.load(graph), graph, save_as_external_data=True, location=f"{graph.stem}.weights", size_threshold=1024
    )


def encode(graph: Path, tokenizer: Tokenizer) -> np.ndarray:
    """Vectors of PROBES by `graph`, one by one: (len(PROBES), 384)."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    rows = []
    for text in PROBES:
        ids = np.array([tokenizer.encode(text).ids])
        rows.append(session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0])
    return np.concatenate(rows)


def build(out: Path) -> None:
    """Fetch, export, quantise, measure; leaves the files of FILES and `card.json` in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = fetch_source(folder)
        fp32, int8 = folder / "model.onnx", out / "model.int8.onnx"
        export(model, fp32)
        quantise(fp32, int8)
        part_weights(int8)
        shutil.copyfile(model / "tokenizer.json", out / "tokenizer.json")
        tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        cosines = (encode(fp32, tokenizer) * encode(int8, tokenizer)).sum(axis=1)
    (out / "card.json").write_text(json.dumps(card(out, cosines), indent=2) + "\n")


def card(out: Path, cosines: np.ndarray) -> dict[str, object]:
    """What the runtime and a reader need to know of the built files."""
    return {
        "name": "all-minilm-l6-v2-int8",
        "dimension": 384,
        "max_tokens": MAX_TOKENS,
        "languages": ["en"],
        "files": {name: {"sha256": sha256(out / name), "bytes": (out / name).stat().st_size} for name in FILES},
        "mean_cosine_to_fp32": round(float(cosines.mean()), 4),
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "licence": "Apache-2.0",
        "source": {"package": REQUIREMENT.split()[0], "sha256": SOURCE_SHA256},
        "built_with": {name: version(name) for name in ("torch", "transformers", "onnx", "onnxruntime")},
    }


def check() -> None:
    """Build aside and compare bytes with what is committed; exits 1 on a difference."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary)
        build(out)
        different = [name for name in FILES if sha256(out / name) != sha256(ARTEFACT / name)]
    if different:
        raise SystemExit(f"Not what is committed: {', '.join(different)} (see `built_with` in card.json).")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing")
    if parser.parse_args().check:
        check()
    else:
        build(ARTEFACT)
    sys.stdout.write((ARTEFACT / "card.json").read_text())


if __name__ == "__main__":
    main()

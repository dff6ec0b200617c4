"""The command line: `zhiyin`, or `python -m app`. What a command needs is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands import train
from app.commands.endings import plainly, stop
from app.settings import Settings

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with local variables would show settings
    help="Zhiyin 知音: answers from your own documents.",
)

cli.add_typer(train.cli, name="train")

DataDir = Annotated[Path | None, typer.Option(help="Folder for everything the app keeps (DATA_DIR, var).")]
Text = Annotated[str, typer.Argument(help="A message, English or Chinese.")]
After = Annotated[list[str] | None, typer.Option(help="An earlier message of the user; may be given several times.")]
Url = Annotated[str | None, typer.Option(help="Address of a running app to talk to instead of the data folder.")]
Token = Annotated[str | None, typer.Option(envvar="ZHIYIN_TOKEN", help="Bearer token for --url.")]


def main() -> None:
    """Run the command line."""
    cli(prog_name="zhiyin")


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (HOST, 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (PORT, 8000).")] = None,
    data_dir: DataDir = None,
    reload: Annotated[bool, typer.Option(help="Start again whenever the code changes.")] = False,
) -> None:
    """Serve the app in the foreground; `.env` is the one in the working folder."""
    with plainly():
        settings = Settings.load(host=host, port=port, data_dir=data_dir)
        from app.commands.serve import serve, serve_again_and_again

        if reload:
            serve_again_and_again()
        else:
            serve(settings)


@cli.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, or folders to walk through.")],
    dataset: Annotated[str, typer.Option(help="Data set to put them in.")] = "default",
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Index documents; ends with status 1 unless all of them can be searched."""
    with plainly():
        settings = Settings.load(data_dir=data_dir)
        from app.commands.ingest import ingest

        if not ingest(settings, paths, dataset, url, token):
            raise typer.Exit(1)


@cli.command()
def chat(data_dir: DataDir = None, url: Url = None, token: Token = None) -> None:
    """Talk in the terminal; Ctrl-C stops an answer, an empty line ends the talk."""
    with plainly():
        settings = Settings.load(data_dir=data_dir)
        from app.commands.chat import chat

        chat(settings, url, token)


@cli.command()
def flags(data_dir: DataDir = None) -> None:
    """Each flag with its value and where it comes from."""
    with plainly():
        settings = Settings.load(data_dir=data_dir)
        from app.commands.tables import print_flags

        print_flags(settings)


@cli.command()
def metrics(
    hours: Annotated[float, typer.Option(min=0, help="How far to look back.")] = 24.0,
    log_dir: Annotated[Path | None, typer.Option(help="Where the snapshots lie (LOG_DIR, logs).")] = None,
) -> None:
    """How each component and variant has fared, from the snapshots in the log folder."""
    with plainly():
        from app.commands.tables import print_metrics

        print_metrics(log_dir or Settings.load().log_dir, hours)


@cli.command()
def settings(
    markdown: Annotated[bool, typer.Option(help="Print the table of the README.")] = False,
    check: Annotated[Path | None, typer.Option(help="Fail unless this file holds the table as it is now.")] = None,
    write: Annotated[Path | None, typer.Option(help="Put the table into this file.")] = None,
) -> None:
    """Every setting with its value and where it comes from."""
    with plainly():
        from app.commands import readme, tables

        if check is not None:
            if not readme.is_current(check):
                stop(f"The settings table in {check} is out of date: run `zhiyin settings --write {check}`.")
        elif write is not None:
            readme.bring_up_to_date(write)
        elif markdown:
            typer.echo(readme.table())
        else:
            tables.print_settings(Settings.load())


@cli.command()
def compress(
    model: Annotated[Path, typer.Argument(help="Folder of a transformers sequence classifier.")],
    method: Annotated[str, typer.Option(help="int8-dynamic, int8-static, prune or distil.")],
    data: Annotated[Path, typer.Option(help="Folder with train, dev and open .jsonl files, gzipped or not.")],
    out: Annotated[Path, typer.Option(help="Folder for the result and its report.")],
    max_loss: Annotated[float, typer.Option(help="How far (0-1) tuned macro-F1, or accuracy, may fall.")] = 0.01,
    split: Annotated[str, typer.Option(help="What is reported on; dev while you are still choosing.")] = "open",
    against: Annotated[Path | None, typer.Option(help="Model to compare speed with, if not MODEL itself.")] = None,
    text_field: Annotated[str, typer.Option(help="Field of a row that holds its text.")] = "text",
    label_field: Annotated[str, typer.Option(help="Field of a row that holds its label or labels.")] = "labels",
    max_tokens: Annotated[int, typer.Option(help="Longer texts are cut.")] = 128,
    calibration: Annotated[int, typer.Option(help="Texts that ranges and importances are taken from.")] = 256,
    prune_ffn: Annotated[float, typer.Option(help="Share (0-1) of feed-forward neurons to take out.")] = 0.5,
    prune_heads: Annotated[float, typer.Option(help="Share (0-1) of attention heads to take out.")] = 0.0,
    layers: Annotated[int, typer.Option(help="Layers of a distilled student.")] = 3,
    epochs: Annotated[float, typer.Option(help="How often recovery or distillation goes through train.")] = 2.0,
    batch: Annotated[int, typer.Option(help="Examples a step.")] = 64,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-4,
    soft: Annotated[float, typer.Option(help="Share (0-1) of the teacher's answers in what is learnt.")] = 0.7,
    states: Annotated[float, typer.Option(help="Weight of the distance between inner states; 0 leaves it out.")] = 0.5,
    bf16: Annotated[bool, typer.Option(help="Train with products in bfloat16.")] = True,
    train_limit: Annotated[int | None, typer.Option(help="Learn from the first so many examples only.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of all that is random.")] = 1,
) -> None:
    """Make a classifier smaller; ends with status 1 when quality falls further than --max-loss."""
    with plainly():
        from app.commands.compress import compress
        from tools.compression.plan import Plan, Recipe, method_of

        recipe = Recipe(epochs=epochs, batch=batch, rate=rate, soft=soft, states=states, bf16=bf16)
        plan = Plan(
            model=model,
            method=method_of(method),
            data=data,
            out=out,
            max_loss=max_loss,
            split=split,
            against=against,
            text_field=text_field,
            label_field=label_field,
            max_tokens=max_tokens,
            calibration=calibration,
            prune_ffn=prune_ffn,
            prune_heads=prune_heads,
            layers=layers,
            train_limit=train_limit,
            seed=seed,
            recipe=recipe,
        )
        if not compress(plan):
            raise typer.Exit(1)


@cli.command()
def intent(text: Text, after: After = None, data_dir: DataDir = None) -> None:
    """What a text asks for: the intent, who decided and how sure, and what else it might be."""
    with plainly():
        settings = Settings.load(data_dir=data_dir)
        from app.commands.understand import show_intent

        show_intent(settings, text, after or [])


@cli.command()
def emotion(text: Text, after: After = None, data_dir: DataDir = None) -> None:
    """How a text is felt: the strongest emotions, sentiment, valence and arousal."""
    with plainly():
        settings = Settings.load(data_dir=data_dir)
        from app.commands.understand import show_emotion

        show_emotion(settings, text, after or [])


@cli.command()
def version() -> None:
    """The version."""
    from app.version import VERSION

    typer.echo(VERSION)


if __name__ == "__main__":
    main()

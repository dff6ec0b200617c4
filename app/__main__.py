"""The command line: `zhiyin`, or `python -m app`. What a command needs is imported when it is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app.settings import Settings
from flags.errors import ConfigurationError
from tools.errors import ZhiyinError

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with local variables would show settings
    help="Zhiyin 知音: answers from your own documents.",
)

DataDir = Annotated[Path | None, typer.Option(help="Folder for everything the app keeps (DATA_DIR, var).")]
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
    with _plainly():
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
    with _plainly():
        settings = Settings.load(data_dir=data_dir)
        from app.commands.ingest import ingest

        if not ingest(settings, paths, dataset, url, token):
            raise typer.Exit(1)


@cli.command()
def chat(data_dir: DataDir = None, url: Url = None, token: Token = None) -> None:
    """Talk in the terminal; Ctrl-C stops an answer, an empty line ends the talk."""
    with _plainly():
        settings = Settings.load(data_dir=data_dir)
        from app.commands.chat import chat

        chat(settings, url, token)


@cli.command()
def flags(data_dir: DataDir = None) -> None:
    """Each flag with its value and where it comes from."""
    with _plainly():
        settings = Settings.load(data_dir=data_dir)
        from app.commands.tables import print_flags

        print_flags(settings)


@cli.command()
def metrics(
    hours: Annotated[float, typer.Option(min=0, help="How far to look back.")] = 24.0,
    log_dir: Annotated[Path | None, typer.Option(help="Where the snapshots lie (LOG_DIR, logs).")] = None,
) -> None:
    """How each component and variant has fared, from the snapshots in the log folder."""
    with _plainly():
        from app.commands.tables import print_metrics

        print_metrics(log_dir or Settings.load().log_dir, hours)


@cli.command()
def settings(
    markdown: Annotated[bool, typer.Option(help="Print the table of the README.")] = False,
    check: Annotated[Path | None, typer.Option(help="Fail unless this file holds the table as it is now.")] = None,
    write: Annotated[Path | None, typer.Option(help="Put the table into this file.")] = None,
) -> None:
    """Every setting with its value and where it comes from."""
    with _plainly():
        from app.commands import readme, tables

        if check is not None:
            if not readme.is_current(check):
                _stop(f"The settings table in {check} is out of date: run `zhiyin settings --write {check}`.")
        elif write is not None:
            readme.bring_up_to_date(write)
        elif markdown:
            typer.echo(readme.table())
        else:
            tables.print_settings(Settings.load())


@cli.command()
def version() -> None:
    """The version."""
    from app.version import VERSION

    typer.echo(VERSION)


@contextmanager
def _plainly() -> Iterator[None]:
    """End the program with one clean message where our own errors would end it with a traceback."""
    try:
        yield
    except ConfigurationError as error:
        _stop("\n".join(error.problems))
    except ZhiyinError as error:
        _stop(error.message)


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    main()

"""How a command ends where it cannot do its work: one clean message instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from flags.errors import ConfigurationError
from tools.errors import ZhiyinError


@contextmanager
def plainly() -> Iterator[None]:
    """End the program with one clean message where our own errors would end it with a traceback."""
    try:
        yield
    except ConfigurationError as error:
        stop("\n".join(error.problems))
    except ZhiyinError as error:
        stop(error.message)


def stop(message: str) -> NoReturn:
    """End the program with `message` on stderr and status 2."""
    typer.echo(message, err=True)
    raise typer.Exit(2)

"""What can be wrong with a configuration, said in lines that are safe to print: names, never values."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence


class ConfigurationError(Exception):
    """The environment, `.env` or the override file holds something that must not be guessed at."""

    def __init__(self, problems: Sequence[str]) -> None:
        """`problems` are complete sentences, one per fault, each with the nearest name or value."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Problems:
    """Collects the faults of several sources, so that an operator sees all of them at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextlib.contextmanager
    def collect(self) -> Generator[None]:
        """Note a ConfigurationError of the block and go on after it."""
        try:
            yield
        except ConfigurationError as error:
            self.found += error.problems

    def check(self) -> None:
        """Raise ConfigurationError if anything was found."""
        if self.found:
            raise ConfigurationError(list(dict.fromkeys(self.found)))


class BadValue(ValueError):
    """A flag cannot have this value; the message names the flag and the nearest value it can have."""


class UnknownFlag(LookupError):
    """No flag has this name; `nearest` is the flag whose name is most like it."""

    def __init__(self, nearest: str) -> None:
        super().__init__(f"There is no such flag; the nearest name is {nearest}.")
        self.nearest = nearest

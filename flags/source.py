"""The flags of this process: read from files and environment, changed while it runs, never half.

From weak to strong: defaults, `.env`, the process environment, the override file. The kill switch is on
as soon as any of them says so. A file that cannot be understood leaves its last good state in force.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from flags.env_file import EnvFile, check_variables, read_env
from flags.errors import ConfigurationError, Problems
from flags.layers import ExplainedFlag, Layer, Source, combine, explain, layer_of
from flags.names import KnownNames
from flags.overrides import KNOWN, read_overrides, write_overrides
from flags.provider import CoordinatorFlag
from flags.settled_file import POLL_SECONDS, SettledFile
from flags.snapshot import Decision, FlagSnapshot
from flags.values import FLAG_NAMES, FlagValue, flag_name, parse

log = structlog.get_logger(__name__)

Listener = Callable[[FlagSnapshot], None]


@dataclass(frozen=True, slots=True)
class FlagChange:
    """One flag before and after; `requested` None removes the override."""

    name: str
    requested: FlagValue | None
    before: ExplainedFlag
    after: ExplainedFlag


def read_layers(
    env: bytes | None, environ: Mapping[str, str], overrides: bytes | None, known: KnownNames
) -> tuple[Mapping[Source, Layer], EnvFile]:
    """The flags that each source sets, the weakest source first, and all that `.env` says.

    Raises:
        ConfigurationError: with every problem of every source.
    """
    env_file, layers, problems = EnvFile({}), dict[Source, Layer](), Problems()
    with problems.collect():
        check_variables(environ, known)
    with problems.collect():
        env_file = read_env(env, known)
        layers[".env"] = layer_of(env_file.values, ".env")
    with problems.collect():
        layers["environment"] = layer_of(_set(environ), "environment")
    with problems.collect():
        layers["override"] = read_overrides(overrides)
    problems.check()
    return layers, env_file


class FlagSource:
    """Everybody's flags. All methods are called on the event loop's thread."""

    def __init__(
        self, env_file: Path, override_file: Path, environ: Mapping[str, str], known: KnownNames = KNOWN
    ) -> None:
        """Read all sources once. `known` are the names that a line of `.env` may be a misspelling of.

        Raises:
            ConfigurationError: with every problem of every source.
        """
        self._env_file = SettledFile(env_file)
        self._override_file = SettledFile(override_file)
        self._known = known
        self._layers, self._env = read_layers(self._env_file.content, environ, self._override_file.content, known)
        self._state = combine(self._layers)
        self._coordinator = CoordinatorFlag(self.current)
        self._listeners: list[Listener] = []
        self._files = ThreadPoolExecutor(1, thread_name_prefix="flags")
        self._watcher: asyncio.Task[None] | None = None

    def current(self) -> FlagSnapshot:
        """The flags now; a turn takes one snapshot and keeps it."""
        return self._state.snapshot

    def decide(self, targeting_key: str) -> tuple[FlagSnapshot, Decision]:
        """The flags now, and by them the coordinator of one user."""
        return self._state.snapshot, self._coordinator.decide(targeting_key)

    def explained(self) -> list[ExplainedFlag]:
        """Every flag with its value, the source it is from and what it does."""
        return explain(self._state)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with the new snapshot after every change."""
        self._listeners.append(listener)

    def plan(self, changes: Mapping[str, object]) -> list[FlagChange]:
        """What `override` would do, without doing it; a value of None removes an override.

        Raises:
            UnknownFlag: no flag has one of the names.
            BadValue: a flag cannot have its value.
        """
        wanted = {name: None if raw is None else parse(name, raw) for name, raw in _named(changes).items()}
        layer = {name: value for name, value in self._layers["override"].items() if name not in wanted}
        layer |= {name: value for name, value in wanted.items() if value is not None}
        before = {flag.name: flag for flag in self.explained()}
        after = {flag.name: flag for flag in explain(combine({**self._layers, "override": layer}))}
        return [FlagChange(name, value, before[name], after[name]) for name, value in wanted.items()]

    async def override(self, changes: Mapping[str, object], principal: str) -> list[FlagChange]:
        """Set flags in the override file, all or none; in force here at once, elsewhere within a second.

        Raises:
            UnknownFlag, BadValue: as `plan`.
            ConfigurationError: somebody broke the override file meanwhile.
            OSError: it cannot be written.
        """
        planned = self.plan(changes)
        wanted = {change.name: change.requested for change in planned}
        loop = asyncio.get_running_loop()
        layer = await loop.run_in_executor(self._files, write_overrides, self._override_file.path, wanted)
        log.info("flags.overridden", by=principal, names=sorted(wanted))
        self._apply({"override": layer})
        return planned

    def start(self) -> None:
        """Watch the files from now on, and log what was let pass in them."""
        for note in self._env.notes:
            log.warning("env_file.note", note=note)
        self._watcher = asyncio.create_task(self._watch(), name="flags")

    async def close(self) -> None:
        """Stop watching."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        self._files.shutdown(wait=False)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                self._apply(await loop.run_in_executor(self._files, self._look))
            except Exception:
                log.exception("flags.watch_failed")

    def _look(self) -> dict[Source, Layer]:
        """The layers whose files have settled on something new that can be understood."""
        changed: dict[Source, Layer] = {}
        with _keeping_last_good(".env"):
            if self._env_file.poll():
                changed[".env"] = self._reread_env()
        with _keeping_last_good("override"):
            if self._override_file.poll():
                changed["override"] = read_overrides(self._override_file.content)
        return changed

    def _reread_env(self) -> Layer:
        env = read_env(self._env_file.content, self._known)
        layer = layer_of(env.values, ".env")
        changed = {name for name, _ in env.values.items() ^ self._env.values.items()}
        if waiting := sorted(name for name in changed if name in self._known and name not in FLAG_NAMES):
            log.warning("settings.need_restart", names=waiting)
        self._env = env
        return layer

    def _apply(self, changed: Mapping[Source, Layer]) -> None:
        if not changed:
            return
        before, self._layers = self._state, _over(self._layers, changed)
        self._state = combine(self._layers)
        for source, layer in changed.items():
            self._warn_of_shadowed(source, layer)
        if self._state.snapshot == before.snapshot:
            return
        log.info("flags.changed", sources=sorted(changed), changes=_differences(before.snapshot, self.current()))
        for listener in self._listeners:
            listener(self.current())

    def _warn_of_shadowed(self, source: Source, layer: Layer) -> None:
        """Say it when an operator's edit has no effect because a stronger source sets the same flag."""
        for name in layer:
            if (stronger := self._state.sources[name]) != source:
                log.warning("flag.shadowed", name=name, set_in=source, decided_by=stronger)


@contextlib.contextmanager
def _keeping_last_good(source: Source) -> Generator[None]:
    try:
        yield
    except ConfigurationError as error:
        log.error("flags.kept", source=source, problems=list(error.problems))


def _named(changes: Mapping[str, object]) -> dict[str, object]:
    return {flag_name(name): value for name, value in changes.items()}


def _over(layers: Mapping[Source, Layer], changed: Mapping[Source, Layer]) -> dict[Source, Layer]:
    return {**layers, **changed}


def _set(environ: Mapping[str, str]) -> dict[str, str]:
    return {name.upper(): value for name, value in environ.items() if value}


def _differences(before: FlagSnapshot, after: FlagSnapshot) -> dict[str, FlagValue]:
    old = before.model_dump()
    return {name.upper(): value for name, value in after.model_dump().items() if value != old[name]}

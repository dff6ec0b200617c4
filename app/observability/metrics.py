"""Counts and times of steps and turns, by engine and variant: for Prometheus, and in windows for snapshots."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from app.observability.histogram import Durations
from app.version import VERSION

log = structlog.get_logger(__name__)

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Upper bounds of the histograms' buckets."""
TURN = "turn"
"""The component that whole turns are counted as in snapshots."""
SUCCESSES = frozenset({"stop", "length", "refused", "cancelled"})
"""Ways for a turn to end that are nobody's failure."""

Window = dict[tuple[str, str], Durations]
"""Durations by (component, variant)."""


class Metrics:
    """The `Observer` of the app. Used on the event loop's thread alone; a call costs a few microseconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = Info("zhiyin_build", "What is running.", registry=self.registry)
        build.info({"version": VERSION, "python": platform.python_version()})
        step, turn = ("component", "engine", "variant"), ("engine", "variant")
        self._steps = self._histogram("zhiyin_step_seconds", "Time one step of a turn took.", step)
        self._failures = self._counter("zhiyin_step_failures", "Steps that failed.", step)
        self._turns = self._histogram("zhiyin_turn_seconds", "Time a whole turn took.", turn)
        self._first = self._histogram("zhiyin_first_token_seconds", "Time to the first word of an answer.", turn)
        self._outcomes = self._counter("zhiyin_turns", "Turns by how they ended.", (*turn, "outcome"))
        self._in_flight = Gauge("zhiyin_turns_in_flight", "Turns running now.", registry=self.registry)
        self._window: Window = {}

    def step(self, component: str, engine: str, variant: str, seconds: float, ok: bool) -> None:
        """See `Observer`."""
        self._steps(component, engine, variant).observe(seconds)
        if not ok:
            self._failures(component, engine, variant).inc()
        self._count(component, variant, seconds, ok)

    def turn(self, engine: str, variant: str, seconds: float, outcome: str, first_token_seconds: float | None) -> None:
        """See `Observer`. Writes the one line that a turn has in the log."""
        self._turns(engine, variant).observe(seconds)
        self._outcomes(engine, variant, outcome).inc()
        if first_token_seconds is not None:
            self._first(engine, variant).observe(first_token_seconds)
        self._count(TURN, variant, seconds, outcome in SUCCESSES)
        log.info(
            "turn.ended",
            engine=engine,
            variant=variant,
            outcome=outcome,
            ms=round(seconds * 1000, 1),
            first_token_ms=None if first_token_seconds is None else round(first_token_seconds * 1000, 1),
        )

    def watch_in_flight(self, count: Callable[[], int]) -> None:
        """Report `count()` as the number of running turns."""
        self._in_flight.set_function(count)

    def take_window(self) -> Window:
        """What was counted since the last call."""
        window, self._window = self._window, {}
        return window

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _count(self, component: str, variant: str, seconds: float, ok: bool) -> None:
        key = (component, variant)
        durations = self._window.get(key)
        if durations is None:
            durations = self._window[key] = Durations()
        durations.add(seconds, ok)

    # `cache`: the library's own look-up of labels takes longer than counting.

    def _histogram(self, name: str, about: str, labels: tuple[str, ...]) -> Callable[..., Histogram]:
        return cache(Histogram(name, about, labels, registry=self.registry, buckets=SECONDS).labels)

    def _counter(self, name: str, about: str, labels: tuple[str, ...]) -> Callable[..., Counter]:
        return cache(Counter(name, about, labels, registry=self.registry).labels)

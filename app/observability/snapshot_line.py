"""One line of the snapshot files: what is read by people, and the counts that add up to any stretch of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.observability.histogram import Durations
from app.observability.verdict import Status, status_of

METRICS_FILE = "metrics.jsonl"
"""All traffic: a line is one window."""
VARIANTS_FILE = "ab_test_metrics.jsonl"
"""The same, a line for each variant that was answered in the window."""
MAX_BUCKET = 300
"""No duration is that long: the bucket begins after 10^12 seconds."""

Count = Annotated[int, Field(ge=0)]


class ComponentFigures(BaseModel):
    """A component in one window."""

    model_config = ConfigDict(frozen=True)

    requests: Count
    success_rate: float
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    status: Status
    failures: Count
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    buckets: dict[Annotated[int, Field(ge=0, le=MAX_BUCKET)], Count]
    """Requests by bucket of `Durations`."""

    @classmethod
    def of(cls, component: str, durations: Durations) -> Self:
        """The figures of what was counted."""
        return cls(
            requests=durations.requests,
            success_rate=round(durations.success_rate, 4),
            mean_ms=round(durations.mean_ms, 3),
            p50_ms=round(durations.quantile_ms(0.50), 3),
            p95_ms=round(durations.quantile_ms(0.95), 3),
            p99_ms=round(durations.quantile_ms(0.99), 3),
            status=status_of(component, durations),
            failures=durations.failures,
            seconds=round(durations.seconds, 6),
            buckets=durations.buckets,
        )

    def durations(self) -> Durations:
        """What was counted."""
        return Durations(self.requests, self.failures, self.seconds, dict(self.buckets))


class Probe(BaseModel):
    """How well the app reads the examples that it brings along."""

    model_config = ConfigDict(frozen=True)

    intent_accuracy: float
    """Share (0-1) of the intents of the built-in probe set that are read right."""


class SnapshotLine(BaseModel):
    """A window's figures; `variant` stands in the file of the variants, `probe` in the other."""

    model_config = ConfigDict(frozen=True)

    timestamp: AwareDatetime
    """When the window ended."""
    components: dict[str, ComponentFigures]
    variant: str | None = None
    probe: Probe | None = None

    @classmethod
    def of(
        cls,
        at: datetime,
        window: Mapping[str, Durations],
        *,
        variant: str | None = None,
        intent_accuracy: float | None = None,
    ) -> Self:
        """The line of the durations of some components."""
        return cls(
            timestamp=at,
            components={name: ComponentFigures.of(name, durations) for name, durations in sorted(window.items())},
            variant=variant,
            probe=None if intent_accuracy is None else Probe(intent_accuracy=round(intent_accuracy, 4)),
        )

    def as_bytes(self) -> bytes:
        """JSON and a line end."""
        return self.model_dump_json(exclude_none=True).encode() + b"\n"

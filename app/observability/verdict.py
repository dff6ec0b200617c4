"""What figures an operator should be warned of."""

from __future__ import annotations

from typing import Literal

from app.observability.histogram import Durations

Status = Literal["ok", "warning"]

MIN_SUCCESS_RATE = 0.95
MAX_P99_MS = {"intent.classify": 200.0, "answer.generate": 3_000.0}
MIN_INTENT_ACCURACY = 0.80


def warning_of(component: str, durations: Durations) -> str | None:
    """What is wrong with a component, in a few words; None when it is well."""
    if durations.success_rate < MIN_SUCCESS_RATE:
        return f"success {durations.success_rate:.1%} is below {MIN_SUCCESS_RATE:.0%}"
    limit = MAX_P99_MS.get(component)
    if limit is not None and (p99 := durations.quantile_ms(0.99)) > limit:
        return f"P99 {p99:,.0f} ms is above {limit:,.0f} ms"
    return None


def status_of(component: str, durations: Durations) -> Status:
    """`warning` when there is something to say about the component."""
    return "warning" if warning_of(component, durations) else "ok"


def accuracy_warning(accuracy: float) -> str | None:
    """What is wrong with the share (0-1) of the probe set's intents that are read right."""
    if accuracy >= MIN_INTENT_ACCURACY:
        return None
    return f"intent accuracy {accuracy:.1%} on the probe set is below {MIN_INTENT_ACCURACY:.0%}"

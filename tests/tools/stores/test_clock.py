"""Times sort as text."""

from __future__ import annotations

from datetime import UTC, datetime

from tools.stores.clock import now


def test_times_are_utc_of_fixed_width_and_in_order() -> None:
    times = [now() for _ in range(1000)]
    assert times == sorted(times)
    assert {len(time) for time in times} == {27}
    parsed = datetime.fromisoformat(times[-1])
    assert abs((datetime.now(UTC) - parsed).total_seconds()) < 5

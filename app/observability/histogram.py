"""Durations in buckets that can be added up later, so hours of snapshots give right percentiles."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

SMALLEST_SECONDS = 1e-6
RATIO = 1.15
"""Each bucket is 15 % wider than the one before, so a percentile is off by 7.5 % at most."""
_LOG_RATIO = math.log(RATIO)


@dataclass(slots=True)
class Durations:
    """Counts of durations by bucket; bucket b holds (SMALLEST·RATIO^(b-1), SMALLEST·RATIO^b] seconds."""

    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    buckets: dict[int, int] = field(default_factory=dict[int, int])

    def add(self, seconds: float, ok: bool) -> None:
        """Count one request."""
        bucket = math.ceil(math.log(seconds / SMALLEST_SECONDS) / _LOG_RATIO) if seconds > SMALLEST_SECONDS else 0
        self.requests += 1
        self.failures += not ok
        self.seconds += seconds
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def merge(self, other: Durations) -> None:
        """Add what another one counted."""
        self.requests += other.requests
        self.failures += other.failures
        self.seconds += other.seconds
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    @property
    def success_rate(self) -> float:
        """Share of requests that did not fail; 1 when there were none."""
        return 1 - self.failures / self.requests if self.requests else 1.0

    @property
    def mean_ms(self) -> float:
        """Mean duration in milliseconds."""
        return self.seconds / self.requests * 1000 if self.requests else 0.0

    def quantile_ms(self, q: float) -> float:
        """The duration in milliseconds that a share `q` (0-1) of the requests did not exceed."""
        rank, seen = q * self.requests, 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                return SMALLEST_SECONDS * RATIO ** (bucket - 0.5) * 1000
        return 0.0

"""Which coordinator a user gets: the same in every process, and for ever while the share only grows."""

from __future__ import annotations

import hashlib

from openfeature.flag_evaluation import Reason

from flags.snapshot import Decision, FlagSnapshot

SALT = b"zhiyin.coordinator:"
"""Keeps this split independent of every other split of the same users."""


def choose_coordinator(flags: FlagSnapshot, targeting_key: str) -> Decision:
    """The coordinator of one user, who keeps it when `ab_traffic_split` grows past its place in line.

    Variants are `treatment` and `control` while the split is on, else the coordinator's own name.
    """
    if flags.kill_switch:
        return Decision(engine="legacy", variant="legacy", reason=Reason.DISABLED.value)
    if not flags.ab_testing_enabled:
        engine = flags.coordinator_engine
        return Decision(engine=engine, variant=engine, reason=Reason.STATIC.value)
    if place_in_line(targeting_key) < flags.ab_traffic_split:
        return Decision(engine=flags.coordinator_engine, variant="treatment", reason=Reason.SPLIT.value)
    return Decision(engine=flags.ab_control_engine, variant="control", reason=Reason.SPLIT.value)


def place_in_line(targeting_key: str) -> float:
    """Where a user stands in [0, 1): uniform over users, from the first 53 bits of a salted SHA-256."""
    digest = hashlib.sha256(SALT + targeting_key.encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53

"""Moods of the past, put where the app keeps them: what weeks of talk leave behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from tools.stores.clock import now

_KEEP = """
INSERT INTO moods (tenant_id, user_id, at, primary_emotion, valence, arousal, intensity, confidence, decided_by)
VALUES (?, ?, ?, ?, ?, 0.4, 0.3, 0.8, 'ml')
"""


def keep_moods(database: Path, moods: Iterable[tuple[float, str, float]], tenant: str, user: str) -> None:
    """Write readings given as days ago, label and valence."""
    rows = [(tenant, user, now(less=timedelta(days=days)), label, valence) for days, label, valence in moods]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(_KEEP, rows)

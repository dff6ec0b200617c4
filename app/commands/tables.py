"""Tables for operators: flags, settings, metrics."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.observability.histogram import Durations
from app.observability.verdict import warning_of
from app.settings import Settings

HIDDEN = "******"
FIGURES = ("requests", "success", "mean ms", "P50 ms", "P95 ms", "P99 ms")

console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def print_flags(settings: Settings) -> None:
    """Each flag with its value, its source and what it does."""
    table = Table("flag", "value", "from", "meaning")
    for flag in settings.open_flags().explained():
        table.add_row(flag.name, _shown(flag.value), flag.source, escape(flag.doc))
    console.print(table)


def print_settings(settings: Settings) -> None:
    """Each setting with its value (a secret's is hidden) and its source."""
    from app.settings_table import settings_rows

    table = Table("setting", "value", "from", "meaning")
    for row in settings_rows(settings):
        value = HIDDEN if row.secret and row.value else row.value
        table.add_row(row.name, escape(value), row.source, escape(row.doc))
    console.print(table)


def print_metrics(folder: Path, hours: float) -> None:
    """Components, then variants, then what to look at."""
    from app.observability.report import read_report

    report = read_report(folder, hours)
    if not report.components:
        console.print(f"No snapshots of the last {hours:g} hours in {folder}. Is PERFORMANCE_MONITORING on?")
        return
    table = _figures_table("component", title=f"the last {hours:g} hours")
    for name, durations in sorted(report.components.items()):
        table.add_row(name, *_figures(name, durations))
    console.print(table)
    table = _figures_table("variant", "component")
    for variant, components in sorted(report.variants.items()):
        for name, durations in sorted(components.items()):
            table.add_row(escape(variant), name, *_figures(name, durations))
    console.print(table)
    if report.intent_accuracy is not None:
        console.print(f"intent accuracy on the probe set: {report.intent_accuracy:.1%}")
    for warning in report.warnings():
        console.print(f"[yellow]warning[/] {escape(warning)}")


def _figures_table(*first: str, title: str | None = None) -> Table:
    table = Table(title=title)
    for heading in first:
        table.add_column(heading, no_wrap=True)
    for heading in FIGURES:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("status")
    return table


def _figures(component: str, durations: Durations) -> list[str]:
    warning = warning_of(component, durations)
    return [
        f"{durations.requests:,}",
        f"{durations.success_rate:.1%}",
        _milliseconds(durations.mean_ms),
        *(_milliseconds(durations.quantile_ms(q)) for q in (0.50, 0.95, 0.99)),
        f"[yellow]warning[/]: {warning}" if warning else "ok",
    ]


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _milliseconds(value: float) -> str:
    return f"{value:,.1f}" if value >= 1 else f"{value:.3f}"

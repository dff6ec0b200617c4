"""`zhiyin compress`: make a classifier smaller and faster, and say honestly what it cost."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from tools.compression.plan import Plan
from tools.errors import NotAvailable

if TYPE_CHECKING:
    from tools.compression.report import Report

NEEDED = ("torch", "transformers", "onnx", "safetensors")

console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def compress(plan: Plan) -> bool:
    """Carry out `plan` under a progress bar and print its report; False when quality fell past the bound.

    Raises:
        InvalidInput: the model or the data is of no use.
        NotAvailable: the `ml` extra is not installed.
    """
    if not all(importlib.util.find_spec(name) for name in NEEDED):
        raise NotAvailable("Compression needs the `ml` extra: pip install 'zhiyin[ml]'.")
    from tools.compression.compress import compress as carry_out

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        report = carry_out(plan, _Stages(progress))
    print_report(report)
    console.print(f"Report: {escape(str(plan.out / 'report.md'))}", soft_wrap=True)
    return report.done


def print_report(report: Report) -> None:
    """The costs and figures, each label, and the verdict last."""
    table = Table("what", title=f"{escape(report.method)}: {escape(report.after.name)}")
    for heading in ("before", "after", "change"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report.rows():
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
    labels = Table("label")
    for heading in ("examples", "F1 before", "F1 after", "change"):
        labels.add_column(heading, justify="right", no_wrap=True)
    for row in report.label_rows():
        labels.add_row(*(escape(cell) for cell in row))
    console.print(labels)
    console.print(f"[{'green' if report.done else 'red'}]{escape(report.verdict)}[/]", soft_wrap=True)


class _Stages:
    """One bar for each stage of the work; a stage is told by its name up to the comma."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks = dict[str, TaskID]()

    def __call__(self, stage: str, done: int, total: int) -> None:
        name = stage.partition(",")[0]
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._tasks[name], completed=done, description=stage)

"""What came of a compression, for machines (`report.json`) and for people (`report.md`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.compression.measuring import Latency, Memory, Size
from tools.compression.quality import Quality

MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two models: what it is called, costs and does. `memory` is None where it cannot be told."""

    name: str
    size: Size
    memory: Memory | None
    quality: Quality


@dataclass(frozen=True, slots=True)
class Report:
    """`lost` is how far the headline figure fell from the model's to the result's (negative: it rose)."""

    method: str
    split: str
    examples: int
    max_loss: float
    before: Side
    after: Side
    speed: Sequence[Latency]
    speed_against: str
    """What the result's speed is compared with: the model in fp32 torch, unless something else was named."""
    changed: str
    """What was done, in a sentence."""
    settings: dict[str, Any]

    @property
    def lost(self) -> float:
        """Headline before minus headline after."""
        return self.before.quality.headline - self.after.quality.headline

    @property
    def done(self) -> bool:
        """Whether quality stayed within the bound."""
        return self.lost <= self.max_loss

    @property
    def verdict(self) -> str:
        """Done or refused, and why."""
        name = self.after.quality.headline_name
        fell = f"{name} went from {self.before.quality.headline:.4f} to {self.after.quality.headline:.4f}"
        if self.done:
            return f"Done: {fell}, within the bound of {self.max_loss:g}."
        return f"Refused: {fell}, {self.lost:.4f} down where {self.max_loss:g} is allowed. The result is not done."

    def rows(self) -> list[tuple[str, str, str, str]]:
        """What, before, after, change: one line each."""
        before, after = self.before, self.after
        found = [
            _amount("size, MB", before.size.total / MEGABYTE, after.size.total / MEGABYTE),
            _amount(
                "size beyond embedding tables, MB",
                before.size.beyond_tables / MEGABYTE,
                after.size.beyond_tables / MEGABYTE,
            ),
        ]
        found += [
            (
                f"CPU ms a message, batches of {speed.batch}",
                f"{speed.before_ms:.2f}",
                f"{speed.after_ms:.2f}",
                f"{speed.ratio:.2f}× ({speed.lowest:.2f}-{speed.highest:.2f})",
            )
            for speed in self.speed
        ]
        if before.memory and after.memory:
            found += [
                _amount("resident with the model, MiB", before.memory.loaded, after.memory.loaded),
                _amount("peak resident, MiB", before.memory.peak, after.memory.peak),
            ]
        figures = [("macro-F1", "macro_f1"), ("accuracy", "accuracy")]
        if before.quality.multi_label:
            figures[:1] = [
                ("macro-F1 @0.5", "macro_f1"),
                ("macro-F1 (tuned)", "macro_f1_tuned"),
                ("micro-F1 (tuned)", "micro_f1_tuned"),
            ]
        found += [_figure(name, getattr(before.quality, of), getattr(after.quality, of)) for name, of in figures]
        return found

    def as_json(self) -> dict[str, Any]:
        """Everything, with `done` and `verdict` first."""
        return {"done": self.done, "verdict": self.verdict, "lost": self.lost, **asdict(self)}

    def as_markdown(self) -> str:
        """A page with the verdict, the table, and each label."""
        lines = [f"# {self.method}: {self.after.name}", "", self.verdict, "", self.changed, ""]
        lines += [
            f"Quality on `{self.split}` ({self.examples} examples), thresholds tuned on `dev` for each model by itself."
            f" Speed against {self.speed_against}, on one thread, in paired rounds: median (lowest-highest) ratio.",
            "",
            "| what | before | after | change |",
            "| --- | --- | --- | --- |",
        ]
        lines += [f"| {' | '.join(row)} |" for row in self.rows()]
        lines += ["", "| label | examples | F1 before | F1 after | change |", "| --- | --- | --- | --- | --- |"]
        lines += [f"| {' | '.join(row)} |" for row in self.label_rows()]
        return "\n".join([*lines, ""])

    def label_rows(self) -> list[tuple[str, str, str, str, str]]:
        """Label, its examples, F1 (tuned where labels have thresholds) before and after, change."""
        pairs = zip(self.before.quality.per_label, self.after.quality.per_label, strict=True)
        return [
            (
                after.label,
                str(after.support),
                f"{before.f1_tuned:.3f}",
                f"{after.f1_tuned:.3f}",
                f"{after.f1_tuned - before.f1_tuned:+.3f}",
            )
            for before, after in pairs
        ]


def write_report(report: Report, folder: Path) -> None:
    """`report.json` and `report.md` in `folder`."""
    from tools.compression.folder import write_json

    write_json(folder / "report.json", report.as_json())
    (folder / "report.md").write_text(report.as_markdown(), encoding="utf-8")


def _amount(name: str, before: float, after: float) -> tuple[str, str, str, str]:
    return name, f"{before:.1f}", f"{after:.1f}", f"{(after - before) / before:+.1%}"


def _figure(name: str, before: float, after: float) -> tuple[str, str, str, str]:
    return name, f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}"

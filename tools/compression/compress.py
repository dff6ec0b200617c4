"""One compression from start to end: read, shrink, learn again, measure, report, and mark as done or not.

The result's `card.json` stands for done: it is written last, only within the bound, and holds the hash of every file.
Half-done training lies in `work/` beside the result and is taken up by the same command.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tools.compression.distillation import Lessons, answer_loss, give_lesson, student_of
from tools.compression.examples import DataFolder, Examples, is_multi_label
from tools.compression.export import export_classifier
from tools.compression.folder import Classifier, load_classifier, save_classifier, save_tokenizer, write_json
from tools.compression.int8 import Feed, quantise
from tools.compression.measuring import Memory, latencies, memory_of, size_of
from tools.compression.plan import Plan
from tools.compression.pruning import importance_of, pruned
from tools.compression.quality import Quality, probabilities, quality_of, tuned_thresholds
from tools.compression.report import Report, Side, write_report
from tools.compression.runnable import GRAPH, Runnable, logits_of, open_runnable, padded, shuffled
from tools.compression.torch_runnable import TorchRunnable
from tools.compression.training import Training
from tools.errors import NotAvailable
from tools.models.onnx_artefact import CARD

WORK = "work"

Watch = Callable[[str, int, int], None]
"""Hears a stage's name, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The model with the data it is measured and taught on."""

    classifier: Classifier
    labels: tuple[str, ...]
    train: Examples
    dev: Examples
    reported: Examples
    multi: bool


def compress(plan: Plan, watch: Watch = lambda *_: None) -> Report:
    """Carry out `plan`; the result lies in its `out`, and is done if the report says so.

    Raises:
        InvalidInput: the model, the data or the plan is of no use; no result was written.
    """
    torch.set_num_threads(1)
    parts = _read(plan)
    against = open_runnable(plan.against, parts.classifier.pad) if plan.against else None
    plan.out.mkdir(parents=True, exist_ok=True)
    for stale in (CARD, "report.json", "report.md"):
        (plan.out / stale).unlink(missing_ok=True)
    changed = _SHRINKERS[plan.method](plan, parts, watch)
    report = _measure(plan, parts, against, changed, watch)
    write_report(report, plan.out)
    if report.done:
        write_json(plan.out / CARD, _card(plan, parts, report))
        shutil.rmtree(plan.out / WORK, ignore_errors=True)
    return report


def _read(plan: Plan) -> _Parts:
    classifier = load_classifier(plan.model)
    data = DataFolder(plan.data, classifier.labels, text_field=plan.text_field, label_field=plan.label_field)
    train = data.read("train").first(plan.train_limit)
    dev, reported = data.read("dev"), data.read(plan.split)
    multi = is_multi_label(classifier.multi_label, dev)
    for part in (train, reported):
        is_multi_label(multi, part)
    return _Parts(classifier, data.labels, train, dev, reported, multi)


def _to_int8(plan: Plan, parts: _Parts, watch: Watch) -> str:
    kind = "static" if plan.method == "int8-static" else "dynamic"
    feeds = list[Feed]()
    if kind == "static":
        for row in shuffled(_tokens(plan, parts, parts.train), plan.calibration, plan.seed):
            ids, mask = padded([row], parts.classifier.pad)
            feeds.append({"input_ids": ids, "attention_mask": mask})
    watch("quantising", 0, 1)
    with tempfile.TemporaryDirectory() as temporary:
        graph = Path(temporary) / "fp32.onnx"
        export_classifier(parts.classifier.network, graph)
        quantise(graph, plan.out / GRAPH, kind, feeds)
    save_tokenizer(parts.classifier, plan.out)
    parts.classifier.network.config.save_pretrained(plan.out)
    watch("quantising", 1, 1)
    found = (
        f"ranges of activations from {len(feeds)} texts of `train`" if feeds else "ranges of activations at run time"
    )
    return f"Weights in int8 per channel, {found}; run by onnxruntime."


def _prune(plan: Plan, parts: _Parts, watch: Watch) -> str:
    network = parts.classifier.network
    tokens = _tokens(plan, parts, parts.train)
    targets = torch.from_numpy(parts.train.targets)
    places = shuffled([[place] for place in range(len(tokens))], plan.calibration, plan.seed)

    def loss_of(judged: Any, chosen: Any) -> torch.Tensor:
        (place,) = places[chosen[0]]
        ids, mask = (torch.from_numpy(part) for part in padded([tokens[place]], parts.classifier.pad))
        return answer_loss(judged(input_ids=ids, attention_mask=mask).logits, targets[[place]], multi=parts.multi)

    importance = importance_of(
        network, loss_of, len(places), lambda done: watch("weighing heads and neurons", done, len(places))
    )
    smaller = pruned(network, importance, heads=plan.prune_heads, ffn=plan.prune_ffn)
    _teach(plan, parts, smaller, tuple(range(network.config.num_hidden_layers)), watch)
    return (
        f"{plan.prune_heads:.0%} of the heads and {plan.prune_ffn:.0%} of the feed-forward neurons of each layer taken "
        f"out by first-order importance on {len(places)} texts of `train`; {plan.recipe.epochs:g} epochs of recovery."
    )


def _distil(plan: Plan, parts: _Parts, watch: Watch) -> str:
    student, taken = student_of(parts.classifier.network, plan.layers)
    _teach(plan, parts, student, taken, watch)
    layers = ", ".join(str(layer + 1) for layer in taken)
    return f"A student of the model's layers {layers}, taught by it for {plan.recipe.epochs:g} epochs."


_SHRINKERS: dict[str, Callable[[Plan, _Parts, Watch], str]] = {
    "int8-dynamic": _to_int8,
    "int8-static": _to_int8,
    "prune": _prune,
    "distil": _distil,
}


def _teach(plan: Plan, parts: _Parts, student: Any, layers: tuple[int, ...], watch: Watch) -> None:
    """Let `student` learn from the model, and write it; `layers` are the teacher's that its own stand for."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokens = _tokens(plan, parts, parts.train)
    total = len(tokens)
    teacher = parts.classifier.network.to(device)
    lesson = give_lesson(
        teacher,
        tokens,
        layers,
        plan.recipe,
        multi=parts.multi,
        watch=lambda done: watch("asking the teacher", done, total),
    )
    lessons = Lessons(tokens, parts.train.targets, lesson, plan.recipe, multi=parts.multi)
    lengths = [len(row) for row in tokens]
    training = Training(student.to(device), lengths, plan.recipe, plan.seed, plan.out / WORK, _digest(plan, parts))
    training.run(lessons.loss, lambda done, loss: watch(f"training, loss {loss:.3f}", done, training.steps))
    teacher.to("cpu")
    found = Classifier(student.to("cpu"), parts.classifier.tokenizer, parts.labels, parts.multi)
    save_classifier(found, plan.out)


def _measure(plan: Plan, parts: _Parts, against: Runnable | None, changed: str, watch: Watch) -> Report:
    pad = parts.classifier.pad
    model: Runnable = TorchRunnable(parts.classifier.network, pad)
    result = open_runnable(plan.out, pad)
    dev, reported = _tokens(plan, parts, parts.dev), _tokens(plan, parts, parts.reported)
    messages = shuffled(reported, len(reported), plan.seed)
    stages = iter(range(1, 6))

    def judge(runnable: Runnable) -> Quality:
        scores = probabilities(logits_of(runnable, dev), parts.multi)
        thresholds = tuned_thresholds(scores, parts.dev.targets)
        if plan.split != "dev":
            scores = probabilities(logits_of(runnable, reported), parts.multi)
        watch("measuring", next(stages), 5)
        return quality_of(scores, parts.reported.targets, thresholds, parts.labels, parts.multi)

    def memory(folder: Path) -> Memory | None:
        try:
            return memory_of(folder, messages, pad)
        except NotAvailable:
            return None
        finally:
            watch("measuring", next(stages), 5)

    before = Side(str(plan.model.name), size_of(plan.model), memory(plan.model), judge(model))
    after = Side(str(plan.out.name), size_of(plan.out), memory(plan.out), judge(result))
    speed = latencies(against or model, result, messages)
    watch("measuring", next(stages), 5)
    return Report(
        method=plan.method,
        split=plan.split,
        examples=len(reported),
        max_loss=plan.max_loss,
        before=before,
        after=after,
        speed=speed,
        speed_against=f"`{plan.against.name}`" if plan.against else f"`{plan.model.name}` in fp32 torch",
        changed=changed,
        settings=plan.told(),
    )


def _tokens(plan: Plan, parts: _Parts, examples: Examples) -> list[list[int]]:
    return parts.classifier.tokens(examples.texts, plan.max_tokens)


def _digest(plan: Plan, parts: _Parts) -> str:
    """What a checkpoint belongs to: the plan, the teacher's weights and what is learnt from."""
    digest = hashlib.sha256(json.dumps(plan.told(), sort_keys=True).encode())
    for name, weight in parts.classifier.network.state_dict().items():
        digest.update(name.encode())
        digest.update(_bytes_of(weight))
    digest.update("\0".join(parts.train.texts).encode("utf-8", "surrogatepass"))
    digest.update(parts.train.targets.tobytes())
    return digest.hexdigest()


def _bytes_of(weight: torch.Tensor) -> bytes:
    array: NDArray[Any] = np.ascontiguousarray(weight.detach().cpu().numpy())
    return array.tobytes()


def _card(plan: Plan, parts: _Parts, report: Report) -> dict[str, Any]:
    quality = report.after.quality
    files = sorted(path for path in plan.out.iterdir() if path.is_file() and path.name != CARD)
    return {
        "name": plan.out.name,
        "made_from": plan.model.name,
        "made_by": plan.told(),
        "labels": list(parts.labels),
        "multi_label": parts.multi,
        "max_tokens": plan.max_tokens,
        "thresholds": {label.label: round(label.threshold, 4) for label in quality.per_label} if parts.multi else None,
        "metrics": {
            "split": plan.split,
            "macro_f1": round(quality.macro_f1, 4),
            "macro_f1_tuned": round(quality.macro_f1_tuned, 4),
            "accuracy": round(quality.accuracy, 4),
            "lost": round(report.lost, 4),
        },
        "files": {
            path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
            for path in files
        },
        "built_with": {name: version(name) for name in ("torch", "transformers", "onnx", "onnxruntime")},
    }

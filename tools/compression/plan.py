"""What is to be done to a model, checked before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args

from tools.errors import InvalidInput

Method = Literal["int8-dynamic", "int8-static", "prune", "distil"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a smaller model learns from the one it comes from; chosen on `dev`, never on what is reported on.

    `soft` is the share (0-1) of the teacher's probabilities in the targets, the labels are the rest. `states` weighs
    the mean squared distance of the sentence vectors of matched layers, each scaled to unit variance (0: left out).
    """

    epochs: float = 2.0
    batch: int = 64
    rate: float = 2e-4
    warm_up: float = 0.06
    """Share of the steps over which the rate rises; over the others it falls to nothing in a straight line."""
    weight_decay: float = 0.01
    soft: float = 0.7
    states: float = 0.5
    bf16: bool = True
    """Multiply in bfloat16 with fp32 weights: two to three times faster on processors that know it."""

    def __post_init__(self) -> None:
        _within("epochs", self.epochs, 0.0, 1000.0)
        _within("batch", self.batch, 1, 4096)
        _within("rate", self.rate, 0.0, 1.0)
        _within("soft", self.soft, 0.0, 1.0)
        _within("states", self.states, 0.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """One compression of one model folder.

    Raises:
        InvalidInput: an unknown method, or a number outside its range.
    """

    model: Path
    method: Method
    data: Path
    out: Path
    max_loss: float = 0.01
    """How far (0-1) the headline figure may fall: tuned macro-F1 where several labels may hold, else accuracy."""
    split: str = "open"
    """The part of the data that is reported on; `dev` while one is still choosing."""
    against: Path | None = None
    """What speed and size are compared with, where that is not the model itself."""
    text_field: str = "text"
    label_field: str = "labels"
    max_tokens: int = 128
    """Longer texts are cut; where the model takes fewer, its own limit holds."""
    calibration: int = 256
    """Texts of `train` that static int8 takes its ranges from, and pruning its importances."""
    prune_ffn: float = 0.5
    prune_heads: float = 0.0
    """Shares (0-1) of feed-forward neurons and attention heads that each layer loses."""
    layers: int = 3
    """Layers of a distilled student."""
    train_limit: int | None = None
    """Learn from the first so many examples only."""
    seed: int = 1
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InvalidInput(f"There is no method {self.method!r}; there are {', '.join(METHODS)}.")
        _within("max-loss", self.max_loss, 0.0, 1.0)
        _within("prune-ffn", self.prune_ffn, 0.0, 0.95)
        _within("prune-heads", self.prune_heads, 0.0, 0.95)
        _within("calibration", self.calibration, 1, 100_000)
        _within("max-tokens", self.max_tokens, 2, 100_000)
        _within("layers", self.layers, 1, 1000)
        if self.train_limit is not None:
            _within("train-limit", self.train_limit, 1, 1_000_000_000)
        if self.method == "prune" and not (self.prune_ffn or self.prune_heads):
            raise InvalidInput("Pruning needs a share of neurons or heads above 0.")
        if self.out.resolve() == self.model.resolve():
            raise InvalidInput(
                "The result may not overwrite the model it is made from: name another folder with --out."
            )

    def told(self) -> dict[str, Any]:
        """What of the plan bears on the result, for reports and for telling checkpoints apart."""
        left_out = {"model", "data", "out", "against", "recipe", "max_loss", "split"}
        found = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in left_out}
        return found | {"recipe": {item.name: getattr(self.recipe, item.name) for item in fields(self.recipe)}}


def method_of(name: str) -> Method:
    """The method by its name; `Plan` refuses what it does not know."""
    return cast("Method", name)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also what is not a number
        raise InvalidInput(f"{name} must lie between {low:g} and {high:g}.")

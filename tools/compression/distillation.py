"""A smaller network learns what a larger one says and how it sees a text: soft labels, and vectors of matched layers.

The same is done to a student with fewer layers and to a network that has lost heads and neurons. Hinton et al., 2015,
"Distilling the Knowledge in a Neural Network"; Sanh et al., 2019, "DistilBERT"; Jiao et al., 2020, "TinyBERT".
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from tools.compression.layers import layers_of
from tools.compression.plan import Recipe
from tools.compression.runnable import Tokens, padded
from tools.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a teacher made of each example: probabilities (n, labels) and sentence vectors (n, layers, 2·hidden).

    A sentence vector is the first token's next to the mean of all: classifiers rest on the one or the other.
    """

    probabilities: torch.Tensor
    vectors: torch.Tensor


def student_of(teacher: Any, layers: int) -> tuple[Any, tuple[int, ...]]:
    """A copy with `layers` of the teacher's layers, evenly spread and ending with the last; and which they are.

    Raises:
        InvalidInput: the teacher has no more layers than that.
    """
    present = len(layers_of(teacher))
    if layers >= present:
        raise InvalidInput(f"A student of {layers} layers is not smaller than its teacher of {present}.")
    taken = tuple(-(-(place + 1) * present // layers) - 1 for place in range(layers))
    student = copy.deepcopy(teacher)
    own = layers_of(student)
    for place in reversed(range(present)):
        if place not in taken:
            del own[place]
    student.config.num_hidden_layers = layers
    return student, taken


def give_lesson(
    teacher: Any, tokens: Tokens, layers: Sequence[int], recipe: Recipe, *, multi: bool, watch: Callable[[int], None]
) -> Lesson:
    """Let the teacher read every example once; `watch` hears how many are done."""
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    config = teacher.config
    device = next(teacher.parameters()).device
    probabilities = torch.empty(len(tokens), config.num_labels)
    vectors = torch.empty(len(tokens), len(layers), 2 * config.hidden_size, dtype=torch.float16)
    for at in range(0, len(order), recipe.batch):
        places = order[at : at + recipe.batch]
        with torch.inference_mode():
            logits, seen = read(teacher, [tokens[place] for place in places], layers, bf16=recipe.bf16, device=device)
        probabilities[places] = (logits.sigmoid() if multi else logits.softmax(1)).cpu()
        vectors[places] = seen.half().cpu()
        watch(at + len(places))
    return Lesson(probabilities, vectors)


def read(
    network: Any, batch: Tokens, layers: Sequence[int], *, bf16: bool, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (batch, labels), and sentence vectors after the given layers (batch, layers, 2·hidden), in fp32."""
    ids, mask = (torch.from_numpy(part).to(device) for part in padded(batch, int(network.config.pad_token_id or 0)))
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16), _states_of(network) as seen:
        logits = network(input_ids=ids, attention_mask=mask).logits
    weights = mask[:, :, None].float()
    states = [seen[layer].float() for layer in layers]
    vectors = [torch.cat([state[:, 0], (state * weights).sum(1) / weights.sum(1)], dim=1) for state in states]
    return logits.float(), torch.stack(vectors, dim=1)


@contextmanager
def _states_of(network: Any) -> Iterator[list[torch.Tensor]]:
    """Catch what each layer puts out, (batch, sequence, hidden), in a list that a forward pass fills.

    Not `output_hidden_states`: a model of one's own need not pass that on.
    """
    seen = list[torch.Tensor]()

    def catch(_module: Any, _inputs: Any, output: Any) -> None:
        seen.append(output if isinstance(output, torch.Tensor) else output[0])

    hooks = [layer.register_forward_hook(catch) for layer in layers_of(network)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


class Lessons:
    """The loss of a student on chosen examples: mixed targets, and the distance of its vectors from the teacher's."""

    def __init__(
        self,
        tokens: Tokens,
        targets: np.ndarray[Any, np.dtype[np.float32]],
        lesson: Lesson,
        recipe: Recipe,
        *,
        multi: bool,
    ) -> None:
        self._tokens, self._lesson, self._recipe, self._multi = tokens, lesson, recipe, multi
        # Both losses are linear in the target, so the mixture of targets is the mixture of losses.
        self._targets = recipe.soft * lesson.probabilities + (1 - recipe.soft) * torch.from_numpy(targets)
        self._spread = lesson.vectors.float().var(dim=(0, 2)).clamp(min=1e-6)

    def loss(self, student: Any, chosen: Sequence[int]) -> torch.Tensor:
        """Mean over the chosen examples, a scalar."""
        device = next(student.parameters()).device
        layers = range(student.config.num_hidden_layers)
        batch = [self._tokens[place] for place in chosen]
        logits, vectors = read(student, batch, layers, bf16=self._recipe.bf16, device=device)
        rows = torch.tensor(list(chosen))
        answer = answer_loss(logits, self._targets[rows].to(device), multi=self._multi)
        taught = self._lesson.vectors[rows].float().to(device)
        distance = (vectors - taught).square().mean(dim=(0, 2)) / self._spread.to(device)
        return answer + self._recipe.states * distance.mean()


def answer_loss(logits: torch.Tensor, targets: torch.Tensor, *, multi: bool) -> torch.Tensor:
    """Cross-entropy with targets that may lie between 0 and 1: of each label by itself, or of the one that holds."""
    if multi:
        return functional.binary_cross_entropy_with_logits(logits, targets)
    return functional.cross_entropy(logits, targets)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.tools.compression.parts import logits_of_network, small_network
from tools.compression.distillation import Lessons, answer_loss, give_lesson, student_of
from tools.compression.layers import layers_of
from tools.compression.plan import Recipe
from tools.errors import InvalidInput

TOKENS = [[1, 5, 9, 13, 2], [1, 7, 2], [1, 30, 31, 32, 33, 34, 35, 2]]
EXACT = Recipe(soft=1.0, states=1.0, bf16=False, batch=2)


def lessons_of(teacher: Any, layers: tuple[int, ...], recipe: Recipe = EXACT, *, multi: bool = True) -> Lessons:
    lesson = give_lesson(teacher, TOKENS, layers, recipe, multi=multi, watch=lambda _: None)
    return Lessons(TOKENS, np.eye(4, dtype=np.float32)[:3], lesson, recipe, multi=multi)


@pytest.mark.parametrize(("present", "layers", "taken"), [(6, 3, (1, 3, 5)), (6, 4, (1, 2, 4, 5)), (4, 1, (3,))])
def test_a_student_has_the_teachers_layers_spread_evenly(present: int, layers: int, taken: tuple[int, ...]) -> None:
    teacher = small_network(multi=True, layers=present)
    student, found = student_of(teacher, layers)
    assert found == taken
    assert student.config.num_hidden_layers == layers == len(layers_of(student))
    assert len(layers_of(teacher)) == present == teacher.config.num_hidden_layers
    for own, of in zip(layers_of(student), taken, strict=True):
        theirs = layers_of(teacher)[of].state_dict()
        assert all(torch.equal(weight, theirs[name]) for name, weight in own.state_dict().items())
    assert logits_of_network(student, TOKENS).shape == (3, 4)


def test_a_student_as_large_as_its_teacher_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not smaller"):
        student_of(small_network(multi=True), 2)


def test_a_lesson_keeps_the_order_of_the_examples() -> None:
    teacher = small_network(multi=True)
    lesson = give_lesson(teacher, TOKENS, (0, 1), EXACT, multi=True, watch=lambda _: None)
    expected = 1 / (1 + np.exp(-logits_of_network(teacher, TOKENS)))
    assert np.allclose(lesson.probabilities.numpy(), expected, atol=1e-5)
    assert lesson.vectors.shape == (3, 2, 64)


@pytest.mark.parametrize("multi", [True, False])
def test_the_teacher_itself_has_nothing_to_learn(multi: bool) -> None:
    teacher = small_network(multi=multi)
    lessons = lessons_of(teacher, (0, 1), multi=multi)
    loss = lessons.loss(teacher, range(3))
    loss.backward()
    largest = max(float(w.grad.abs().max()) for w in teacher.parameters() if w.grad is not None)
    assert largest < 2e-3, "the vectors are kept in 16 bits, so not quite 0"
    other = small_network(multi=multi, seed=1)
    assert lessons.loss(other, range(3)) > loss


def test_labels_alone_are_learnt_where_nothing_is_soft() -> None:
    recipe = Recipe(soft=0.0, states=0.0, bf16=False)
    network = small_network(multi=False)
    loss = lessons_of(network, (0, 1), recipe, multi=False).loss(network, range(3))
    logits = torch.from_numpy(logits_of_network(network, TOKENS))
    assert loss.item() == pytest.approx(answer_loss(logits, torch.eye(4)[:3], multi=False).item(), abs=1e-5)
    assert loss.item() == pytest.approx(torch.nn.functional.cross_entropy(logits, torch.arange(3)).item(), abs=1e-5)


def test_bfloat16_changes_the_loss_but_little() -> None:
    teacher, student = small_network(multi=True), small_network(multi=True, seed=1)
    losses = [
        lessons_of(teacher, (0, 1), Recipe(soft=1.0, states=0.0, bf16=bf16)).loss(student, range(3)).item()
        for bf16 in (True, False)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)

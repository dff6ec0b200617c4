from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tools.compression.parts import small_network
from tools.compression import training
from tools.compression.plan import Recipe
from tools.compression.training import Training, batches, share_of_rate

RECIPE = Recipe(epochs=2, batch=4, rate=1e-3, bf16=False)
ROWS = [[1, 5 + index % 7, 20 + index, 2] for index in range(30)]


def loss_of(network: Any, chosen: Sequence[int]) -> torch.Tensor:
    return network(torch.tensor([ROWS[place] for place in chosen])).logits.sub(1).square().mean()


def with_dropout() -> Any:
    network = small_network(multi=True)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.1
    return network


def trained(folder: Path, digest: str = "same", seed: int = 1) -> tuple[Any, Training]:
    network = with_dropout()
    return network, Training(network, [len(row) for row in ROWS], RECIPE, seed, folder, digest)


def weights_of(network: Any) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


def test_a_broken_run_ends_where_an_unbroken_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 3)
    unbroken, run = trained(tmp_path / "unbroken")
    run.run(loss_of)

    class Killed(Exception):
        pass

    def kill(step: int, _: float) -> None:
        if step == 11:
            raise Killed

    _, run = trained(tmp_path / "broken")
    with pytest.raises(Killed):
        run.run(loss_of, kill)
    again, run = trained(tmp_path / "broken")
    taken = list[int]()
    run.run(loss_of, lambda step, _: taken.append(step))
    assert taken == list(range(10, 17))
    assert torch.equal(weights_of(again), weights_of(unbroken))


def test_the_checkpoint_of_other_work_is_not_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 3)
    trained(tmp_path / "work")[1].run(loss_of)
    taken = list[int]()
    trained(tmp_path / "work", digest="other")[1].run(loss_of, lambda step, _: taken.append(step))
    assert taken[0] == 1


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(tmp_path: Path) -> None:
    found = list[torch.Tensor]()
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        network, run = trained(tmp_path / name, seed=seed)
        run.run(loss_of)
        found.append(weights_of(network))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_training_lowers_the_loss_and_leaves_the_tables_alone(tmp_path: Path) -> None:
    network, run = trained(tmp_path)
    table = network.bert.embeddings.word_embeddings.weight.clone()
    before = loss_of(network, range(30)).item()
    run.run(loss_of)
    assert loss_of(network, range(30)).item() < 0.5 * before
    assert torch.equal(table, network.bert.embeddings.word_embeddings.weight)
    assert not network.training


def test_an_epoch_holds_each_example_once_and_rows_of_like_length() -> None:
    lengths = [index % 40 + 1 for index in range(1000)]
    found = batches(lengths, 8, seed=3)
    assert sorted(place for batch in found for place in batch) == list(range(1000))
    assert max(max(lengths[p] for p in batch) - min(lengths[p] for p in batch) for batch in found) < 10
    assert found == batches(lengths, 8, seed=3) != batches(lengths, 8, seed=4)


def test_the_rate_rises_and_falls_to_nothing() -> None:
    shares = [share_of_rate(step, 100, 0.1) for step in range(100)]
    assert max(shares) == 1.0
    assert shares.index(1.0) == 9
    assert shares[0] == pytest.approx(0.1)
    assert 0 < shares[-1] < 0.02

from __future__ import annotations

import pytest

from nodes.events import ModelEvent
from nodes.route_model import route_model
from nodes.turn import TurnOptions
from tests.nodes.rehearsal import Rehearsal
from tools.errors import InvalidInput


@pytest.mark.parametrize(("asked", "reason"), [("auto", "only_model"), ("scripted", "requested")])
async def test_the_choice_is_told_with_its_reason(asked: str, reason: str) -> None:
    stage = Rehearsal()
    update = await route_model({}, stage.context(options=TurnOptions(model=asked)))
    assert (update["model"].model, update["model"].reason) == ("scripted", reason)
    assert stage.said == [ModelEvent(model="scripted", tier="embedded", reason=reason, estimated_cost=0)]


async def test_a_model_nobody_has_is_refused() -> None:
    with pytest.raises(InvalidInput):
        await route_model({}, Rehearsal().context(options=TurnOptions(model="none")))

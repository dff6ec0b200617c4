"""Which source wins, flag by flag."""

from __future__ import annotations

import pytest

from flags.errors import ConfigurationError
from flags.layers import combine, explain, layer_of
from flags.snapshot import FlagSnapshot


def test_the_defaults_are_those_the_documents_promise() -> None:
    assert combine({}).snapshot == FlagSnapshot(
        coordinator_engine="langgraph",
        enable_ml_intent=True,
        enable_context_aware=True,
        ab_testing_enabled=False,
        ab_traffic_split=0.0,
        ab_control_engine="legacy",
        performance_monitoring=True,
        kill_switch=False,
    )


def test_the_environment_beats_env_and_an_override_beats_both() -> None:
    layers = {
        ".env": layer_of({"COORDINATOR_ENGINE": "legacy", "AB_TRAFFIC_SPLIT": "0.1", "ENABLE_ML_INTENT": "no"}, ".env"),
        "environment": layer_of({"COORDINATOR_ENGINE": "workflow", "AB_TRAFFIC_SPLIT": "0.2"}, "environment"),
        "override": layer_of({"COORDINATOR_ENGINE": "graph"}, "override"),
    }
    seen = {flag.name: (flag.value, flag.source) for flag in explain(combine(layers))}  # type: ignore[arg-type]
    assert seen["COORDINATOR_ENGINE"] == ("langgraph", "override")
    assert seen["AB_TRAFFIC_SPLIT"] == (0.2, "environment")
    assert seen["ENABLE_ML_INTENT"] == (False, ".env")
    assert seen["AB_CONTROL_ENGINE"] == ("legacy", "default")


@pytest.mark.parametrize("source", [".env", "environment", "override"])
def test_any_source_can_pull_the_kill_switch_and_none_can_hold_it_back(source: str) -> None:
    layers = {name: {"KILL_SWITCH": name == source} for name in (".env", "environment", "override")}
    state = combine(layers)  # type: ignore[arg-type]
    assert state.snapshot.kill_switch
    assert state.sources["KILL_SWITCH"] == source


def test_all_bad_values_of_a_source_are_reported_at_once() -> None:
    with pytest.raises(ConfigurationError) as failure:
        layer_of({"COORDINATOR_ENGINE": "lagacy", "AB_TRAFFIC_SPLIT": "2", "PORT": "x"}, ".env")
    assert [problem.split(" must")[0] for problem in failure.value.problems] == [
        ".env: AB_TRAFFIC_SPLIT",
        ".env: COORDINATOR_ENGINE",
    ]


def test_every_flag_is_explained() -> None:
    assert all(flag.doc.endswith(".") for flag in explain(combine({})))

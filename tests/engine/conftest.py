"""A treated kidney, small enough for tests, in which everything a run can do happens within 200 steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
import pytest
import yaml

from tissuesim.config import load_config_text
from tissuesim.scenario import Scenario, build_scenario
from tissuesim.simulation import Simulation

TREATED = {
    "extends": "kidney_car_t",
    "name": "treated",
    "organs": {"kidney": {"spacing": "8 mm"}},
    "time": {"start": "-3 day", "end": "20 day", "maximum_step": "2 h"},
    "treatment": [
        {
            "type": "lymphodepletion",
            "start": "-2.5 day",
            "end": "-1.5 day",
            "marrow_residual": 0.1,
            "space": 1.0,
        },
        {"type": "drug", "name": "suppression", "on": "-2 day", "off": "1 day"},
        {"type": "car_t", "day": 0, "dose": "1e6 cell/kg", "memory_fraction": 0.4},
    ],
    "output": {"frames": {"every": "1 day", "days": None}, "totals_every": "1 h"},
    "checkpoint_every": "2 h",
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small organs are fastest on one thread; tests of threads ask for their own number."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


@pytest.fixture(scope="session")
def treated_text() -> str:
    """The config of the treated kidney as YAML."""
    return yaml.safe_dump(TREATED, sort_keys=False)


@pytest.fixture(scope="session")
def treated(treated_text: str) -> Callable[..., Scenario]:
    """Builder of the scenario: ``treated("key=value", ...)``."""

    def build(*sets: str) -> Scenario:
        return build_scenario(load_config_text(treated_text, sets))

    return build


@pytest.fixture(scope="session")
def advance() -> Callable[..., Simulation]:
    """Runner of a scenario without output: ``advance(scenario, backend, steps)``."""

    def run(scenario: Scenario, backend: str, steps: int) -> Simulation:
        simulation = Simulation(scenario, backend)
        for _ in range(steps):
            simulation.step()
        simulation.check(simulation.state)
        return simulation

    return run


@pytest.fixture(scope="session")
def same_state() -> Callable[[Simulation, Simulation], None]:
    """Assertion that the states of two simulations are equal in every bit, naming the array that is not."""

    def compare(expected: Simulation, found: Simulation) -> None:
        expected_arrays, expected_facts = held(expected)
        found_arrays, found_facts = held(found)
        assert expected_arrays.keys() == found_arrays.keys()
        for name, array in expected_arrays.items():
            assert_same(name, array, found_arrays[name])
        assert expected_facts == found_facts

    return compare


def held(simulation: Simulation) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a checkpoint of a simulation would hold."""
    return simulation.engine.snapshot(simulation.state).checkpoint()


def assert_same(name: str, expected: Any, found: Any) -> None:
    """Equal dtype, shape and values, with a message that says where not."""
    assert expected.dtype == found.dtype and expected.shape == found.shape, name
    if not np.array_equal(expected, found):
        where = np.argwhere(expected != found)
        first = tuple(where[0])
        raise AssertionError(
            f"{name}: {len(where)} of {expected.size} differ, first at {first}: {expected[first]!r} {found[first]!r}"
        )

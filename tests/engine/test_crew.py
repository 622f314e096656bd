"""Organs computed side by side give the bits of organs computed one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numba
import pytest

from tissuesim.errors import NumericsError
from tissuesim.scenario import Scenario
from tissuesim.simulation import Simulation
from tissuesim.simulation.crew import Crew


def crew_of(sizes: dict[str, int], threads: int) -> Crew:
    """A crew on a backend that allows ``threads`` callers."""
    arrays = SimpleNamespace(callers=lambda: threads, use_one_thread=lambda: None)
    backend: Any = SimpleNamespace(arrays=arrays)
    return Crew(sizes, backend)


def test_two_threads_change_no_bit(
    treated: Callable[..., Scenario],
    advance: Callable[..., Simulation],
    same_state: Callable[[Simulation, Simulation], None],
) -> None:
    """Three organs on two threads, through infusion and killing, equal the same organs on one."""
    organs = [f"organs.{name}={{anatomy: kidney, spacing: 9 mm, seed: {i}}}" for i, name in enumerate("abc")]
    alone = advance(treated(*organs), "numba", 60)
    assert alone.engine.crew.workers == 1
    numba.set_num_threads(2)
    together = advance(treated(*organs), "numba", 60)
    assert together.engine.crew.workers == 2  # or the claim was not tried
    same_state(alone, together)


def test_results_come_in_the_order_of_the_organs() -> None:
    """The largest organ begins; what is found is given in the order of the scenario, as sums over organs need it."""
    begun: list[str] = []
    crew = crew_of({"small": 10, "large": 12, "middle": 11}, 2)
    hold = threading.Barrier(2)

    def work(name: str) -> str:
        begun.append(name)
        if name != "small":
            hold.wait(10)  # two at a time, or this never ends
        return name.upper()

    assert crew.each(work) == {"small": "SMALL", "large": "LARGE", "middle": "MIDDLE"}
    assert list(crew.each(lambda name: name)) == ["small", "large", "middle"]
    assert set(begun[:2]) == {"large", "middle"}


@pytest.mark.parametrize(
    ("sizes", "threads"), [({"a": 90, "b": 20}, 2), ({"a": 50}, 2), ({"a": 50, "b": 50}, 1)]
)
def test_one_at_a_time_where_the_others_would_wait(sizes: dict[str, int], threads: int) -> None:
    """One organ, one thread, or an organ far larger than the rest: all threads work on one organ at a time."""
    crew = crew_of(sizes, threads)
    here = threading.get_ident()
    assert crew.each(lambda name: threading.get_ident()) == dict.fromkeys(sizes, here)


def test_an_error_ends_the_step_when_all_have_stopped() -> None:
    """An organ whose numbers break stops the run, and no other organ goes on changing the state behind it."""
    finished: list[str] = []
    slow = threading.Event()

    def work(name: str) -> None:
        if name == "sick":
            raise NumericsError("broken")
        slow.wait(0.2)
        finished.append(name)

    with pytest.raises(NumericsError, match="broken"):
        crew_of({"sick": 3, "well": 2, "fine": 2}, 2).each(work)
    assert sorted(finished) == ["fine", "well"]

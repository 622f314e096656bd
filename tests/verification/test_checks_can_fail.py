"""A check that cannot fail defends nothing: broken numerics and wrong samples are found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tissuesim.numerics import signals
from tissuesim.verification import conservation, diffusion, movement, processes
from tissuesim.verification.check import (
    at_least,
    at_most,
    convergence_order,
    exactly,
    has_order,
    likely,
    within,
    within_percent,
)
from tissuesim.verification.specimen import Specimen


def failed(checks: list[Any]) -> list[str]:
    """Names of the checks that fail."""
    return [check.name for check in checks if not check.passed]


def test_arithmetic_means_at_a_jump_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flux through two layers tells the harmonic mean of the diffusivities from another mean."""

    def arithmetic(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return (values[:, None] + values[None, :]) / 2.0

    monkeypatch.setattr(signals, "harmonic_means", arithmetic)
    assert failed(diffusion.two_layers(False))


def test_a_lost_cell_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One cell in fifty thousand that vanishes in a movement step fails the count."""
    move = Specimen.move

    def careless(self: Specimen, ticks: int, repeats: int = 1) -> None:
        move(self, ticks, repeats)
        self.state.cells[np.flatnonzero(self.state.cells[:, 0])[0], 0] -= 1

    monkeypatch.setattr(Specimen, "move", careless)
    assert "movement: cells after a step" in failed(movement.split(False))


def test_a_first_order_process_operator_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reactions that see a step two percent too long, less so for short ones, lose the second order."""
    react = Specimen.react

    def late(self: Specimen, ticks: int, repeats: int = 1) -> list[Any]:
        results = react(self, ticks, repeats)
        self.state.cells *= 1.0 + 1e-3 * ticks / 384
        return results

    monkeypatch.setattr(Specimen, "react", late)
    assert failed(processes.chain(False))


def test_negative_signals_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One voxel a millionth below zero fails the check of positivity."""
    diffuse = Specimen.diffuse

    def dipping(self: Specimen, ticks: int, repeats: int = 1) -> NDArray[np.float64]:
        ledger = diffuse(self, ticks, repeats)
        self.state.signals[0] = -1e-6
        return ledger

    monkeypatch.setattr(Specimen, "diffuse", dipping)
    assert failed(conservation.positive_signals(False))


@pytest.mark.parametrize("wrong", [1.06, 0.94, math.nan, math.inf])
def test_numbers_outside_their_tolerance_fail(wrong: float) -> None:
    """No kind of check accepts what is too far off, nor what is not a number."""
    assert not within("x", 1.0, wrong, 0.05).passed
    assert not within_percent("x", 1.0, wrong, 5.0).passed
    assert not exactly("x", 1.0, wrong).passed
    assert not at_most("x", abs(wrong - 1.0), 0.05).passed
    assert not at_least("x", -abs(wrong - 1.0), -0.05, "none").passed
    assert not likely("x", 0.01 / wrong**100 if wrong > 1 else -wrong).passed


def test_numbers_inside_their_tolerance_pass() -> None:
    """Every kind of check accepts what is near enough, and says so in a plain bool."""
    checks = [
        within("x", 1.0, np.float64(1.04), 0.05),
        within_percent("x", 1.0, 1.04, 5.0),
        exactly("x", 3, 3),
    ]
    checks += [at_most("x", 0.04, 0.05), at_least("x", 18, 18, "20"), likely("x", 0.2)]
    assert [check.passed for check in checks] == [True] * len(checks)
    assert {type(check.passed) for check in checks} == {bool}


def test_the_order_is_that_of_the_two_finest() -> None:
    """Errors 1, 1/4, 1/16 have order 2; order 1 and errors that stay are refused as second order."""
    assert convergence_order([1.0, 0.25, 0.0625]) == pytest.approx(2.0)
    assert has_order("x", 2.0, [5.0, 0.25, 0.0625]).passed
    for errors in ([1.0, 0.5, 0.25], [1.0, 1.0, 1.0], [1.0, 0.25, 0.0], [1.0, 0.1, 0.01]):
        assert not has_order("x", 2.0, errors).passed

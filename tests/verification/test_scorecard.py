"""The solver agrees with theory: the checks of `tissuesim verify`, each a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest

from tissuesim.verification import Check, scorecard
from tissuesim.verification import conservation as conservation_checks
from tissuesim.verification import diffusion as diffusion_checks
from tissuesim.verification import exchange as exchange_checks
from tissuesim.verification import movement as movement_checks
from tissuesim.verification import processes as process_checks
from tissuesim.verification import stochastic as stochastic_checks
from tissuesim.verification import systemic as systemic_checks

Function = Callable[[bool], list[Check]]


def named(functions: tuple[Function, ...]) -> pytest.MarkDecorator:
    """One test per function of a room of the scorecard, by its name."""
    return pytest.mark.parametrize("function", functions, ids=[function.__name__ for function in functions])


def assert_passes(function: Function) -> None:
    """Every check of a function passes; those that do not are shown with their numbers."""
    checks = function(False)
    assert checks
    assert [check for check in checks if not check.passed] == []


@named(diffusion_checks.CHECKS)
def test_signals_follow_the_diffusion_equation(function: Function) -> None:
    """Order 2 in space and 1 in time; layers, slabs, points and balls as closed forms have them."""
    assert_passes(function)


@named(movement_checks.CHECKS)
def test_cells_crawl_as_they_should(function: Function) -> None:
    """Upwind order 1; random walk, drift, multinomial split and front speed as theory has them."""
    assert_passes(function)


@named(process_checks.CHECKS)
def test_processes_are_of_second_order(function: Function) -> None:
    """Order 2 in time with exact equilibria, and nothing negative for steps far beyond the explicit limit."""
    assert_passes(function)


@named(stochastic_checks.CHECKS)
def test_events_follow_exact_laws(function: Function) -> None:
    """Integer events have the means, variances and extinction times of the exact process."""
    assert_passes(function)


@named(exchange_checks.CHECKS)
def test_the_blood_exchanges_whole_cells(function: Function) -> None:
    """What leaves the blood arrives, by the weights of the voxels."""
    assert_passes(function)


@named(systemic_checks.CHECKS)
def test_pools_follow_pharmacokinetics(function: Function) -> None:
    """Bi-exponential exchange and the Bateman curve; counted pools keep their sum."""
    assert_passes(function)


@named(conservation_checks.CHECKS)
def test_amounts_are_kept(function: Function) -> None:
    """Whole cells exactly, float32 amounts to 1e-6 over 1,000 steps, nothing below zero."""
    assert_passes(function)


def test_the_scorecard_is_complete_and_printable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scorecard holds the checks of every room in order, as JSON without NaN can carry them."""
    rooms = [diffusion_checks, movement_checks, process_checks, stochastic_checks]
    rooms += [exchange_checks, systemic_checks, conservation_checks]
    for room in rooms:
        check = Check(room.__name__, "theory", 1.0, "exact", True)
        monkeypatch.setattr(room, "CHECKS", (lambda quick, check=check: [check],))
    checks = scorecard(quick=True)
    assert [check.name for check in checks] == [room.__name__ for room in rooms]
    assert json.loads(json.dumps([asdict(check) for check in checks], allow_nan=False))

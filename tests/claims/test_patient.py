"""What the whole patient must show, in coarse voxels: a reset in every organ, in three diseases, and its controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tissuesim.config import load_config
from tissuesim.readouts import endpoints
from tissuesim.scenario import load
from tissuesim.simulation import Simulation
from tissuesim.simulation.totals import TotalsTable
from tissuesim.ticks import days

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("patient")]

COARSE = {"kidney": 8, "lungs": 16, "heart": 8, "skin": 1.5, "joint": 6}
"""Voxels in mm: about 5,000 in all."""

Totals = dict[str, np.ndarray]
Runs = Callable[..., Totals]


def coarse(name: str) -> tuple[str, ...]:
    """Changes of a shipped config."""
    organs = load_config(name).organs
    return tuple(f"organs.{key}.spacing={COARSE[str(item.organ_kind)]} mm" for key, item in organs.items())


def follow(name: str, *changes: str) -> Totals:
    """Totals of every step, with the days under ``day``; every cell is counted on the way."""
    simulation = Simulation(load(name, (*coarse(name), *changes)), "numba")
    table = TotalsTable(simulation.scenario)
    when, rows = [], []
    while not simulation.finished:
        simulation.step()
        if simulation.state.steps % 32 == 0:
            simulation.check(simulation.state)
        when.append(days(simulation.state.tick))
        rows.append(table.row(simulation.engine, simulation.state))
    simulation.check(simulation.state)
    return {
        "day": np.array(when),
        **dict(zip((c.name for c in table.columns), np.array(rows).T, strict=True)),
    }


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    """``follow`` that remembers what it ran."""
    known: dict[tuple[str, ...], Totals] = {}

    def remembered(*key: str) -> Totals:
        if key not in known:
            known[key] = follow(*key)
        return known[key]

    yield remembered


def at(totals: Totals, name: str, day: float) -> float:
    """Value of a column on a day."""
    return float(np.interp(day, totals["day"], totals[name]))


def diseased(totals: Totals) -> list[str]:
    """Organs in which the disease lives."""
    ends = ".target_volume"
    return [name.removesuffix(ends) for name in totals if name.endswith(ends) and totals[name][-1] > 0]


WHERE = {
    "sle": {"kidney_left", "kidney_right", "lungs", "heart", "skin", "knee"},
    "ssc": {"lungs", "heart", "skin"},
    "iim": {"lungs", "heart"},
}


@pytest.mark.parametrize("disease", WHERE)
def test_one_infusion_resets_every_organ(runs: Runs, disease: str) -> None:
    """CAR T arm of each disease: peak day 7-14 at 5-500/uL, blood B below 1 % by day 3-10, aplasia 86-138 days.

    The last autoreactive cell of every diseased organ is dead by day 30 and none is back by day 200; inflammation is
    below a fifth of day 0 by day 180.
    """
    totals = runs(f"{disease}_car_t", "time.end=200 day")
    found: Any = endpoints(totals["day"], totals, baseline_day=-5)
    assert set(diseased(totals)) == WHERE[disease]
    assert 7 <= found["day_car_t_peak"] <= 14
    assert 5 <= found["car_t_peak_per_ul"] <= 500
    assert 3 <= found["day_b_below_1pct"] <= 10
    assert 86 <= found["aplasia_days"] <= 138
    late = totals["day"] >= 30
    for organ in diseased(totals):
        assert not totals[f"{organ}.tissue_autoreactive_b"][late].any(), organ
        fall = at(totals, f"{organ}.inflammation_load", 180) / at(totals, f"{organ}.inflammation_load", 0)
        assert fall < 1 / 5, organ
    assert not totals["autoreactive_total"][late].any()


def test_lupus_flares_while_the_cells_work(runs: Runs) -> None:
    """Inflammation of both kidneys rises first, to 1.1 to 2 times day 0 between days 4 and 12, and then falls."""
    totals = runs("sle_car_t", "time.end=200 day")
    for organ in ("kidney_left", "kidney_right"):
        load = totals[f"{organ}.inflammation_load"] / at(totals, f"{organ}.inflammation_load", 0)
        after = totals["day"] >= 0
        highest = int(np.argmax(load[after]))
        assert 1.1 < load[after][highest] < 2.0
        assert 4 <= totals["day"][after][highest] <= 12
        assert at(totals, f"{organ}.inflammation_load", 28) < at(totals, f"{organ}.inflammation_load", 0)


def test_spared_organs_stay_healthy(runs: Runs) -> None:
    """In systemic sclerosis kidneys and knee have no clone and no damage; killing inflames them by less than 0.2."""
    totals = runs("ssc_car_t", "time.end=200 day")
    before = totals["day"] < -5
    for organ in ("kidney_left", "kidney_right", "knee"):
        assert not totals[f"{organ}.tissue_autoreactive_b"].any()
        assert totals[f"{organ}.inflammation.mean"][before].max() < 1e-3
        assert totals[f"{organ}.inflammation.mean"].max() < 0.2
        assert at(totals, f"{organ}.inflammation.mean", 90) < 0.005
        assert totals[f"{organ}.damage.mean"].max() < 0.05


@pytest.mark.parametrize("disease", WHERE)
def test_untreated_disease_stays(runs: Runs, disease: str) -> None:
    """Without treatment inflammation of each organ stays within a fifth of its level on day 0 to day 120."""
    totals = runs(f"{disease}_untreated", "time.end=120 day")
    for organ in diseased(totals):
        change = at(totals, f"{organ}.inflammation_load", 120) / at(totals, f"{organ}.inflammation_load", 0)
        assert 0.8 < change < 1.2, organ


def test_lymphodepletion_alone_is_partial_and_passes(runs: Runs) -> None:
    """It kills half of the clones and dents the inflammation; both are back within four months."""
    totals = runs("sle_lymphodepletion_only", "time.end=120 day")
    assert at(totals, "autoreactive_total", 0) < 0.5 * at(totals, "autoreactive_total", -6)
    lowest = totals["mean_inflammation"][totals["day"] >= 0].min()
    assert 0.6 < lowest / at(totals, "mean_inflammation", -6) < 0.97
    assert at(totals, "autoreactive_total", 120) > 0.9 * at(totals, "autoreactive_total", -6)


def test_inflammation_and_fibrosis_have_their_own_clocks(runs: Runs) -> None:
    """Systemic sclerosis: inflammation halves within two months, fibrosis is near its level of day 0 after half a year.

    Collagen that no myofibroblast makes falls by 20 to 50 % a year in skin and slower in mature scar.
    """
    totals = runs("ssc_car_t", "time.end=200 day")
    for organ in ("skin", "lungs", "heart"):
        assert at(totals, f"{organ}.inflammation_load", 60) < 0.5 * at(
            totals, f"{organ}.inflammation_load", 0
        )
        fibrosis = at(totals, f"{organ}.fibrosis_load", 180) / at(totals, f"{organ}.fibrosis_load", 0)
        assert 0.7 < fibrosis < 1.15, organ
    scenario = load("ssc_car_t", coarse("ssc_car_t"))
    yearly = {}
    for organ in ("skin", "lungs", "heart"):
        values = scenario.organ_models[organ].parameter_values()
        yearly[organ] = 1 - np.exp(-365 * values["fibrosis_turnover"] * values["fibrosis_removal"])
    assert 0.2 <= yearly["skin"] <= 0.5
    assert max(yearly["lungs"], yearly["heart"]) < yearly["skin"] / 2


def test_every_cell_of_the_patient_is_accounted_for(runs: Runs) -> None:
    """Births, deaths, treatment and traffic explain the last cell of all compartments, in blood as in organs.

    What left the blood for the organs entered them, kind by kind, and each compartment adds up exactly.
    """
    totals = runs("sle_car_t", "time.end=200 day")
    scenario = load("sle_car_t", coarse("sle_car_t"))
    model, organs = scenario.model, list(scenario.tissues)
    lines = ("initial", "gained", "lost", "given", "arrived", "left")
    counted = [name for name, pool in model.pools.items() if pool.kind == "count"]
    assert len(counted) >= 12
    for pool in counted:
        initial, gained, lost, given, arrived, left = (
            totals[f"pools.{pool}.ledger.{line}"] for line in lines
        )
        assert np.array_equal(totals[pool], initial + gained - lost + given + arrived - left), pool
    for cell in model.cells:
        entered = sum(totals[f"{organ}.{cell}.ledger.entered"] for organ in organs)
        if f"blood_{cell}" in counted:
            assert np.array_equal(entered, totals[f"pools.blood_{cell}.ledger.left"]), cell
            assert entered[-1] > 0
        for organ in organs:
            ledger = [
                totals[f"{organ}.{cell}.ledger.{line}"] for line in ("initial", "gained", "lost", "entered")
            ]
            assert np.array_equal(
                totals[f"{organ}.{cell}.sum"], ledger[0] + ledger[1] - ledger[2] + ledger[3]
            )
            assert np.all(np.diff(ledger[2]) >= 0)
    assert totals["pools.blood_car_t_effector.ledger.given"][-1] + totals[
        "pools.blood_car_t_memory.ledger.given"
    ][-1] == pytest.approx(3.5e7)
    # the whole body: everything that was ever there, came or went
    everywhere = sum(totals[pool] for pool in counted) + sum(
        totals[f"{organ}.{cell}.sum"] for organ in organs for cell in model.cells
    )
    flows = sum(
        sign * totals[f"pools.{pool}.ledger.{line}"]
        for pool in counted
        for line, sign in zip(lines, (1, 1, -1, 1, 1, -1), strict=True)
    ) + sum(
        sign * totals[f"{organ}.{cell}.ledger.{line}"]
        for organ in organs
        for cell in model.cells
        for line, sign in (("initial", 1), ("gained", 1), ("lost", -1), ("entered", 1))
    )
    assert np.array_equal(everywhere, flows)

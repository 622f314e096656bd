"""The arms of one patient with lupus nephritis in a coarse kidney: what each treatment does, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tissuesim.readouts import endpoints
from tissuesim.scenario import load
from tissuesim.simulation import Simulation
from tissuesim.simulation.totals import TotalsTable
from tissuesim.ticks import days

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("treatments")]

KIDNEY = "organs={kidney_left: {anatomy: kidney, spacing: 10 mm}}"
Totals = dict[str, np.ndarray]
Arms = Callable[[str, float], Totals]


@pytest.fixture(scope="module")
def arms() -> Iterator[Arms]:
    """Totals of every day of a shipped config with one kidney in 10 mm voxels, each run once."""
    known: dict[tuple[str, float], Totals] = {}

    def follow(name: str, end: float) -> Totals:
        if (name, end) not in known:
            simulation = Simulation(load(name, (KIDNEY, f"time.end={end}")), "numba")
            table = TotalsTable(simulation.scenario)
            when, rows = [], []
            while True:
                day = days(simulation.state.tick)
                if not when or day >= when[-1] + 1.0 or simulation.finished:
                    when.append(day)
                    rows.append(table.row(simulation.engine, simulation.state))
                if simulation.finished:
                    break
                simulation.step()
            simulation.check(simulation.state)
            columns = (column.name for column in table.columns)
            known[name, end] = {"day": np.array(when), **dict(zip(columns, np.array(rows).T, strict=True))}
        return known[name, end]

    yield follow


def at(totals: Totals, name: str, day: float) -> float:
    """Value of a column on a day."""
    return float(np.interp(day, totals["day"], totals[name]))


def relapse(totals: Totals) -> float | None:
    """Day of relapse."""
    found: float | None = endpoints(totals["day"], totals, baseline_day=-6)["relapse_day"]
    return found


def test_rituximab_empties_blood_and_leaves_node_and_tissue(arms: Arms) -> None:
    """Blood below 1 % within a week; on day 28 more than a tenth of the B cells of node and tissue is there."""
    totals = arms("sle_rituximab", 730)
    assert at(totals, "b_per_ul", 7) < 0.01 * at(totals, "b_per_ul", -6)
    for name in ("lymphoid_naive_b", "memory_b", "tissue_autoreactive_b", "node_follicle"):
        assert at(totals, name, 28) > 0.1 * at(totals, name, -6), name


def test_rituximab_remission_return_with_memory_relapse(arms: Arms) -> None:
    """Remission, return in months 4 to 12 with a larger share of memory, and relapse after it within two years."""
    totals = arms("sle_rituximab", 730)
    b, day = totals["b_per_ul"], totals["day"]
    back = float(day[(day > 30) & (b > 0.01 * b[0])][0])
    share = totals["blood_memory_b"] / 5e6 / b
    assert 120 <= back <= 365
    assert np.interp(back, day, share) > 1.3 * share[0]
    assert totals["disease_activity"].min() < 0.40
    relapsed = relapse(totals)
    assert relapsed is not None and relapsed > back


def test_standard_care_suppresses_and_relapses_after_the_stop(arms: Arms) -> None:
    """Activity below 0.40 while drugs are on, relapse within a year of the stop, clones there all the time."""
    totals = arms("sle_standard_of_care", 730)
    on = (totals["day"] > 150) & (totals["day"] < 365)
    assert totals["disease_activity"][on].max() < 0.40
    relapsed = relapse(totals)
    assert relapsed is not None and 365 < relapsed < 730
    assert totals["autoreactive_total"].min() > 1e6


def test_lymphodepletion_alone_is_partial(arms: Arms) -> None:
    """Clones fall by half at least and come back; the disease falls by a tenth at least and never remits."""
    totals = arms("sle_lymphodepletion_only", 365)
    clones = totals["autoreactive_total"]
    assert 0.01 < clones.min() / clones[totals["day"] < -6][-1] < 0.5
    assert clones[-1] > 0.9 * at(totals, "autoreactive_total", -6)
    activity = totals["disease_activity"][totals["day"] > 0]
    assert 0.40 < activity.min() < 0.9 and activity[-1] > 0.9


def test_the_second_infusion_of_a_product_does_not_expand(arms: Arms) -> None:
    """CAR T in blood rise after the first infusion to above 5 /uL, after the second to below a hundredth of that."""
    totals = arms("sle_reinfusion", 330)
    first = totals["car_t_per_ul"][(totals["day"] > 1) & (totals["day"] < 30)].max()
    second = totals["car_t_per_ul"][totals["day"] > 302].max()
    assert first > 5 and second < 0.01 * first


def test_long_lived_plasma_cells_and_bcma(arms: Arms) -> None:
    """Half of the titre stays on day 180 after CD19 CAR T, nothing after BCMA-CD19 CAR T, and no vaccine IgG either."""
    one, other = (arms(name, 200) for name in ("sle_car_t_long_lived", "bcma_cd19_car_t_long_lived"))
    assert at(one, "autoantibody", 180) > 0.4 and at(one, "vaccine_igg", 180) > 0.95
    assert at(other, "autoantibody", 180) < 0.05 and at(other, "vaccine_igg", 180) < 0.05


def test_without_lymphodepletion_car_t_expand_less(arms: Arms) -> None:
    """The peak in blood is below a tenth, B cells stay; still the body holds at least three times what was infused."""
    with_it, without = arms("sle_car_t", 40), arms("sle_car_t_no_lymphodepletion", 40)
    peaks = [totals["car_t_per_ul"][totals["day"] > 1].max() for totals in (with_it, without)]
    assert peaks[1] < 0.1 * peaks[0]
    assert 3 * 3.5e7 < without["car_t_total"].max() < 0.1 * with_it["car_t_total"].max()
    assert at(without, "b_per_ul", 28) > 0.5 * at(without, "b_per_ul", -6)


def test_each_ablation_shows(arms: Arms) -> None:
    """Poor access leaves clones on day 40; a hundredth of the dose acts a day or more later; no chance, no end."""
    whole = arms("sle_car_t", 40)
    assert at(whole, "autoreactive_total", 30) == 0.0
    poor = arms("sle_car_t_poor_access", 40)
    assert at(poor, "tissue_car_t", 8) < 0.2 * at(whole, "tissue_car_t", 8)
    assert at(poor, "autoreactive_total", 40) > 1000
    low = arms("sle_car_t_dose_100", 40)
    day = [float(t["day"][t["day"] > 1][t["car_t_per_ul"][t["day"] > 1].argmax()]) for t in (whole, low)]
    assert day[1] > day[0] + 1
    assert at(low, "autoreactive_total", 9) > 100 * at(whole, "autoreactive_total", 9) > 0
    expected = arms("sle_car_t_no_discreteness", 40)["autoreactive_total"]
    assert 0.0 < expected[-1] < 1.0 and expected.min() > 0.0

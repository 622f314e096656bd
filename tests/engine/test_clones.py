"""Labels of clones: they add up, never come back, prefer nobody, change nothing, and survive a resume."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from tissuesim.backends.base import load_backend
from tissuesim.codegen.plan import compile_model
from tissuesim.errors import InputError, NumericsError
from tissuesim.model.model import Model
from tissuesim.scenario import Scenario
from tissuesim.simulation import Simulation
from tissuesim.simulation.resets import resets
from tissuesim.systemic import Clones, CloneState, SystemicStep, first_amounts
from tissuesim.systemic.clones import ALIVE
from tissuesim.ticks import TICKS_PER_DAY, days

Build = Callable[..., Scenario]

TEXT = {"source": "test", "grade": "A"}
BIRTH_DEATH: dict[str, Any] = {
    "name": "birth_death",
    "pools": {
        "here": {"unit": "cell", "kind": "count", "clonal": True, "compartment": "blood", "initial": "start"},
        "there": {
            "unit": "cell",
            "kind": "count",
            "clonal": True,
            "compartment": "node",
            "initial": "0 * start",
        },
    },
    "parameters": {
        "start": {"value": "1000 cell", **TEXT},
        "birth": {"value": "0.5 1/day", **TEXT},
        "death": {"value": "0.5 1/day", **TEXT},
        "going": {"value": "0 1/day", **TEXT},
        "coming": {"value": "0 cell/day", **TEXT},
        "clone_number": {"value": "100", **TEXT},
        "clone_spread": {"value": "0", **TEXT},
    },
    "processes": {
        **{f"birth_{p}": {"rate": f"birth * {p}", "change": {p: 1}} for p in ("here", "there")},
        **{f"death_{p}": {"rate": f"death * {p}", "change": {p: -1}} for p in ("here", "there")},
        "go": {"rate": "going * here", "change": {"here": -1, "there": 1}},
        "back": {"rate": "going * there", "change": {"there": -1, "here": 1}},
        "come": {"rate": "coming", "change": {"there": 1}},
    },
}


class Pools:
    """Two clonal pools alone, stepped in sub-steps of a given length."""

    def __init__(self, seed: int = 1, **parameters: str) -> None:
        description = deepcopy(BIRTH_DEATH)
        for name, value in parameters.items():
            description["parameters"][name]["value"] = value
        plan = compile_model(Model.from_mapping(description), stochastic=True)
        values = plan.model.parameter_values()
        table = np.array([[float(values[name]) for name in plan.systemic.parameters]])
        key = (seed, 77)
        self.step_of = SystemicStep(plan, load_backend("numpy"), table, key)
        self.amounts = first_amounts(plan, values, 1)
        self.rules = Clones(plan, (), key, load_backend("numba").labels)
        self.labels: CloneState = self.rules.first_state([int(x) for x in self.amounts[0]], 0)
        self.tick = 0

    def advance(self, until: float, step: int = TICKS_PER_DAY // 24) -> None:
        """Go on to a day; labels are checked after every step."""
        nothing = np.zeros((1, 0))
        while self.tick < until * TICKS_PER_DAY:
            before = self.labels.counts.copy()

            def follow(flows: dict[str, int], substep: int) -> None:
                self.rules.follow_pools(self.labels, flows, self.tick, substep)

            self.step_of.advance(self.amounts, nothing, step, self.tick, 1e-6, follow=follow)
            self.tick += step
            self.rules.close_step(self.labels, before, self.tick)
            self.rules.check(self.labels, [int(x) for x in self.amounts[0]], days(self.tick))


def test_extinction_of_labels_follows_the_birth_and_death_process() -> None:
    """Critical birth and death: a label of n cells is gone by day t with probability (bt / (1 + bt))^n.

    1,200 labels of about ten cells (12 runs of 100), day 8: within 4 standard deviations.
    """
    gone, expected, variance = 0, 0.0, 0.0
    for seed in range(12):
        pools = Pools(seed)
        first = pools.labels.counts.sum(axis=0)[:-1]
        pools.advance(8.0, TICKS_PER_DAY // 12)
        q = (4.0 / 5.0) ** first
        gone += int((pools.labels.counts.sum(axis=0)[:-1] == 0).sum())
        expected, variance = expected + q.sum(), variance + (q * (1.0 - q)).sum()
    assert abs(gone - expected) < 4.0 * np.sqrt(variance)


def test_pure_death_leaves_a_label_with_the_probability_of_its_cells() -> None:
    """Deaths only: n cells leave at least one with probability 1 - (1 - exp(-t))^n, exactly, whatever the step."""
    left, expected, variance = 0, 0.0, 0.0
    for seed in range(15):
        pools = Pools(seed, birth="0 1/day", death="1 1/day")
        first = pools.labels.counts.sum(axis=0)[:-1]
        pools.advance(2.5, TICKS_PER_DAY // 6)
        p = 1.0 - (1.0 - np.exp(-2.5)) ** first
        left += int((pools.labels.counts.sum(axis=0)[:-1] > 0).sum())
        expected, variance = expected + p.sum(), variance + (p * (1.0 - p)).sum()
    assert abs(left - expected) < 4.0 * np.sqrt(variance)


def test_shares_stay_the_same_in_the_mean() -> None:
    """Neutral: over 40 patients with births, deaths and traffic the mean share of each clone is that at the start."""
    drift = []
    for seed in range(40):
        pools = Pools(seed, clone_number="8", clone_spread="1", going="1 1/day", start="3000 cell")
        first = pools.labels.counts.sum(axis=0)
        pools.advance(3.0, TICKS_PER_DAY // 8)
        now = pools.labels.counts.sum(axis=0)
        drift.append(now / now.sum() - first / first.sum())
    mean, error = np.mean(drift, axis=0)[:-1], np.std(drift, axis=0)[:-1] / np.sqrt(40)
    assert (np.abs(mean) < 4.0 * error).all() and (error < 0.01).all()


def test_traffic_mixes_the_labels_of_two_compartments() -> None:
    """With much traffic both compartments hold the same shares of clones, but for chance."""
    pools = Pools(3, birth="0 1/day", death="0 1/day", going="3 1/day", clone_number="5", start="200000 cell")
    whole = pools.labels.counts.sum(axis=0)
    pools.advance(4.0)
    assert (pools.labels.counts.sum(axis=0) == whole).all()  # nobody is born or dies
    shares = pools.labels.counts / pools.labels.counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares[0], shares[1], atol=0.006)
    assert shares[1].sum() == pytest.approx(1.0)


def test_cells_from_nowhere_are_new_and_a_founder_after_extinction_is_noted() -> None:
    """Gains without a parent carry the label `new`; only those that meet an empty body are founders."""
    pools = Pools(
        5, birth="0 1/day", death="2 1/day", coming="0.2 cell/day", start="50 cell", clone_number="4"
    )
    pools.advance(60.0, TICKS_PER_DAY // 6)
    counts, gone = pools.labels.counts, pools.labels.gone
    assert (counts[:, :-1] == 0).all()
    assert (gone[-1, :4] != ALIVE).all()
    assert len(pools.labels.founders) > 3
    ends = [days(tick) for tick, _, _ in pools.labels.founders]
    assert min(ends) > days(int(gone[-1, :4].min()))
    assert {place for _, place, _ in pools.labels.founders} == {1}
    fed = Pools(5, birth="0.2 1/day", death="0.2 1/day", coming="30 cell/day", clone_number="4")
    fed.advance(2.0)
    assert fed.labels.counts[:, -1].sum() > 20 and fed.labels.founders == []


def test_first_sizes_are_log_normal() -> None:
    """The spread of the logarithm of the first sizes is that of the parameter; sizes fall from clone 1 on."""
    spreads = []
    for seed in range(8):
        sizes = Pools(seed, clone_spread="1.5", start="1e9 cell").labels.counts[0, :-1].astype(float)
        assert (np.diff(sizes) <= 0.02 * sizes[:-1]).all()
        spreads.append(np.log(sizes).std())
    assert np.mean(spreads) == pytest.approx(1.5, rel=0.07)


def run(scenario: Scenario, backend: str = "numba", steps: int = 200) -> Simulation:
    """A simulation some steps on, labels checked at each."""
    simulation = Simulation(scenario, backend)
    engine = simulation.engine
    for _ in range(steps):
        if simulation.finished:
            break
        simulation.step()
        assert engine.clones is not None and simulation.state.clones is not None
        engine.clones.check(simulation.state.clones, engine.clonal_amounts(simulation.state), 0.0)
    return simulation


def same(a: CloneState | None, b: CloneState | None) -> None:
    """Two states of labels are equal in everything."""
    assert a is not None and b is not None
    for name, array in a.arrays().items():
        np.testing.assert_array_equal(array, b.arrays()[name], err_msg=name)


TWO = ("organs={left: {anatomy: kidney, spacing: 9 mm}, right: {anatomy: kidney, spacing: 10 mm, seed: 2}}",)


def test_labels_add_up_in_a_treated_patient_and_never_come_back(treated: Build) -> None:
    """Two kidneys through lymphodepletion and CAR T: sums hold at every step, and a clone once gone stays gone."""
    simulation = Simulation(treated(*TWO), "numba")
    engine, state = simulation.engine, simulation.state
    rules, labels = engine.clones, state.clones
    assert rules is not None and labels is not None
    assert rules.compartments == ("blood", "lymphoid", "left", "right")
    lost = np.zeros(len(rules.labels) - 1, bool)
    while not simulation.finished:
        simulation.step()
        rules.check(labels, engine.clonal_amounts(state), 0.0)
        assert (labels.counts >= 0).all()
        alive = labels.counts.sum(axis=0)[:-1] > 0
        assert not (alive & lost).any()
        lost |= ~alive
    assert lost.all()
    report = resets(engine, state)
    last = [fate["last_day"] for fate in report["compartments"].values()]
    assert report["body"]["last_day"] == max(last) and report["body"]["cells_left"] == 0
    assert report["compartments"][report["body"]["last_in"]]["last_day"] == max(last)
    assert all(
        0.0 < clone["last_day"] <= max(last) for name, clone in report["clones"].items() if name != "new"
    )
    for facts in report["killing_integral"].values():
        assert 0.0 < facts["least"] <= facts["median"] and 0.0 <= facts["share_below"] <= 1.0


def test_labels_change_nothing(treated: Build) -> None:
    """One clone or twelve: every cell, pool and signal has the same bits."""
    twelve, one = run(treated(), steps=120), run(treated("parameters.clone_number=1"), steps=120)
    np.testing.assert_array_equal(twelve.state.pools, one.state.pools)
    for name, rows in twelve.state.organs["kidney"].arrays().items():
        np.testing.assert_array_equal(rows, one.state.organs["kidney"].arrays()[name])


def test_all_backends_label_alike(treated: Build) -> None:
    """numpy and numba give the same labels, and either goes on from a checkpoint of the other."""
    short = (
        "organs.kidney.spacing=12 mm",
        "time.start=-1 day",
        "treatment=[{type: car_t, day: 0, dose: 1e6 cell/kg}]",
    )
    numba, numpy = (run(treated(*short), backend, 40) for backend in ("numba", "numpy"))
    same(numba.state.clones, numpy.state.clones)
    arrays, facts = numba.engine.snapshot(numba.state).checkpoint()
    arrays = {name: array.copy() for name, array in arrays.items()}
    numpy.state = numpy.engine.restore(arrays, facts)
    for simulation in (numba, numpy):
        for _ in range(25):
            simulation.step()
    same(numba.state.clones, numpy.state.clones)


def test_expected_cells_have_no_labels(treated: Build) -> None:
    """A deterministic run has no clones, no columns and no report of them."""
    simulation = Simulation(treated("stochastic=off"), "numba")
    assert simulation.engine.clones is None and simulation.state.clones is None
    assert simulation.engine.plan.clone_labels == ()


def test_a_pool_that_a_treatment_sets_keeps_its_labels(treated: Build) -> None:
    """Cells too many are taken at random, cells too few are new."""
    simulation = run(treated(), steps=3)
    rules, labels = simulation.engine.clones, simulation.state.clones
    assert rules is not None and labels is not None
    before = labels.counts[0].copy()
    rules.adjust(labels, "blood_autoreactive_b", 1000, 99)
    assert labels.counts[0].sum() == 1000 and (labels.counts[0] <= before).all()
    less = labels.counts[0].copy()
    rules.adjust(labels, "blood_autoreactive_b", 1500, 100)
    assert (labels.counts[0] - less).tolist() == [0] * (len(rules.labels) - 1) + [500]


def test_labels_that_do_not_add_up_are_an_error(treated: Build) -> None:
    """A cell without label, or a label without cell, stops the run with its compartment and day."""
    simulation = run(treated(), steps=2)
    assert simulation.state.clones is not None
    simulation.state.clones.counts[2, 0] += 1
    with pytest.raises(
        NumericsError, match=r"the clones in 'kidney' add up to \d+ cells on day -2\.9\d*, but"
    ):
        simulation.check(simulation.state)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: m["pools"]["here"].update(kind="real"), r"pools\.here\.clonal: clones are counted"),
        (
            lambda m: m["parameters"].pop("clone_spread"),
            r"parameters\.clone_spread is missing: here is clonal",
        ),
        (
            lambda m: m["parameters"]["clone_number"].update(value="0"),
            r"clone_number: a number from 1 to 200",
        ),
        (lambda m: m["pools"]["here"].update(clonal="yes"), r"pools\.here\.clonal: true or false is needed"),
        (
            lambda m: m["processes"].update(
                split={"rate": "birth * here", "change": {"here": -1, "there": 2}, "conserves": False}
            ),
            r"processes\.split\.change: a clonal cell moves as one cell",
        ),
    ],
)
def test_what_cannot_carry_labels_is_refused(
    change: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    """One sentence with the key."""
    description = deepcopy(BIRTH_DEATH)
    change(description)
    with pytest.raises(InputError, match=sentence):
        Model.from_mapping(description).check()

"""Programs made of a model: operations once, hazards by factoring, refusals, and a step worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tissuesim.backends.base import load_backend
from tissuesim.backends.numpy import programs as numpy_programs
from tissuesim.backends.organ_step import OrganState, OrganStep
from tissuesim.codegen.instructions import BOOLEAN, INTEGER, REAL, Builder, Literal
from tissuesim.codegen.plan import compile_model
from tissuesim.codegen.print_lanes import numba_text
from tissuesim.codegen.print_text import ARGUMENTS, cuda_text, numpy_text
from tissuesim.errors import InputError
from tissuesim.model import Model
from tissuesim.tissue import box_tissue

NOTE = {"source": "test", "grade": "A"}


def model_of(processes: dict[str, Any], **sections: Any) -> Model:
    """A model of cells a and b, a state w, a pool p and rates k1 to k5, with the given processes."""
    rates = {
        f"k{j}": {"value": f"{value} 1/day", **NOTE} for j, value in enumerate((0.7, 1.3, 0.4, 2.1, 0.9), 1)
    }
    content = {
        "name": "small",
        "cells": {"a": {"initial": 0}, "b": {"initial": 0}},
        "states": {"w": {"initial": 0}},
        "pools": {"p": {"unit": "cell", "kind": "count", "initial": 0}},
        "parameters": {
            **rates,
            "crowd": {"value": "50 cell/mm^3", **NOTE},
            "birth": {"value": "3 cell/mm^3/day", **NOTE},
        },
        "processes": processes,
    }
    return Model.from_mapping(content | sections)


# ---- the builder
def test_equal_operations_are_emitted_once() -> None:
    """Claim: the same operation on the same operands is one instruction; another operand or column is another."""
    b = Builder("x")
    first, second = (b.emit("load", REAL, (), ("states", column)) for column in (0, 1))
    assert b.add(first, second) is b.add(first, second)
    assert b.add(first, second) != b.add(second, first), "sums are not reordered"
    assert b.emit("load", REAL, (), ("states", 0)) is first
    assert b.compare("<", first, second).kind == BOOLEAN
    before = len(b.instructions)
    b.multiply(b.add(first, second), b.add(first, second))
    assert len(b.instructions) == before + 1


def test_draws_on_different_channels_are_different() -> None:
    """Claim: two draws of the same number and chance from two channels are two draws, from one channel one."""
    b = Builder("x")
    count, chance = b.emit("load", INTEGER, (), ("cells", 0)), b.emit("load", "double", (), ("maps", 0))
    draws = [b.emit("binomial", INTEGER, (count, chance), (0, channel)) for channel in (1, 2, 1)]
    assert draws[0] is draws[2] and draws[0] != draws[1]


def test_exact_simplifications_only() -> None:
    """Claim: adding zero and multiplying by one vanish, by zero gives zero; nothing else is folded."""
    b = Builder("x")
    x = b.emit("load", REAL, (), ("states", 0))
    one, zero, two = (Literal(value, REAL) for value in (1.0, 0.0, 2.0))
    assert b.add(x, zero) is x and b.multiply(one, x) is x and b.multiply(x, zero) == zero
    assert b.total([]) == zero and b.total([x]) is x
    b.multiply(two, x)
    assert [item.operation for item in b.instructions] == ["load", "multiply"]


def test_names_of_registers_are_their_own() -> None:
    """Claim: labels that are no identifiers, or are used twice, give registers of different, printable names."""
    b = Builder("x")
    names = [
        b.emit("load", REAL, (), ("states", j), label).name
        for j, label in enumerate(("a b", "a-b", "", "a b"))
    ]
    assert len(set(names)) == 4 and all(name.isidentifier() for name in names)


# ---- rates
@pytest.mark.parametrize(
    ("rate", "divisions"),
    [
        ("k1 * a", 0),
        ("a * k1 * w", 0),
        ("k1 * crowd * a / (crowd + a)", 1),
        ("-(-k1) * a", 0),
        ("k1 * a * a / crowd", 1),
        ("gone", 0),
        ("k1 * min(a, crowd)", 1),
        ("k1 * a + k2 * a", 1),
    ],
)
def test_hazards_are_factored(rate: str, divisions: int) -> None:
    """Claim: the consumed field is taken out of the rate as a factor; only where it is none, a quotient is formed.

    The rate is evaluated twice, at the start and at the half step.
    """

    def count(text: str, operation: str) -> int:
        content = {"loss": {"rate": text, "change": {"a": -1}}}
        model = model_of(content, definitions={"gone": "k2 * a * w"})
        program = compile_model(model, stochastic=False).organ_programs["reactions"]
        return [item.operation for item in program.instructions].count(operation)

    assert count(rate, "divide") - count("k1 * a", "divide") == 2 * divisions
    guards = count(rate, ">") - count("k1 * a", ">")
    assert guards == (2 if rate in ("k1 * min(a, crowd)", "k1 * a + k2 * a") else 0)


def test_quotients_are_guarded() -> None:
    """Claim: a rate without the consumed field as a factor gives no loss, and no NaN, where there is nothing."""
    model = model_of({"loss": {"rate": "k1 * min(a, crowd)", "change": {"a": -1}}})
    step, state = organ_of(model, [[0.0, 0.0], [10.0, 0.0], [1e4, 0.0]], [[0.0]] * 3)
    result = step.reactions(state, np.zeros(1), 0.1, 0)
    assert state.cells[0, 0] == 0.0
    assert state.cells[1, 0] == pytest.approx(10.0 * np.exp(-0.07), rel=1e-3)
    assert state.cells[2, 0] == pytest.approx(
        1e4 - 0.7 * 50.0 * VOLUME * 0.1, rel=1e-5
    )  # at most `crowd` at a time
    assert result.hazard == pytest.approx(0.7) and result.lost["a"] == pytest.approx(
        10.0 + 1e4 - state.cells.sum()
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [({"a": -1, "b": -1}, "takes a, b"), ({"a": -2}, "takes a"), ({"a": -2, "b": 2}, "takes a")],
)
def test_taking_more_than_one_is_refused(change: dict[str, int], says: str) -> None:
    """Claim: a process takes one unit of one field; the sentence names the process and what it takes."""
    model = model_of({"meeting": {"rate": "k1 * a * b / crowd", "change": change, "conserves": False}})
    with pytest.raises(
        InputError, match=rf"processes\.meeting\.change {says}.*one unit of one field"
    ) as refusal:
        _ = compile_model(model, stochastic=False).organ_programs
    assert "\n" not in str(refusal.value)


def test_an_influx_must_be_taken_from_its_pool() -> None:
    """Claim: an influx whose rate does not have the pool as a factor is refused in one sentence."""
    content = {"arrive": {"rate": "birth", "change": {"p": -1, "a": 1}}}
    with pytest.raises(InputError, match=r"processes\.arrive.*'?p'?"):
        _ = compile_model(model_of(content), stochastic=True).organ_programs


# ---- text
def test_texts_hold_every_effect() -> None:
    """Claim: each store, total, sum and maximum of a program is a line of all three texts."""
    program = compile_model(Model.load("autoimmune"), stochastic=True).organ_programs["reactions"]
    effects = {"store", "accumulate", "accumulate_real", "maximize"}
    expected = sum(item.operation in effects for item in program.instructions)
    assert expected > 20
    for text, marks in (
        (numpy_text(program), ("cells[:, ", "states[:, ", "totals[", "sums[", "maxima[")),
        (numba_text(program), ("cells[i, ", "states[i, ", "totals[", "sums[", "highest[")),
        (cuda_text(program), ("cells[AT", "states[AT", "LEAF(", "RAISE(")),
    ):
        lines = [line.strip() for line in text.splitlines()]
        assert sum(line.startswith(marks) for line in lines) == expected


def test_cuda_text_leaves_out_what_is_not_used() -> None:
    """Claim: a register that nothing stored depends on is not in the CUDA text; one that is used is."""
    b = Builder("x")
    used, unused = (
        b.emit("load", REAL, (), ("states", 0), "used"),
        b.emit("load", REAL, (), ("states", 1), "unused"),
    )
    b.emit("sqrt", REAL, (unused,), label="root")
    b.store("states", 0, b.emit("sqrt", REAL, (used,), label="kept"))
    text = cuda_text(b.build(frozenset()))
    assert "kept_0 = SQUARE_ROOT(used_0)" in text
    assert "unused" not in text and "root" not in text


def test_programs_of_equal_text_are_one_module() -> None:
    """Claim: generated modules are named after their content, so a changed model cannot meet an old kernel."""
    programs = [
        compile_model(
            model_of({"loss": {"rate": rate, "change": {"a": -1}}}), stochastic=False
        ).organ_programs.values()
        for rate in ("k1 * a", "k2 * a", "k1 * a")
    ]
    modules = [
        numpy_programs.compile_programs(list(program), np.float64, "unit")["summaries"].__module__
        for program in programs
    ]
    assert modules[0] == modules[2] != modules[1]
    assert len(ARGUMENTS) == 20


# ---- a step by hand
VOLUME = 8.0


def organ_of(
    model: Model,
    cells: list[list[float]],
    states: list[list[float]],
    stochastic: bool = False,
    backend: str = "numpy",
) -> tuple[OrganStep, OrganState]:
    """One organ of full voxels of 8 mm^3 and its state, in float64."""
    plan = compile_model(model, stochastic=stochastic)
    tissue = box_tissue((1, 1, len(cells)), 2.0)
    values = model.parameter_values()
    table = np.array([[float(values[name]) for name in plan.organ.parameters]])
    step = OrganStep(plan, tissue, load_backend(backend), np.float64, table, (1, 2))
    amounts = np.array(cells, np.int32 if stochastic else np.float64)
    return step, OrganState(np.zeros((len(cells), 0)), amounts, np.array(states))


def exit_by_hand(x: float) -> tuple[float, float]:
    """Exit probability g and psi = 1 - g/x, from the formulas of numerics.md by doubling."""
    y = x / 16
    s = y + y * y / 2
    g, phi = s / (1 + s), (1 + y / 2) / (1 + s)
    for _ in range(4):
        g, phi = g * (2 - g), phi * (1 - g / 2)
    return g, 1 - phi


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("dt", [1 / 64, 1 / 4, 3.0])
def test_a_step_worked_out_by_hand(dt: float, backend: str) -> None:
    """Claim: births, a hazard that depends on another cell, a conversion into two, an exit to blood and a state
    advance in one step by the formulas of numerics.md, hazards taken at the half-step predictor.
    """  # noqa: D205
    model = model_of(
        {
            "born": {"rate": "birth", "change": {"a": 1}},
            "killed": {"rate": "k1 * b / crowd * a", "change": {"a": -1}},
            "becomes": {"rate": "k2 * a", "change": {"a": -1, "b": 2}, "conserves": False},
            "leaves": {"rate": "k3 * b", "change": {"b": -1, "p": 1}},
            "rises": {"rate": "k4", "change": {"w": 1}},
            "falls": {"rate": "k5 * w", "change": {"w": -1}},
        }
    )
    a, b, w = 120.0, 60.0, 0.3
    step, state = organ_of(model, [[a, b]], [[w]], backend=backend)
    result = step.reactions(state, np.zeros(1), dt, 0)

    k1, k2, k3, k4, k5, crowd, birth = 0.7, 1.3, 0.4, 2.1, 0.9, 50.0, 3.0 * VOLUME
    b_half = (b + dt / 2 * 2 * k2 * a) / (1 + dt / 2 * k3)
    killed, becoming = k1 * b_half / VOLUME / crowd, k2
    g, psi = exit_by_hand(dt * (killed + becoming))
    left_at_once = birth * dt * psi
    leaving = a * g + left_at_once
    new_b = 2 * leaving * becoming / (killed + becoming)
    g_b, psi_b = exit_by_hand(dt * k3)
    to_blood = b * g_b + new_b * psi_b
    g_w, psi_w = exit_by_hand(dt * k5)

    assert state.cells[0, 0] == pytest.approx(a - a * g + birth * dt - left_at_once, rel=1e-12)
    assert state.cells[0, 1] == pytest.approx(b + new_b - to_blood, rel=1e-12)
    assert state.states[0, 0] == pytest.approx(w - w * g_w + k4 * dt * (1 - psi_w), rel=1e-12)
    assert result.to_pools == {"p": pytest.approx(to_blood, rel=1e-12)}
    assert result.gained["a"] == pytest.approx(birth * dt, rel=1e-12)
    assert result.lost["a"] == pytest.approx(leaving, rel=1e-12)
    assert result.gained["b"] == pytest.approx(new_b, rel=1e-12)
    assert result.hazard == pytest.approx(killed + becoming, rel=1e-12)


@pytest.mark.parametrize("dt", [0.01, 1.0, 100.0])
def test_steady_levels_are_exact(dt: float) -> None:
    """Claim: where gain over hazard is the level, a step of any length leaves it there."""
    model = model_of(
        {
            "born": {"rate": "birth", "change": {"a": 1}},
            "dies": {"rate": "k1 * a", "change": {"a": -1}},
            "rises": {"rate": "k4", "change": {"w": 1}},
            "falls": {"rate": "k5 * w", "change": {"w": -1}},
        }
    )
    level, height = 3.0 * VOLUME / 0.7, 2.1 / 0.9
    step, state = organ_of(model, [[level, 0.0]], [[height]])
    step.reactions(state, np.zeros(1), dt, 0)
    assert state.cells[0, 0] == pytest.approx(level, rel=1e-13)
    assert state.states[0, 0] == pytest.approx(height, rel=1e-13)


def test_whole_cells_are_shared_out_exactly() -> None:
    """Claim: in a stochastic step the whole cells that leave are those killed, converted and sent, none twice."""
    model = model_of(
        {
            "dies": {"rate": "k1 * a", "change": {"a": -1}},
            "becomes": {"rate": "k2 * a", "change": {"a": -1, "b": 1}},
            "leaves": {"rate": "k3 * a", "change": {"a": -1, "p": 1}},
        }
    )
    n, each = 4000, 50
    step, state = organ_of(model, [[each, 0]] * n, [[0.0]] * n, stochastic=True)
    result = step.reactions(state, np.zeros(1), 0.5, 7)
    a, b, p = int(state.cells[:, 0].sum()), int(state.cells[:, 1].sum()), int(result.to_pools["p"])
    assert a + b + p + int(result.lost["a"]) - (b + p) == n * each
    gone = n * each - a
    assert result.lost["a"] == gone and result.gained["b"] == b
    # in proportion to the hazards, within four standard errors of the multinomial
    for part, hazard in ((b, 1.3), (p, 0.4), (gone - b - p, 0.7)):
        share = hazard / 2.4
        assert abs(part - gone * share) < 4 * np.sqrt(gone * share * (1 - share))
    assert abs(gone - n * each * exit_by_hand(1.2)[0]) < 4 * np.sqrt(n * each * 0.7 * 0.3)


def test_patients_side_by_side_do_not_mix() -> None:
    """Claim: a cohort of pools in one program gives each patient what a program of one patient gives."""
    from tissuesim.systemic import SystemicStep, first_amounts

    model = Model.load("autoimmune_lumped")
    values, backend = model.parameter_values(), load_backend("numpy")
    plan = compile_model(model, stochastic=False, cohort=True)
    names = plan.systemic.parameters
    factors = np.exp(0.2 * np.random.default_rng(3).standard_normal((3, len(names))))
    table = np.array([float(values[name]) for name in names]) * factors
    start = first_amounts(plan, values, 3)
    together = start.copy()
    SystemicStep(plan, backend, table, (1, 2)).advance(together, np.zeros((3, 0)), 512, 0, 5.0)
    for patient in range(3):
        alone = start[patient : patient + 1].copy()
        single = SystemicStep(plan, backend, table[patient : patient + 1], (1, 2))
        single.advance(alone, np.zeros((1, 0)), 512, 0, 5.0)
        assert np.array_equal(alone[0], together[patient])
    assert not np.array_equal(together[0], together[1])


def test_compiled_programs_are_called_by_name() -> None:
    """Claim: both backends return the same programs for the same names."""
    plan = compile_model(Model.load("autoimmune"), stochastic=False)
    for backend in ("numpy", "numba"):
        compile_programs: Callable[..., dict[str, Any]] = load_backend(backend).compile_programs
        found = compile_programs(plan.organ_programs.values(), np.float32, "organ_deterministic")
        assert list(found) == [program.name for program in plan.organ_programs.values()]

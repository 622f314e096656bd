"""Every generated program of the shipped models in three languages, on random voxels, and as code for GPUs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tissuesim.backends.cuda.compile import ARCHITECTURES, compile_cuda, nvrtc_path
from tissuesim.backends.cuda.source import program_source
from tissuesim.backends.numba import programs as numba_programs
from tissuesim.backends.numpy import programs as numpy_programs
from tissuesim.codegen.instructions import Program
from tissuesim.codegen.plan import StepPlan, compile_model
from tissuesim.codegen.print_text import ARGUMENTS
from tissuesim.codegen.rates import Tables
from tissuesim.config import load_config
from tissuesim.model import Model

needs_nvrtc = pytest.mark.skipif(
    nvrtc_path() is None, reason="NVRTC is not installed (pip install nvidia-cuda-nvrtc-cu12)"
)
ORGAN_PROGRAMS = ("reactions", "entry_weights", "summaries", "signal_rates", "spill_over")
VOXELS = 700
REALS = [np.float32, np.float64]
TICK, SUBSTEP, OPERATOR, KEY = -3000, 3, 2, (0xDEADBEEF, 0x12345678)


@cache
def plan_of(model: str, stochastic: bool, cohort: bool = False) -> StepPlan:
    """The compiled model, made once."""
    return compile_model(Model.load(model), stochastic=stochastic, cohort=cohort)


def parameter_rows(plan: StepPlan, rows: int) -> np.ndarray:
    """Parameters of several regions or patients: the model's, each row scaled by its own random factors."""
    values = plan.model.parameter_values()
    names = plan.organ.parameters
    table = np.array([float(values[name]) for name in names])
    return table * np.exp(0.3 * np.random.default_rng(9).standard_normal((rows, table.size)))


@dataclass
class Voxels:
    """Arguments of a program by name, and the three results it returns."""

    arguments: dict[str, Any]
    totals: np.ndarray
    sums: np.ndarray
    maxima: np.ndarray


def typical(model: Model, names: tuple[str, ...]) -> np.ndarray:
    """Scale of the named pools and summaries: what they start with, 1 for what starts at zero."""
    from tissuesim.systemic.pools import first_amounts

    plan = plan_of(model.name, False)
    first = dict(zip(model.pools, first_amounts(plan, model.parameter_values(), 1)[0], strict=True))
    first |= dict.fromkeys(model.summaries, 1e6)
    return np.array([first[name] or 1.0 for name in names])


def random_voxels(plan: StepPlan, tables: Tables, real: Any, n: int, organ: bool) -> dict[str, Any]:
    """Random voxels in random storage order: empty ones, crowded ones, partial volumes, several regions."""
    g = np.random.default_rng(4)

    def spread(columns: int, low: float, high: float) -> np.ndarray:
        values = 10.0 ** g.uniform(low, high, (n, columns))
        values[g.random((n, columns)) < 0.2] = 0.0
        return values

    states = spread(len(tables.states), -4, 0.3)
    whole = plan.stochastic and organ
    cells = np.floor(spread(len(tables.cells), -0.5, 5)).astype(np.int32 if whole else np.float64)
    signals = spread(len(tables.signals), -3, 4)
    if not organ:
        states *= typical(plan.model, tables.states)
        signals = 10.0 ** g.uniform(
            2, 6, (n, len(tables.signals))
        )  # summaries: volumes among them are not zero
        counted = np.array([pool.kind == "count" for pool in plan.model.pools.values()])
        states[:, counted] = np.floor(states[:, counted])
    volume = g.uniform(0.01, 8.0, n) if organ else np.ones(n)
    box_index = g.permutation(4 * n)[:n].astype(np.int64) if organ else np.arange(n)
    scalars = typical(plan.model, tables.scalars) * 10.0 ** g.uniform(-2, 0.5, len(tables.scalars))
    return {
        "signals": signals.astype(real),
        "cells": cells,
        "states": states.astype(real),
        "maps": spread(len(tables.maps), -1, 0.5).astype(real),
        "loss": np.zeros((n, len(tables.signals)), real),
        "right_hand_side": np.zeros((n, len(tables.signals)), real),
        "volume": volume.astype(real),
        "inverse_volume": real(1.0) / volume.astype(real),
        "region": g.integers(0, 3, n).astype(np.uint8) if organ else np.arange(n),
        "parameters": parameter_rows(plan, 3 if organ else n).astype(real),
        "scalars": scalars.astype(real),
        "box_index": box_index,
        "order": np.argsort(box_index, kind="stable").astype(np.int64),
        "dt": real(1 / 48),
        "operator": OPERATOR,
        "tick": TICK,
        "substep": SUBSTEP,
        "key0": KEY[0],
        "key1": KEY[1],
    }


def fresh(start: dict[str, Any], outputs: int) -> dict[str, Any]:
    """A copy whose arrays may be overwritten, but for those of a tissue (types as in a run: one compilation)."""
    copied = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in start.items()}
    for name in ("region", "box_index") if start["region"].dtype == np.uint8 else ():
        copied[name].setflags(write=False)
    return copied | {"out": np.zeros((start["order"].size, outputs))}


def run_function(function: Callable[..., Any], program: Program, start: dict[str, Any]) -> Voxels:
    """Run a NumPy or Numba program."""
    arguments = fresh(start, len(program.outputs))
    with np.errstate(all="ignore"):
        results = function(*(arguments[name] for name in ARGUMENTS))
    return Voxels(arguments, *results)


ROWS = ("signals", "cells", "states", "maps", "loss", "right_hand_side")


def run_on_device(program: Program, real: Any, start: dict[str, Any]) -> Voxels:
    """Run the CUDA text on the emulated device, which keeps voxels in canonical order and fields as columns."""
    from tissuesim.backends.cuda import arrays, programs

    order = start["order"]
    outputs = np.full(
        (order.size, len(program.outputs)), np.nan
    )  # rows of out are in canonical order already
    there = {name: arrays.put_rows(start[name][order]) for name in ROWS} | {"out": arrays.put_rows(outputs)}
    there |= {name: arrays.put(start[name][order]) for name in ("volume", "region")}
    there |= {name: arrays.put(start[name]) for name in ("parameters", "scalars")}
    there["box_index"] = arrays.put(start["box_index"][order].astype(np.uint32))
    function = programs.compile_programs([program], real, "")[program.name]
    totals, sums, maxima = function(*(there.get(name, start.get(name)) for name in ARGUMENTS))
    back = dict(start)
    for name in ROWS:
        back[name] = np.empty_like(start[name])
        back[name][order] = arrays.get_rows(there[name])
    back["out"] = arrays.get_rows(there["out"])
    return Voxels(back, totals, sums, maxima)


def assert_equal(expected: Voxels, found: Voxels, language: str) -> None:
    """Every array and every result is the same, bit for bit."""
    for part in ("totals", "sums", "maxima"):
        assert np.array_equal(getattr(expected, part), getattr(found, part), equal_nan=True), (language, part)
    for name, value in expected.arguments.items():
        if isinstance(value, np.ndarray):
            other = found.arguments[name]
            assert value.dtype == other.dtype
            assert np.array_equal(value, other, equal_nan=True), (
                language,
                name,
                np.argwhere(value != other)[:3].tolist(),
            )


def assert_two_agree(
    programs: list[Program], chosen: Program, real: Any, start: dict[str, Any], stem: str
) -> Voxels:
    """NumPy and Numba give the same for one of the programs; returns it.

    Programs are compiled together, under the name the engine uses, so that Numba's cache serves both.
    """
    reference, compiled = (
        run_function(module.compile_programs(programs, real, stem)[chosen.name], chosen, start)
        for module in (numpy_programs, numba_programs)
    )
    assert_equal(reference, compiled, "numba")
    return reference


def assert_organ_program_agrees(plan: StepPlan, name: str, real: Any, start: dict[str, Any]) -> Voxels:
    """One program of an organ in three languages."""
    program = plan.organ_programs[name]
    stem = "organ_stochastic" if plan.stochastic else "organ_deterministic"
    reference = assert_two_agree(list(plan.organ_programs.values()), program, real, start, stem)
    assert_equal(reference, run_on_device(program, real, start), "cuda")
    return reference


@pytest.mark.parametrize("real", REALS, ids=["float32", "float64"])
@pytest.mark.parametrize("stochastic", [True, False], ids=["stochastic", "deterministic"])
@pytest.mark.parametrize("name", ORGAN_PROGRAMS)
def test_organ_programs_agree(name: str, stochastic: bool, real: Any, cuda: str) -> None:
    """Claim: each program of an organ writes the same fields, rates, weights and sums in three languages."""
    plan = plan_of("autoimmune", stochastic)
    assert set(plan.organ_programs) == set(ORGAN_PROGRAMS)
    start = random_voxels(plan, plan.organ, real, VOXELS, organ=True)
    found = assert_organ_program_agrees(plan, name, real, start)
    changed = [key for key, value in start.items() if np.any(value != found.arguments[key])]
    written = {"reactions": ["cells", "states"], "signal_rates": ["loss", "right_hand_side"]}
    assert sorted(changed) == sorted(written.get(name, []))
    assert np.any(found.arguments["out"] > 0) == (name == "entry_weights")
    assert np.all(found.sums > 0) and np.all(found.totals >= 0)
    if name == "reactions":
        assert found.maxima[0] > 0 and found.arguments["cells"].min() >= 0


@pytest.mark.parametrize("stochastic", [True, False], ids=["stochastic", "deterministic"])
@pytest.mark.parametrize(
    ("model", "cohort"), [("autoimmune", False), ("autoimmune_lumped", True)], ids=["one", "cohort"]
)
def test_systemic_programs_agree(model: str, cohort: bool, stochastic: bool) -> None:
    """Claim: the pools, which stay on the host, agree in both languages, for more patients than a byte can count."""
    plan = plan_of(model, stochastic, cohort)
    program = plan.systemic_program
    start = random_voxels(plan, plan.systemic, np.float64, 300, organ=False)
    stem = f"systemic_{'stochastic' if stochastic else 'deterministic'}"
    found = assert_two_agree([program], program, np.float64, start, stem)
    assert np.any(found.arguments["states"] != start["states"])
    assert found.arguments["states"].min() >= 0 and found.maxima[0] > 0


def test_not_a_number_is_not_hidden(cuda: str) -> None:
    """Claim: a NaN in a field comes out of the largest hazard in three languages."""
    plan = plan_of("autoimmune", False)
    start = random_voxels(plan, plan.organ, np.float32, VOXELS, organ=True)
    start["states"][350, 0] = np.nan
    start["signals"][100] = np.nan
    found = assert_organ_program_agrees(plan, "reactions", np.float32, start)
    assert np.isnan(found.maxima[0])


@pytest.mark.parametrize("model", ["autoimmune"])
def test_no_cells_no_draws(model: str) -> None:
    """Claim: every draw of a kernel stands behind a test that it can happen: empty voxels cost their loads only."""
    text = program_source(plan_of(model, True).organ_programs["reactions"])
    draws = re.findall(r"^.*= (.*)\bdraw_(binomial|poisson)\(", text, re.MULTILINE)
    assert len(draws) > 20
    for guard, kind in draws:
        expected = r"\(\w+ > 0 && \w+ > 0\.0\) \? " if kind == "binomial" else r"\(\w+ > 0\.0\) \? "
        assert re.fullmatch(expected, guard), guard


SHIPPED = sorted(path.stem for path in Path(str(files("tissuesim.configs"))).glob("*.yaml"))


@cache
def programs_of_shipped_configs() -> dict[str, Program]:
    """The programs of all shipped configs with an organ, those of equal text once."""
    programs = {}
    for name in SHIPPED:
        config = load_config(name, [])
        for program in plan_of(config.model, config.stochastic).organ_programs.values():
            programs[program_source(program)] = program
    return programs


@needs_nvrtc
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("real", REALS, ids=["float32", "float64"])
def test_organ_programs_compile_for_gpus(real: Any, architecture: str) -> None:
    """Claim: each program of every shipped config compiles for A100 and H100, IEEE and without spilling a register."""
    for text, program in programs_of_shipped_configs().items():
        compiled = compile_cuda(text, real, architecture, f"{program.name}.cu")
        assert f".entry {program.name}(" in compiled.ptx
        assert compiled.fused_operations() == ()
        assert compiled.spilled_bytes() == 0, program.name
        assert ".local " not in compiled.ptx

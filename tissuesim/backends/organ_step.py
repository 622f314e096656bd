"""One organ on one backend: the operators of a step, each a method, in the words of numerics.md section 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import Backend, ColumnFacts
from tissuesim.backends.margins import Margins
from tissuesim.backends.moving_cells import MovingCells, moving_cells
from tissuesim.backends.numpy.sums import ordered_sum
from tissuesim.codegen.plan import StepPlan
from tissuesim.errors import NumericsError
from tissuesim.numerics.signals import SignalSolve, decay_floor, diffusivity_table
from tissuesim.ticks import TICKS_PER_DAY

if TYPE_CHECKING:
    from tissuesim.tissue import Tissue

MOVEMENT, REACTIONS, ENTRY, SYSTEMIC, FIRST_CELLS, CLONES = 1, 2, 3, 4, 5, 6
"""Operator numbers in the second counter word of every random draw."""

CLIPPING_LIMIT = 10.0
"""Negative round-off above this many tolerances of a signal's total in one step is an error."""


@dataclass
class OrganState:
    """Rows of one organ that change, as its backend keeps them: signals (n, S), cells (n, C), states (n, W)."""

    signals: Any
    cells: Any
    states: Any
    movement_due: int = 0
    hazard: float = 0.0
    margins: Margins = field(default_factory=Margins)

    def arrays(self) -> dict[str, Any]:
        """The rows by name."""
        return {"signals": self.signals, "cells": self.cells, "states": self.states}


@dataclass(frozen=True)
class StepResult:
    """What one call of a generated program reports: amounts by destination, the ledger and the largest hazard."""

    to_pools: dict[str, float]
    gained: dict[str, float]
    lost: dict[str, float]
    hazard: float


@dataclass
class OrganStep:
    """The compiled operators of one organ.

    ``parameters`` has one row per region. ``key`` are the two words of the random generator of this organ.
    """

    plan: StepPlan
    tissue: Tissue
    backend: Backend
    real: type[np.floating[Any]]
    parameters: NDArray[np.float64]
    key: tuple[int, int]
    solves: dict[int, SignalSolve] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arrays, real, organ = self.backend.arrays, self.real, self.plan.organ
        given, self.tissue = self.tissue, arrays.stored(self.tissue)
        self.given_order = None if self.tissue is given else np.argsort(given.box_index, kind="stable")
        self.mesh = arrays.mesh(self.tissue, real)
        self.total_volume = ordered_sum(self.tissue.volume.astype(real), np.argsort(self.tissue.box_index))
        self.parameter_rows = arrays.put(self.parameters.astype(real))
        self.host_maps = np.ascontiguousarray(self._map_columns(), real)
        self.maps = arrays.put_rows(self.host_maps)
        self.work = arrays.workspace(
            self.tissue.n, len(organ.signals), len(self.plan.entries), real, counts=self.plan.stochastic
        )
        self.spare = self.work.spare
        self._scalars = arrays.put(np.zeros(len(organ.scalars), real))
        self.repeat = arrays.Repeater()
        self._download: Any = None
        self.programs = self.plan.organ_programs
        stem = "stochastic" if self.plan.stochastic else "deterministic"
        compiled = self.backend.compile_programs(self.programs.values(), real, f"organ_{stem}")
        self.functions = dict(zip(self.programs, compiled.values(), strict=True))

    # ---- between the host and where the backend keeps its rows
    def put_state(self, rows: dict[str, NDArray[Any]], **facts: Any) -> OrganState:
        """A state from its other facts and rows in the order of the tissue: ``signals``, ``cells``, ``states``."""
        # what was recorded belongs to other rows, and would keep them in memory
        self.repeat = self.backend.arrays.Repeater()
        order = slice(None) if self.given_order is None else self.given_order
        placed = {name: self.backend.arrays.put_rows(values[order]) for name, values in rows.items()}
        facts["margins"] = Margins(facts.get("margins", {}))
        return OrganState(**placed, **facts)

    def begin_download(self, state: OrganState) -> Any:
        """The rows of a state on their way to the host, see ``arrays.Download``; one at a time."""
        self._download = self.backend.arrays.Download(state.arrays(), self.given_order, self._download)
        return self._download

    def facts(self, state: OrganState) -> dict[str, ColumnFacts]:
        """Sums and extremes of every column of ``signals``, ``cells`` and ``states``."""
        return {
            name: self.backend.arrays.column_facts(rows, self.mesh) for name, rows in state.arrays().items()
        }

    def _map_columns(self) -> NDArray[np.float64]:
        model, tissue = self.plan.model, self.tissue
        columns = []
        for name in self.plan.organ.maps:
            if name.startswith("over_") and name not in model.maps:
                over = model.summaries[name.removeprefix("over_")].over
                known = [region for region in over if region in tissue.region_names]
                columns.append(tissue.in_regions(known).astype(np.float64))
            else:
                columns.append(tissue.maps.get(name, np.full(tissue.n, model.maps[name].default)))
        return np.stack(columns, axis=1) if columns else np.zeros((tissue.n, 0))

    # ---- the generated programs
    def _launch(self, name: str, state: OrganState, scalars: Any, dt: float, operator: int, tick: int) -> Any:
        """Call a generated program; its results are for ``_read``."""
        mesh, work = self.mesh, self.work
        with np.errstate(all="ignore"):
            return self.functions[name](
                state.signals, state.cells, state.states, self.maps, work.diagonal, work.right_hand_side,
                work.weights, mesh.volume, mesh.inverse_volume, mesh.region, self.parameter_rows, scalars,
                mesh.box_index, mesh.order, self.real(dt), operator, tick, 0, *self.key,
            )  # fmt: skip

    def _read(self, name: str, results: Any) -> dict[str, float]:
        """Totals, sums and maxima of a program by name."""
        program = self.programs[name]
        totals, sums, maxima = results
        found: dict[str, float] = dict(zip(program.totals, (int(v) for v in totals), strict=True))
        found |= dict(zip(program.sums, (float(v) for v in sums), strict=True))
        found |= dict(zip(program.maxima, (float(v) for v in maxima), strict=True))
        return found

    def scalars(self, values: NDArray[np.float64]) -> Any:
        """Pools and summaries as the programs see them; good until the next call."""
        self._scalars_there = values.astype(self.real)  # kept: a device may read it later
        self._scalars = self.backend.arrays.refill(self._scalars, self._scalars_there)
        return self._scalars

    # ---- signals: (1 + dt loss) c' - dt L c' = c + dt source
    def solve_for(self, dt_ticks: int, dt: float) -> SignalSolve:
        """The Chebyshev solve built for one step length."""
        if dt_ticks not in self.solves:
            geometry = self.tissue.conductance / self.tissue.volume[:, None]
            self.solves[dt_ticks] = SignalSolve.build(
                dt, self._diffusivity, geometry, self._decay_floor, self.real, self.backend.arrays.put
            )
        return self.solves[dt_ticks]

    @cached_property
    def _diffusivity(self) -> NDArray[np.float64]:
        return diffusivity_table(self.plan, self.parameters)

    @cached_property
    def _decay_floor(self) -> NDArray[np.float64]:
        return decay_floor(self.plan, self.parameters)

    def signals(
        self, state: OrganState, scalars: Any, dt_ticks: int, dt: float, tick: int
    ) -> tuple[dict[str, float], NDArray[np.float64]]:
        """One implicit step of all signals; returns spill-over by pool [amol] and the ledger (6 lines, signals)."""
        names = self.plan.organ.signals
        if not names:
            return {}, np.zeros((6, 0))
        solve = self.solve_for(dt_ticks, dt)
        touched = (*state.arrays().values(), self.spare, scalars)
        rates, solved, spilled = self.repeat(
            ("signals", dt_ticks), touched, lambda: self._solve(state, scalars, solve, dt)
        )
        if len(solve.omegas) % 2:
            state.signals, self.spare = self.spare, state.signals
        before = self._read("signal_rates", rates)
        sums, residual, size = solved
        first = [[before[f"{line}:{name}"] for name in names] for line in ("before", "source")]
        ledger = np.concatenate([first, sums])
        self._check_solve(solve, residual, size, ledger, state.margins)
        return self._read("spill_over", spilled), ledger

    def _solve(self, state: OrganState, scalars: Any, solve: SignalSolve, dt: float) -> tuple[Any, Any, Any]:
        """Rates, sweeps, ledger, clipping, spill-over: nothing here depends on the clock or draws."""
        transport, mesh, work = self.backend.transport, self.mesh, self.work
        faces = (solve.coefficient, mesh.region, mesh.neighbors, mesh.geometry)
        rates = self._launch(
            "signal_rates", state, scalars, dt, REACTIONS, 0
        )  # leaves the loss in the diagonal
        transport.signal_diagonal(work.diagonal, self.real(dt), *faces)
        current, old = state.signals, self.spare
        self.backend.arrays.copy_rows(old, current)
        for omega in solve.omegas:
            transport.signal_sweep(old, current, work.right_hand_side, work.diagonal, omega, *faces)
            current, old = old, current
        solved = self.backend.ledger.signal_ledger(
            work.right_hand_side, work.diagonal, current, *faces, mesh.volume, mesh.order
        )
        transport.clip_signals(current)
        after = OrganState(current, state.cells, state.states)
        return rates, solved, self._launch("spill_over", after, scalars, dt, REACTIONS, 0)

    def _check_solve(
        self,
        solve: SignalSolve,
        residual: NDArray[Any],
        size: NDArray[Any],
        ledger: NDArray[np.float64],
        margins: Margins,
    ) -> None:
        """Refuse to go on where the sweeps left more than the tolerance, or clipping added more than round-off."""
        tiny = float(np.finfo(self.real).tiny)
        for column, name in enumerate(self.plan.organ.signals):
            left, greatest = float(residual[column]), float(size[column])
            clipped, amount = float(ledger[4, column]), float(ledger[5, column])
            if not left <= solve.tolerance * max(greatest, tiny):
                raise NumericsError(
                    f"signal '{name}' in '{self.tissue.name}': residual {left:.2e} above {solve.tolerance:.0e} of its "
                    f"maximum {greatest:.2e} after {len(solve.omegas)} sweeps; use a smaller time.maximum_step or "
                    "precision float64"
                )
            if clipped > CLIPPING_LIMIT * solve.tolerance * max(amount, tiny):
                raise NumericsError(
                    f"signal '{name}' in '{self.tissue.name}' went negative by {clipped:.2e} of {amount:.2e} amol in "
                    "one step; use a smaller time.maximum_step"
                )
            margins.saw("residual", left / (solve.tolerance * max(greatest, tiny)))
            margins.saw("clipping", clipped / (solve.tolerance * max(amount, tiny)))

    # ---- movement of cells
    def movement_hazard(self, state: OrganState) -> float:
        """Largest rate at which a cell leaves its voxel by crawling [1/day]."""
        largest = self.backend.movement.largest_movement_hazard
        kinds = [moving for moving in self._moving if moving.alike == moving.column]
        return max(
            (float(largest(*self._movement_arguments(state, moving))) for moving in kinds), default=0.0
        )

    def _movement_arguments(self, state: OrganState, moving: MovingCells) -> tuple[Any, ...]:
        return (
            moving.motility, moving.chemotaxis, state.signals, moving.attractant, moving.half_saturation,
            self.mesh.region, self.mesh.neighbors, self.mesh.geometry,
        )  # fmt: skip

    @cached_property
    def _moving(self) -> tuple[MovingCells, ...]:
        return moving_cells(self.plan, self.parameters, self.real, self.backend.arrays.put)

    def movement(self, state: OrganState, dt: float, tick: int, substep: int) -> None:
        """Cells crawl: numbers through each face first, then every voxel gathers what its neighbors sent."""
        crawl, outflow = self.backend.movement, self.work.outflow
        for moving in self._moving:
            arguments = (
                outflow,
                state.cells,
                moving.column,
                self.real(dt),
                *self._movement_arguments(state, moving),
            )
            if self.plan.stochastic:
                crawl.movement_outflow_stochastic(
                    *arguments, self.mesh.box_index, MOVEMENT, moving.column, tick, substep, *self.key
                )
            else:
                crawl.movement_outflow_deterministic(*arguments)
            crawl.movement_gather(state.cells, moving.column, outflow, self.mesh.neighbors)

    # ---- processes, exchange, summaries
    def reactions(self, state: OrganState, scalars: NDArray[Any], dt: float, tick: int) -> StepResult:
        """All local processes and exits to the blood over one step."""
        found = self._read("reactions", self._launch("reactions", state, scalars, dt, REACTIONS, tick))
        parts: dict[str, dict[str, float]] = {"to": {}, "gained": {}, "lost": {}}
        for key, value in found.items():
            line, _, name = key.partition(":")
            if line in parts:
                parts[line][name] = value
        refuse_unsound_rates(found, f"'{self.tissue.name}'", tick)
        return StepResult(parts["to"], parts["gained"], parts["lost"], found.get("hazard", 0.0))

    def entry_trees(self, state: OrganState, scalars: Any) -> tuple[Any, NDArray[np.float64]]:
        """Per influx process, the tree of its voxel weights [1/day] and its root: the hazard on the pool."""
        if not self.plan.entries:
            return (), np.zeros(0)
        touched = (*state.arrays().values(), scalars)
        trees, roots = self.repeat("entries", touched, lambda: self._weigh(state, scalars))
        hazards = np.asarray(roots, np.float64)
        for entry, hazard in zip(self.plan.entries, hazards, strict=True):
            if not 0.0 <= hazard < np.inf:
                raise NumericsError(
                    f"processes.{entry.process}.rate adds up to {hazard:g} 1/day in '{self.tissue.name}': a rate of "
                    "entry must be a number and not negative"
                )
        return trees, hazards

    def _weigh(self, state: OrganState, scalars: Any) -> Any:
        self._launch("entry_weights", state, scalars, 0.0, ENTRY, 0)
        return self.backend.exchange.weight_trees(self.work.weights)

    def enter(self, state: OrganState, index: int, trees: Any, amount: float, tick: int, turn: int) -> None:
        """Place what left the blood by influx process ``index`` into the voxels; each turn of a step draws anew."""
        column = self.plan.organ.cells.index(self.plan.entries[index].field)
        exchange, order = self.backend.exchange, self.mesh.order
        if not self.plan.stochastic:
            exchange.enter_amounts(state.cells, column, trees, index, float(amount), order)
        elif amount > 0:
            stream = ENTRY << 24 | index << 16 | turn
            draws = (stream, tick, *self.key)
            exchange.enter_counts(state.cells, column, trees, index, int(amount), *draws, order)

    def summaries(self, state: OrganState, scalars: Any) -> NDArray[np.float64]:
        """Sums of the summaries of the model over this organ."""
        touched = (*state.arrays().values(), scalars)
        results = self.repeat(
            "summaries", touched, lambda: self._launch("summaries", state, scalars, 0.0, REACTIONS, 0)
        )
        found = self._read("summaries", results)
        return np.array([found[name] for name in self.plan.model.summaries])

    def summary_volumes(self) -> NDArray[np.float64]:
        """Volume each summary is taken over in this organ [mm^3]."""
        volumes = []
        for summary in self.plan.model.summaries.values():
            known = [region for region in summary.over if region in self.tissue.region_names]
            inside = self.tissue.in_regions(known) if summary.over else np.ones(self.tissue.n, bool)
            volumes.append(float(self.tissue.volume[inside].sum()))
        return np.array(volumes)


def refuse_unsound_rates(found: dict[str, float], place: str, tick: int) -> None:
    """Stop where a hazard is not finite or a rate of whole cells is negative or NaN: a draw would take it for zero.

    Raises:
        NumericsError: with the field, the place and the day.
    """
    day = tick / TICKS_PER_DAY
    for key, value in found.items():
        line, _, name = key.partition(":")
        if line == "below_zero" and not value <= 0.0:
            what = "not a number" if value != value else f"negative (-{value:.3g} per day)"
            raise NumericsError(
                f"a rate that adds to or takes from '{name}' in {place} is {what} on day {day:g}; "
                "guard it with max(0, ...) or where(...)"
            )
    hazard = found.get("hazard", 0.0)
    if not hazard < float("inf"):
        raise NumericsError(f"the largest exit rate of cells in {place} is {hazard:g} 1/day on day {day:g}")

"""One step of a virtual patient: the operators of numerics.md in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import Backend, ColumnFacts
from tissuesim.backends.organ_step import FIRST_CELLS, OrganState, OrganStep, StepResult
from tissuesim.model.expression import evaluate, names
from tissuesim.simulation.clock import movement_step, next_step
from tissuesim.simulation.crew import Crew
from tissuesim.simulation.snapshot import Snapshot
from tissuesim.simulation.state import CELL_LINES, POOL_LINES, SIGNAL_LINES, State
from tissuesim.systemic import Clones, SystemicStep, first_amounts
from tissuesim.ticks import TICKS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tissuesim.scenario import Scenario

GIVEN, ARRIVED, LEFT = (1 + POOL_LINES.index(line) for line in ("given", "arrived", "left"))
"""Rows of the ledger of the pools that the engine keeps; the pools report the first two lines themselves."""

LARGEST_GROWTH = 0.1
"""Largest relative growth of a cell type, births less losses, in one step."""

SMALL_NUMBER = 1000.0
"""Below this many cells, relative growth does not set the step."""


class Engine:
    """Compiled operators of all organs and of the pools; ``step`` changes the state it is given, nothing else."""

    def __init__(self, scenario: Scenario, backend: Backend) -> None:
        """Compile nothing yet: generated text is made here, machine code at the first step."""
        self.scenario, self.backend, self.plan = scenario, backend, scenario.plan
        self.real: type[np.floating[Any]] = (
            np.float32 if scenario.config.precision == "float32" else np.float64
        )
        backend.arrays.require_memory(self.plan, scenario.tissues, self.real)
        self.organs = {
            name: OrganStep(
                self.plan,
                tissue,
                backend,
                self.real,
                scenario.parameters(tissue),
                scenario.key(f"organ/{name}"),
            )
            for name, tissue in scenario.tissues.items()
        }
        self.crew = Crew({name: tissue.n for name, tissue in scenario.tissues.items()}, backend)
        self.systemic = SystemicStep(
            self.plan, backend.host, scenario.systemic_parameters(), scenario.key("systemic")
        )
        self.clones = (
            Clones(self.plan, tuple(self.organs), self.systemic.key, backend.labels)
            if self.plan.clonal_pools
            else None
        )
        means = np.array([summary.mean is not None for summary in self.plan.model.summaries.values()], bool)
        volumes = {name: organ.summary_volumes() for name, organ in self.organs.items()}

        def divisor(volume: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.where(means & (volume > 0), volume, 1.0)

        self.organ_divisors = {name: divisor(volume) for name, volume in volumes.items()}
        self.summary_divisor = divisor(np.sum([*volumes.values()], axis=0))

    # ---- the beginning
    def first_state(self) -> State:
        """The state at the start: fields and pools from their ``initial`` expressions."""
        time = self.scenario.config.time
        values = self.plan.model.parameter_values()
        organs = {name: self._first_fields(step) for name, step in self.organs.items()}
        state = State(
            tick=time.start_tick,
            step_ticks=time.minimum_step_ticks,
            organs=organs,
            pools=first_amounts(self.plan, values, 1),
            summaries=np.zeros((1, len(self.plan.model.summaries))),
            signal_ledger={
                name: np.zeros((len(SIGNAL_LINES), len(self.plan.organ.signals))) for name in organs
            },
            cell_ledger={
                name: np.zeros((1 + len(CELL_LINES), len(self.plan.organ.cells))) for name in organs
            },
        )
        state.pool_ledger = np.concatenate([state.pools, np.zeros((len(POOL_LINES), state.pools.shape[1]))])
        for name, fields in organs.items():
            state.cell_ledger[name][0] = self.organs[name].facts(fields)["cells"].total
            fields.movement_due = state.tick
        if self.clones is not None:
            state.clones = self.clones.first_state(self.clonal_amounts(state), state.tick)
        self._summarize(state)
        state.systemic_hazard = self.systemic.hazard(state.pools, state.summaries, state.tick)
        self._probe_organs(state)
        return state

    def _first_fields(self, step: OrganStep) -> OrganState:
        """Fields of one organ; integer cells are rounded up or down at random so that their mean is right."""
        plan, tissue = self.plan, step.tissue
        columns = {name: (step.host_maps, j) for j, name in enumerate(plan.organ.maps)}
        rows = {name: j for j, name in enumerate(plan.organ.parameters)}

        def value(name: str) -> NDArray[np.float64]:
            if name in rows:
                return np.asarray(step.parameters[tissue.region, rows[name]])
            table, column = columns[name]
            return table[:, column].astype(np.float64)

        def field(item: Any) -> NDArray[np.float64]:
            tree = plan.model.expand(item.initial)
            # only what this field uses: all parameters of all voxels at once would be the peak of memory
            result = evaluate(tree, {name: value(name) for name in names(tree)})
            return np.broadcast_to(np.asarray(result, np.float64), (tissue.n,))

        def table(items: dict[str, Any]) -> NDArray[np.float64]:
            columns = [field(item) for item in items.values()]
            return np.stack(columns, axis=1) if columns else np.zeros((tissue.n, 0))

        numbers = table(dict(plan.model.cells)) * tissue.volume[:, None]
        cells: NDArray[Any] = numbers
        if plan.stochastic:
            cells = np.floor(numbers + self._uniforms(step, numbers.shape[1])).astype(np.int32)
        put = self.backend.arrays.put_rows
        return OrganState(
            put(table(dict(plan.model.signals)).astype(self.real)),
            put(cells),
            put(table(dict(plan.model.states)).astype(self.real)),
        )

    def _uniforms(self, step: OrganStep, columns: int) -> NDArray[np.float64]:
        from tissuesim.backends.numpy.random import philox, uniform

        drawn = []
        for column in range(columns):
            w0, w1, _, _ = philox(step.tissue.box_index, FIRST_CELLS << 24 | column << 16, 0, 0, *step.key)
            drawn.append(uniform(w0, w1))
        return np.stack(drawn, axis=1) if drawn else np.zeros((step.tissue.n, 0))

    def clonal_amounts(self, state: State) -> list[int]:
        """Cells of every compartment of the clones, counted from the pools and the ledgers of the organs."""
        assert self.clones is not None
        columns = [self.plan.systemic.states.index(pool) for pool in self.clones.pools]
        amounts = [int(state.pools[0, column]) for column in columns]
        if self.clones.cells is not None:
            column = self.plan.organ.cells.index(self.clones.cells)
            for ledger in state.cell_ledger.values():
                amounts.append(
                    int(ledger[0, column] + ledger[1, column] - ledger[2, column] + ledger[3, column])
                )
        return amounts

    def facts(self, state: State) -> dict[str, dict[str, ColumnFacts]]:
        """Sums and extremes of every column of ``signals``, ``cells`` and ``states``, by organ."""
        return self.crew.each(lambda name: self.organs[name].facts(state.organs[name]))

    # ---- to the host and back
    def snapshot(self, state: State) -> Snapshot:
        """The state at this moment, on its way to the host."""
        return Snapshot(self.organs, state)

    def restore(self, arrays: dict[str, NDArray[Any]], facts: dict[str, Any]) -> State:
        """The state a checkpoint holds, whichever backend wrote it."""
        organs = {
            name: self.organs[name].put_state(
                {rows: arrays[f"{name}/{rows}"] for rows in ("signals", "cells", "states")}, **remembered
            )
            for name, remembered in facts["organs"].items()
        }
        return State.restore(organs, arrays, facts)

    # ---- the step
    def step(self, state: State) -> None:
        """Advance by one step: treatment, signals, movement, exchange around reactions, pools, clock.

        Half of what enters an organ arrives before its reactions and half after them, as if spread over the step: all
        of it after them would meet no exits, and cells that leave at 0.5 /day would be 8 % too many at 8 h.
        """
        self._treat(state)
        dt_ticks = self._choose_step(state)
        dt, tick = dt_ticks / TICKS_PER_DAY, state.tick
        blood = np.concatenate([state.pools[0], state.summaries[0]])
        labeled = None if state.clones is None else state.clones.counts.copy()
        growth = 0.0

        def transport(name: str) -> tuple[dict[str, float], NDArray[np.float64]]:
            organ, fields = self.organs[name], state.organs[name]
            found = organ.signals(fields, organ.scalars(blood), dt_ticks, dt, tick)
            self._move(organ, fields, dt_ticks, tick)
            return found

        def react(name: str) -> StepResult:
            organ = self.organs[name]
            return organ.reactions(state.organs[name], organ.scalars(blood), dt, tick)

        for name, (spilled, ledger) in self.crew.each(transport).items():
            self._to_pools(state, spilled)
            _book_signals(state.signal_ledger[name], ledger, first=state.steps == 0)
        weighed, arriving = self._leave_blood(state, dt, tick)
        self._enter(state, weighed, arriving, tick, 0)
        for name, result in self.crew.each(react).items():
            fields = state.organs[name]
            self._to_pools(state, result.to_pools)
            fields.hazard = result.hazard
            fields.margins.saw("rate", dt * result.hazard)
            if self.clones is not None and state.clones is not None:
                self.clones.follow_organ(state.clones, name, result, tick)
            grown = self._book_cells(state.cell_ledger[name], result.gained, result.lost, dt)
            fields.margins.saw("growth", dt * grown)
            growth = max(growth, grown)
        self._enter(state, weighed, arriving, tick, 1)
        seen = self.systemic.advance(
            state.pools,
            state.summaries,
            dt_ticks,
            tick,
            state.systemic_hazard,
            state.pool_ledger[1:GIVEN],
            self._following(state),
        )
        state.systemic_hazard = max(seen, 1e-6)
        state.tick += dt_ticks
        if self.clones is not None and state.clones is not None and labeled is not None:
            self.clones.close_step(state.clones, labeled, state.tick)
        state.steps += 1
        state.step_ticks = min(dt_ticks, _growth_limit(growth, dt_ticks))
        self._summarize(state)

    def _following(self, state: State) -> Callable[[dict[str, int], int], None] | None:
        """What the labels of clones do after each sub-step of the pools."""
        rules, labels, tick = self.clones, state.clones, state.tick
        if rules is None or labels is None:
            return None
        return lambda flows, substep: rules.follow_pools(labels, flows, tick, substep)

    def _treat(self, state: State) -> None:
        """Apply the events whose time has come."""
        events, changed = self.scenario.events, False
        while state.next_event < len(events) and events[state.next_event].tick <= state.tick:
            event = events[state.next_event]
            column = self.plan.systemic.states.index(event.pool)
            before = state.pools[0, column]
            state.pools[0, column] = before + event.value if event.action == "add" else event.value
            state.pool_ledger[GIVEN, column] += state.pools[0, column] - before
            if self.clones is not None and state.clones is not None and event.pool in self.clones.pools:
                amount = int(state.pools[0, column])
                self.clones.adjust(state.clones, event.pool, amount, state.tick)
            state.next_event += 1
            changed = True
        if changed:
            self._probe_organs(state)
            probed = self.systemic.hazard(state.pools, state.summaries, state.tick)
            state.systemic_hazard = max(state.systemic_hazard, probed)

    def _probe_organs(self, state: State) -> None:
        """Largest hazards of the organs now: the process operator with a step of length zero changes nothing."""
        blood = np.concatenate([state.pools[0], state.summaries[0]])
        for name, organ in self.organs.items():
            fields = state.organs[name]
            probed = organ.reactions(fields, organ.scalars(blood), 0.0, state.tick)
            fields.hazard = max(fields.hazard, probed.hazard)

    def _choose_step(self, state: State) -> int:
        time, events = self.scenario.config.time, self.scenario.events
        stop = events[state.next_event].tick if state.next_event < len(events) else time.end_tick
        hazard = max((fields.hazard for fields in state.organs.values()), default=0.0)
        return next_step(
            state.tick,
            state.step_ticks,
            hazard,
            time.maximum_step_ticks,
            time.minimum_step_ticks,
            min(stop, time.end_tick),
        )

    def _move(self, organ: OrganStep, fields: OrganState, dt_ticks: int, tick: int) -> None:
        """Cells move on their own longer step."""
        if tick < fields.movement_due:
            return
        hazard = organ.movement_hazard(fields)
        covered, substeps = movement_step(tick, dt_ticks, hazard)
        fields.margins.saw("movement", hazard * covered / TICKS_PER_DAY / substeps)
        for substep in range(substeps):
            organ.movement(fields, covered / TICKS_PER_DAY / substeps, tick, substep)
        fields.movement_due = tick + covered

    def _to_pools(self, state: State, amounts: dict[str, float]) -> None:
        for destination, amount in amounts.items():
            column = self.plan.systemic.states.index(destination.removeprefix("to:"))
            state.pools[0, column] += amount
            state.pool_ledger[ARRIVED, column] += amount

    def _leave_blood(
        self, state: State, dt: float, tick: int
    ) -> tuple[dict[str, Any], list[list[tuple[float, float]]]]:
        """Cells leave the blood, one draw per influx process.

        Returns the trees of weights by organ, and per process and organ what arrives before and after the reactions.
        """
        from tissuesim.systemic.exchange import leaving_blood, shares

        blood = np.concatenate([state.pools[0], state.summaries[0]])
        drawing = self.backend.exchange if self.plan.stochastic else None

        def weigh(name: str) -> tuple[Any, NDArray[np.float64]]:
            organ = self.organs[name]
            return organ.entry_trees(state.organs[name], organ.scalars(blood))

        weighed = self.crew.each(weigh)
        arriving = []
        for index, entry in enumerate(self.plan.entries):
            column = self.plan.systemic.states.index(entry.pool)
            hazards = np.array([roots[index] for _, roots in weighed.values()])
            amount = leaving_blood(
                state.pools[0, column], hazards, dt, index, tick, self.systemic.key, drawing
            )
            state.pools[0, column] -= amount
            state.pool_ledger[LEFT, column] += amount
            parts = shares(amount, hazards, index, tick, self.systemic.key, drawing)
            if self.clones is not None and state.clones is not None:
                self.clones.follow_entry(state.clones, index, entry.pool, entry.field, parts, tick)
            arriving.append([self._halves(part, state.steps + index) for part in parts])
        return {name: trees for name, (trees, _) in weighed.items()}, arriving

    def _halves(self, amount: float, turn: int) -> tuple[float, float]:
        """Two halves; of an odd number of whole cells the odd one is in the first half every other turn."""
        first = float((int(amount) + turn % 2) // 2) if self.plan.stochastic else 0.5 * amount
        return first, amount - first

    def _enter(
        self,
        state: State,
        weighed: dict[str, Any],
        arriving: list[list[tuple[float, float]]],
        tick: int,
        half: int,
    ) -> None:
        """Place one half of what left the blood, organ by organ."""
        places = {name: place for place, name in enumerate(self.organs)}

        def enter(name: str) -> None:
            for index, entry in enumerate(self.plan.entries):
                amount = arriving[index][places[name]][half]
                self.organs[name].enter(state.organs[name], index, weighed[name], amount, tick, half)
                state.cell_ledger[name][3, self.plan.organ.cells.index(entry.field)] += amount

        self.crew.each(enter)

    def _book_cells(
        self, ledger: NDArray[np.float64], gained: dict[str, float], lost: dict[str, float], dt: float
    ) -> float:
        """Add one step to the ledger; returns the largest relative growth rate [1/day]."""
        growth = 0.0
        for column, name in enumerate(self.plan.organ.cells):
            born, gone = gained.get(name, 0.0), lost.get(name, 0.0)
            ledger[1, column] += born
            ledger[2, column] += gone
            present = ledger[0, column] + ledger[1, column] - ledger[2, column] + ledger[3, column]
            if present > SMALL_NUMBER:
                growth = max(growth, (born - gone) / present / dt)
        return growth

    def _summarize(self, state: State) -> None:
        """Summaries of all organs as the next step will see them."""
        blood = np.concatenate([state.pools[0], np.zeros(state.summaries.shape[1])])
        total = np.zeros(state.summaries.shape[1])

        def summarize(name: str) -> NDArray[np.float64]:
            organ = self.organs[name]
            return organ.summaries(state.organs[name], organ.scalars(blood))

        for name, own in self.crew.each(summarize).items():
            state.organ_summaries[name] = own / self.organ_divisors[name]
            total = total + own
        state.summaries[0] = total / self.summary_divisor


def _growth_limit(growth: float, dt_ticks: int) -> int:
    """Longest step [ticks] for which growth stays below its limit, as a bound on the step before doubling."""
    if growth <= 0:
        return dt_ticks
    longest = max(int(LARGEST_GROWTH / growth * TICKS_PER_DAY), 1)
    return min(dt_ticks, max(longest // 2, 1)) if longest < 2 * dt_ticks else dt_ticks


def _book_signals(ledger: NDArray[np.float64], step: NDArray[np.float64], *, first: bool) -> None:
    """Lines before, source, decay, imbalance, clipped, after: the flows add up, the ends are kept."""
    if first:
        ledger[0] = step[0]
    ledger[1:5] += step[1:5]
    ledger[5] = step[5]

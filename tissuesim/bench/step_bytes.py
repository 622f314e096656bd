"""The bytes that a step of a model must move: each array once per pass, from the programs and tables themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tissuesim.bench.operators import FACES, PLACE_BYTES, table_bytes

if TYPE_CHECKING:
    from tissuesim.backends.organ_step import OrganStep
    from tissuesim.codegen.instructions import Program

ORDER_BYTES = 8  # the canonical order, and the places of random draws, are int64
DRAWS = ("binomial", "poisson")


@dataclass(frozen=True)
class StepBytes:
    """Bytes of the passes of one organ; ``solve`` without sweeps, ``sweep`` and ``movement`` per pass."""

    solve: int
    sweep: int
    movement: int
    hazard: int
    reactions: int
    entries: int
    summaries: int

    def step(self, sweeps: int, movements: int, hazards: int) -> int:
        """Bytes of a step with that many sweeps, movements, and looks at the largest hazard of crawling."""
        passes = self.solve + self.reactions + self.entries + self.summaries
        return passes + sweeps * self.sweep + movements * self.movement + hazards * self.hazard


def program_bytes(program: Program, itemsize: int, cell_size: int) -> int:
    """Bytes per voxel of one call of a generated program: columns loaded, columns stored, tables it reads."""
    sizes = {"cells": cell_size, "out": 8}
    total = 0
    for operation in ("load", "store"):
        columns = {step.attributes[:2] for step in program.instructions if step.operation == operation}
        total += sum(sizes.get(str(array), itemsize) for array, _ in columns)
    used = {step.operation for step in program.instructions}
    total += itemsize * len(used & {"volume", "inverse_volume"}) + int(bool(program.regional_parameters))
    if program.sums or program.outputs:
        total += ORDER_BYTES
    return total + (ORDER_BYTES if used & set(DRAWS) else 0)


def step_bytes(organ: OrganStep, by_region: bool) -> StepBytes:
    """Bytes of the passes of an organ on its backend."""
    n, itemsize = organ.tissue.n, np.dtype(organ.real).itemsize
    cell = 4 if organ.plan.stochastic else 8
    signals = len(organ.plan.organ.signals)
    rows, tables = n * signals * itemsize, table_bytes(n, itemsize, by_region=by_region)
    of = {name: n * program_bytes(program, itemsize, cell) for name, program in organ.programs.items()}
    ledger = 3 * rows + tables + n * (itemsize + ORDER_BYTES)
    diagonal, first_copy, clip = 2 * rows + tables, 2 * rows, rows
    crawling = n * itemsize + table_bytes(n, itemsize, by_region=True)  # the attractant
    moved = FACES * (cell if organ.plan.stochastic else itemsize)
    per_type = crawling + n * (3 * cell + 2 * moved + FACES * PLACE_BYTES)
    types = sum(1 for cells in organ.plan.model.cells.values() if cells.motility or cells.chemotaxis)
    trees = n * 8 * 3 * len(organ.plan.entries)  # weights read, a tree of twice as many sums written
    return StepBytes(
        solve=of.get("signal_rates", 0) + diagonal + first_copy + ledger + clip + of.get("spill_over", 0),
        sweep=5 * rows + tables,
        movement=types * per_type,
        hazard=types * crawling,
        reactions=of["reactions"],
        entries=of["entry_weights"] + trees,
        summaries=of["summaries"],
    )

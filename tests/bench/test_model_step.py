"""The bytes of a step come from its programs, and a measured step is the step of a run."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.bench.measure import Effort
from tissuesim.bench.model_step import STEPS, passes, prepare, whole_step
from tissuesim.bench.step_bytes import program_bytes, step_bytes
from tissuesim.codegen.instructions import REAL, Builder, Literal

SHORT = Effort(0.0, turns=1)


def test_a_program_moves_the_columns_it_touches() -> None:
    """One column of cells and one of states loaded, one stored, volumes, and the canonical order of a sum."""
    b = Builder("small")
    for _ in range(2):  # the second load is the first one: it is not counted again
        b.emit("load", "double", (), ("cells", 3), "x")
    state = b.emit("load", REAL, (), ("states", 0), "y")
    b.store("states", 0, state)
    assert program_bytes(b.build(frozenset()), itemsize=4, cell_size=8) == 8 + 4 + 4
    b.emit("volume", REAL)
    b.accumulate_real("sum", Literal(1.0, REAL))
    assert program_bytes(b.build(frozenset({1})), itemsize=4, cell_size=8) == 8 + 4 + 4 + 4 + 1 + 8


@pytest.mark.slow
def test_a_measured_step_is_the_step_of_a_run() -> None:
    """Rewinding gives the same steps again to the last bit, and the line counts the passes that they made."""
    prepared = prepare("numba", "8 mm", stochastic=False)
    row = whole_step(prepared, SHORT)
    ends = []
    for _ in range(2):
        prepared.rewind()
        for _ in range(STEPS):
            prepared.simulation.step()
        ends.append(np.array(prepared.simulation.state.organs["kidney"].signals))
    assert np.array_equal(*ends)
    parts = step_bytes(prepared.organ, by_region=False)
    assert row.moved is not None and row.moved > parts.step(2, 0, 0)
    assert row.fraction_of_copy is not None and row.updates == prepared.organ.tissue.n * 8
    lines = list(passes(prepared, SHORT))
    assert [line.name.split(",")[0] for line in lines] == ["processes", "processes", "summaries"]
    assert all(line.seconds and line.moved for line in lines)

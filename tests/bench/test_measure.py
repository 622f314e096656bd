"""What a line of a report says: bytes, rates, and the copy beside it."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from tissuesim.backends.base import load_backend
from tissuesim.bench.cases import Case, bind, shape_tissue
from tissuesim.bench.machine import Disturbance
from tissuesim.bench.measure import Effort, Row, in_turns
from tissuesim.bench.operators import movement_rows, thread_rows, transport_operators, transport_rows
from tissuesim.errors import InputError

SHORT = Effort(0.0, turns=2)


def test_a_sweep_moves_five_rows_and_its_tables() -> None:
    """The stated bytes of a sweep: four arrays read, one of them written, neighbors and geometry."""
    bound = bind(Case("box", 8, 16, "float32"), load_backend("numpy"))
    moved = {operator.name: operator.moved for operator in transport_operators(bound)}
    rows, tables = 512 * 16 * 4, 512 * 6 * (4 + 4)
    assert moved["sweep"] == 5 * rows + tables
    assert moved["explicit step"] == moved["diagonal"] == 2 * rows + tables
    assert moved["copy"] == 2 * rows


def test_an_organ_reads_its_regions_too() -> None:
    """With a diffusivity per pair of regions, a byte per voxel is added; float64 geometry is twice as wide."""
    bound = bind(Case("kidney", 16, 8, "float64"), load_backend("numpy"))
    (moved,) = [item.moved for item in transport_operators(bound) if item.name == "explicit step"]
    assert moved == 2 * bound.n * 8 * 8 + bound.n * (6 * (4 + 8) + 1)


def test_the_fraction_of_a_copy_follows_from_bytes_and_times() -> None:
    """Half the time at the same bytes is twice the fraction."""
    row = Row("s", "n", seconds=2.0, updates=10, moved=100, copy_bandwidth=200.0)
    assert row.facts()["updates_per_second"] == 5.0
    assert row.facts()["bytes_per_second"] == 50.0
    assert row.facts()["fraction_of_copy"] == 0.25


def test_a_line_without_a_time_says_why_and_nothing_else() -> None:
    """A program that is not installed has no numbers in the report."""
    facts = Row("peers", "FiPy", note="not installed").facts()
    assert facts == {"section": "peers", "name": "FiPy", "note": "not installed", "key": "peers / FiPy"}


def test_times_are_taken_in_turns_and_the_best_counts() -> None:
    """Each turn times every action, and one slow call does not show."""
    order: list[str] = []

    def first() -> None:
        order.append("first")
        time.sleep(0.03 if len(order) == 7 else 0.004)

    def second() -> None:
        order.append("second")
        time.sleep(0.008)

    best = in_turns((first, second), Effort(0.0, turns=4))
    assert order[4:8] == ["first", "second", "first", "second"]
    assert 0.004 <= best[0] < best[1] < 0.03


@pytest.mark.parametrize(
    ("shape", "least", "most"), [("box", 1.0, 1.0), ("kidney", 0.3, 0.45), ("lung", 0.3, 0.45)]
)
def test_organs_fill_a_third_of_their_box(shape: str, least: float, most: float) -> None:
    """The shapes are those of organs, and both regions are there."""
    tissue = shape_tissue(shape, 32)
    assert least <= tissue.n / 32**3 <= most
    assert set(np.unique(tissue.region)) == {0, 1}


def test_an_unknown_shape_is_told() -> None:
    """The nearest name is offered."""
    with pytest.raises(InputError, match="did you mean 'kidney'"):
        shape_tissue("kidny", 8)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_every_operator_can_be_measured_on_every_backend(backend: str) -> None:
    """Each line has a time, bytes and a copy beside it."""
    bound = bind(Case("kidney", 12, 8, "float32"), load_backend(backend))
    rows = [*transport_rows(bound, SHORT), *movement_rows(bound, SHORT)]
    names = [row.name for row in rows]
    assert names[:5] == ["explicit step", "diagonal", "sweep", "ledger", "clip"] and len(names) == 9
    assert all(row.seconds and row.moved and row.copy_bandwidth for row in rows)


def test_threads_are_given_back() -> None:
    """After the lines per thread, as many threads are in use as before."""
    import numba

    before = numba.get_num_threads()
    bound = bind(Case("box", 12, 8, "float32"), load_backend("numba"))
    rows = list(thread_rows(bound, SHORT))
    assert numba.get_num_threads() == before
    assert [row.note for row in rows] == [str(count) for count in range(1, before + 1)]


def test_work_of_others_is_told_and_our_own_is_not() -> None:
    """A line says how many cores other programs used: a busy process beside us counts, and we ourselves do not."""
    watched = Disturbance()
    end = time.perf_counter() + 0.6
    while time.perf_counter() < end:
        pass
    alone = watched.cores()
    if alone is None:
        pytest.skip("/proc/stat is not on this system")
    code = "import time; end = time.perf_counter() + 5\nwhile time.perf_counter() < end: pass"
    with subprocess.Popen([sys.executable, "-c", code]) as busy:
        time.sleep(0.3)
        watched = Disturbance()
        time.sleep(1.0)
        beside = watched.cores()
        busy.kill()
    assert beside is not None and beside >= 0.2

"""Each operator under pytest-benchmark, on the cases of ``tissuesim bench``.

    pytest benchmarks --benchmark-only

Beside the times, ``extra_info`` holds bytes moved, updates per second and the fraction of a copy of the same size that
was timed in turns with the operator: the fraction is what can be compared between machines.
"""

from __future__ import annotations

from typing import Any

import pytest

from tissuesim.backends.base import load_backend
from tissuesim.bench.cases import Case, bind
from tissuesim.bench.measure import Effort, measure
from tissuesim.bench.operators import transport_operators

CASES = [
    Case(shape, side, fields, precision)
    for shape, side in (("box", 64), ("box", 128), ("kidney", 128), ("lung", 128))
    for fields in (8, 16)
    for precision in ("float32", "float64")
]
OPERATORS = ("explicit step", "diagonal", "sweep", "ledger", "clip")


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.place}-{case.fields}-{case.precision}")
def test_operator(benchmark: Any, case: Case, operator: str) -> None:
    """Time of one call of an operator of the signals."""
    bound = bind(case, load_backend("auto"))
    copy, *operators = transport_operators(bound)
    (chosen,) = [item for item in operators if item.name == operator]
    row = measure("operators", operator, bound, chosen.action, chosen.moved, Effort(0.3), copy.action)
    benchmark.extra_info.update(row.facts())
    benchmark.pedantic(chosen.action, rounds=5, warmup_rounds=1)
    assert row.fraction_of_copy is not None and row.fraction_of_copy > 0

"""The benchmark of the operators runs on a device as it does on the host."""

from __future__ import annotations

from tissuesim.backends.base import load_backend
from tissuesim.bench.cases import Case, bind
from tissuesim.bench.measure import Effort
from tissuesim.bench.model_step import passes, prepare, whole_step
from tissuesim.bench.operators import movement_rows, transport_rows

SHORT = Effort(0.001, turns=1)


def test_operators_are_measured_on_a_device(cuda: str) -> None:
    """Claim: every operator and the passes of a step are timed on the cuda backend, each beside a copy there."""
    bound = bind(Case("kidney", 16, 8, "float32"), load_backend("cuda"))
    rows = [*transport_rows(bound, SHORT), *movement_rows(bound, SHORT)]
    prepared = prepare("cuda", "8 mm", stochastic=True)
    rows += [whole_step(prepared, SHORT), *passes(prepared, SHORT)]
    facts = [row.facts() for row in rows]
    assert len({(fact["name"], fact["place"]) for fact in facts}) == len(facts) > 10
    assert all(fact["seconds"] > 0 and fact["fraction_of_copy"] > 0 for fact in facts if "moved" in fact)

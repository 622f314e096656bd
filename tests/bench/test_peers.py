"""Other programs do the same work: they give the same fields before they are timed, or they are not timed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tissuesim.backends.base import load_backend
from tissuesim.bench.cases import Case, bind
from tissuesim.bench.masked import compiled, masked_rows, stencils
from tissuesim.bench.measure import Effort, Row
from tissuesim.bench.peers import compare
from tissuesim.bench.peers.compare import PEERS, difference, peer_rows, prepare_ours
from tissuesim.bench.peers.problem import Peer, Prepared, Problem

CASE = Case("box", 10, 2, "float32")
SHORT = Effort(0.0, turns=1)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
@pytest.mark.filterwarnings("ignore")  # theirs to mend
def test_programs_agree_with_ours(peer: Peer, precision: str) -> None:
    """One step from the same fields gives the same fields, to rounding."""
    if not peer.installed:
        pytest.skip(f"{peer.package} is not installed")
    problem = Problem(replace(CASE, precision=precision))
    ours, _ = prepare_ours(problem, load_backend("numba"))
    ours.step()
    theirs = peer.prepare(problem)
    theirs.step()
    assert difference(ours.fields(), theirs.fields()) <= problem.tolerance()
    assert difference(ours.fields(), problem.first) > 100 * problem.tolerance()


def lines_with(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> Row:
    """The line of a made-up program."""
    monkeypatch.setattr(compare, "PEERS", (peer,))
    _, row = peer_rows(CASE, load_backend("numpy"), SHORT, quick=True)
    return row


def test_a_program_that_disagrees_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong result is an error in the report, however fast it was made."""

    def wrong(problem: Problem) -> Prepared:
        return Prepared(lambda: None, lambda: problem.first)

    row = lines_with(monkeypatch, Peer("wrong", "numpy", "numpy", wrong))
    assert row.seconds is None and row.ratio is None and "disagrees" in row.note


def test_a_program_that_fails_does_not_end_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of another program is a line of the report."""

    def broken(problem: Problem) -> Any:
        raise RuntimeError("no device")

    row = lines_with(monkeypatch, Peer("broken", "numpy", "numpy", broken))
    assert row.note == "error: RuntimeError: no device"


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"module": "no_such_program"}, "not installed"),
        ({"quick": False}, "left out of the quick set"),
        ({"largest": 8}, "too slow beyond side 8"),
    ],
)
def test_programs_left_out_are_listed(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], note: str
) -> None:
    """A line says why there is no number."""
    row = lines_with(monkeypatch, replace(PEERS[0], **change))
    assert note in row.note and row.seconds is None


def test_a_program_that_agrees_is_timed_against_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ratio is its time over ours, per step."""
    row = lines_with(monkeypatch, PEERS[0])
    assert row.ratio is not None and row.ratio > 0 and row.version == np.__version__


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_stencil_by_hand_does_the_same_on_an_organ(precision: str) -> None:
    """Both layouts of the masked stencil agree with the graph of control volumes, walls included."""
    library = compiled(precision, 8)
    if library is None:
        pytest.skip("g++ is not installed")
    case = Case("lung", 16, 8, precision)
    backend = load_backend("numba")
    bound = bind(case, backend)
    before, after = bound.rows(0), bound.zeros()
    mesh, coefficient = bound.mesh, np.full(8, 0.1, case.real)
    backend.transport.diffuse_explicit(after, before, coefficient, mesh.region, mesh.neighbors, mesh.geometry)
    for stencil in stencils(library, case.tissue, before):
        stencil.step()
        assert np.abs(stencil.fields() - after).max() <= 16 * np.finfo(case.real).eps
    rows = list(masked_rows(case, backend, SHORT))
    assert [row.ratio is not None for row in rows] == [False, True, False, True]

"""Other programs at the same explicit step, those that are installed; each agrees with ours before it is timed."""

from __future__ import annotations

from typing import Any

import pytest

from tissuesim.backends.base import load_backend
from tissuesim.bench.cases import Case
from tissuesim.bench.measure import Effort, copy_of, in_turns
from tissuesim.bench.peers.compare import PEERS, difference, prepare_ours
from tissuesim.bench.peers.problem import Peer, Problem

CASE = Case("box", 64, 8, "float32")


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_peer(benchmark: Any, peer: Peer) -> None:
    """Time of one explicit step of another program, and its ratio to ours."""
    if not peer.installed:
        pytest.skip(f"{peer.package} is not installed")
    if CASE.side > peer.largest:
        pytest.skip(f"{peer.name} takes minutes at side {CASE.side}")
    problem = Problem(CASE)
    ours, bound = prepare_ours(problem, load_backend("auto"))
    ours.step()
    theirs = peer.prepare(problem)
    assert difference(ours.fields(), theirs.fields()) <= problem.tolerance()
    own, other, _ = in_turns((ours.step, theirs.step, copy_of(bound)), Effort(0.5))
    benchmark.extra_info["theirs_over_ours"] = other / theirs.steps / own
    benchmark.pedantic(theirs.step, rounds=5, warmup_rounds=1)

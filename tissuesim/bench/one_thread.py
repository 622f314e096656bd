"""Ratios that hold on a busy machine: one thread, processor time, and rows that stay in its cache.

On a machine that others use, two threads wait for each other's core and a large array waits for the memory, so that
ratios of wall times move by half. Processor time counts only while a thread runs. What these lines still see is what a
change of the code can spoil: loops that are no longer vectorised, work done twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tissuesim.backends.base import Backend
from tissuesim.bench.cases import Case, bind
from tissuesim.bench.measure import Effort, Row, in_turns
from tissuesim.bench.operators import movement_rows, transport_rows
from tissuesim.bench.peers import plain_numpy, scipy_ndimage
from tissuesim.bench.peers.compare import OURS, prepare_ours
from tissuesim.bench.peers.problem import Problem

SECTION = "one thread"
ONE_THREADED = (plain_numpy.PEER, scipy_ndimage.PEER)


@contextmanager
def one_thread() -> Iterator[None]:
    """Numba on one thread, and as many as before afterwards."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def one_thread_rows(case: Case, backend: Backend, effort: Effort) -> Iterator[Row]:
    """Operators and movement beside a copy, and programs that use one thread beside our explicit step."""
    if backend.name != "numba":
        return
    with one_thread():
        bound = bind(case, backend)
        yield from transport_rows(bound, effort, SECTION, time.process_time)
        yield from movement_rows(bound, effort, SECTION, time.process_time)
        ours, box = prepare_ours(Problem(case), backend)
        for peer in ONE_THREADED:
            facts: dict[str, Any] = {"version": peer.version, "against": OURS}
            if peer.installed:
                theirs = peer.prepare(Problem(case))
                own, other = in_turns((ours.step, theirs.step), effort, clock=time.process_time)
                facts |= {"seconds": other, "ratio": other / own, "updates": box.n * case.fields}
            else:
                facts |= {"note": "not installed"}
            yield Row(SECTION, peer.name, case.place, box.n, case.fields, case.precision, **facts)

"""Which cases are measured, in which order: the quick set and the full one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tissuesim.backends.base import Backend
from tissuesim.bench.cases import Case, bind
from tissuesim.bench.machine import Disturbance, free_bytes, machine_facts
from tissuesim.bench.masked import masked_rows
from tissuesim.bench.measure import Effort, Row
from tissuesim.bench.model_step import passes, prepare, whole_step
from tissuesim.bench.one_thread import one_thread_rows
from tissuesim.bench.operators import movement_rows, thread_rows, transport_rows
from tissuesim.bench.peers.compare import peer_rows
from tissuesim.bench.signals import signal_rows
from tissuesim.errors import InputError, nearest

FORMAT = 1
SECTIONS = ("operators", "movement", "threads", "one_thread", "model", "signals", "masked", "peers")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Suite:
    """What one call of ``tissuesim bench`` measures."""

    name: str
    effort: Effort
    operators: Sequence[Case]
    movement: Sequence[Case]
    threads: Case
    one_thread: Case
    spacings: Sequence[str]
    passes: str
    signals: Case
    substeps: tuple[int, ...]
    masked: Sequence[Case]
    peers: Sequence[Case]


def _cases(shapes: Sequence[tuple[str, int]], fields: Sequence[int], precisions: Sequence[str]) -> list[Case]:
    return [Case(*shape, count, name) for shape, count, name in product(shapes, fields, precisions)]


BOTH = ("float32", "float64")

QUICK = Suite(
    "quick",
    Effort(0.4),
    operators=[Case("box", 64, 16, "float32"), Case("kidney", 64, 8, "float32")],
    movement=[Case("kidney", 64, 8, "float32")],
    threads=Case("box", 64, 16, "float32"),
    one_thread=Case("box", 16, 8, "float32"),
    spacings=("4 mm", "2 mm"),
    passes="2 mm",
    signals=Case("box", 32, 8, "float32"),
    substeps=(1, 8, 32),
    masked=[Case("lung", 64, 16, "float32")],
    peers=[Case("box", 64, 8, "float32")],
)

FULL = Suite(
    "full",
    Effort(1.5, turns=8),
    operators=_cases(
        [("box", 64), ("box", 128), ("kidney", 128), ("lung", 128), ("box", 256)], (8, 16), BOTH
    ),
    movement=_cases([("kidney", 128)], (8,), BOTH),
    threads=Case("box", 128, 16, "float32"),
    one_thread=Case("box", 16, 8, "float32"),
    spacings=("4 mm", "3 mm", "2 mm", "1.5 mm", "1 mm"),
    passes="2 mm",
    signals=Case("box", 64, 8, "float32"),
    substeps=(1, 2, 4, 8, 16, 32),
    masked=_cases([("lung", 128)], (8, 16), BOTH),
    peers=[
        *_cases([("box", 64), ("box", 128)], (16,), ("float32",)),
        *_cases([("box", 128)], (8,), BOTH),
        Case("box", 32, 8, "float32"),
    ],
)


def run_suite(
    suite: Suite, backend: Backend, progress: Progress, sections: Sequence[str] = SECTIONS
) -> dict[str, Any]:
    """Measure, and return the report as JSON: machine, and a line per measurement.

    ``others`` of a line: cores that other programs used meanwhile; its times are then longer than need be.
    """
    for section in sections:
        if section not in SECTIONS:
            raise InputError(
                f"section '{section}' is not one of {', '.join(SECTIONS)}{nearest(section, SECTIONS)}"
            )
    rows = []
    for section in SECTIONS:
        if section in sections:
            watched = Disturbance()
            for row in _MEASURED[section](suite, backend, progress):
                others = watched.cores()
                rows.append(row.facts() | ({} if others is None else {"others": others}))
                watched = Disturbance()
    return {"format": FORMAT, "suite": suite.name, "machine": machine_facts(backend), "rows": rows}


def needed_bytes(case: Case) -> int:
    """Memory that the operators of a case take at their peak: four arrays of rows, tables, and the making of both."""
    voxels = case.side**3  # a box is the largest shape
    itemsize = np.dtype(case.real).itemsize
    return voxels * (4 * case.fields * itemsize + 4 * case.fields + 6 * (4 + 8 + 8 + itemsize) + 64)


def _fits(case: Case) -> str:
    """Nothing where a case fits into memory, else the reason to leave it out."""
    free, needed = free_bytes(), needed_bytes(case)
    if free is None or needed < free:
        return ""
    return f"left out: it needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free"


def _operators(suite: Suite, backend: Backend, progress: Progress) -> Iterator[Row]:
    for case in suite.operators:
        progress(f"operators, {case.place}, {case.fields} fields, {case.precision}")
        if reason := _fits(case):
            yield Row("operators", "all", case.place, 0, case.fields, case.precision, note=reason)
            continue
        yield from transport_rows(bind(case, backend), suite.effort)


def _movement(suite: Suite, backend: Backend, progress: Progress) -> Iterator[Row]:
    for case in suite.movement:
        progress(f"movement, {case.place}, {case.precision}")
        yield from movement_rows(bind(case, backend), suite.effort)


def _threads(suite: Suite, backend: Backend, progress: Progress) -> Iterator[Row]:
    progress("threads")
    yield from thread_rows(bind(suite.threads, backend), suite.effort)


def _one_thread(suite: Suite, backend: Backend, progress: Progress) -> Iterator[Row]:
    progress("one thread, processor time")
    longer = Effort(2 * suite.effort.seconds, turns=20)
    yield from one_thread_rows(suite.one_thread, backend, longer)


def _model(suite: Suite, backend: Backend, progress: Progress) -> Iterator[Row]:
    for spacing, stochastic in product(suite.spacings, (False, True)):
        progress(f"whole step, {spacing}, {'stochastic' if stochastic else 'deterministic'}")
        prepared = prepare(backend.name, spacing, stochastic=stochastic)
        yield whole_step(prepared, suite.effort)
        if spacing == suite.passes:
            yield from passes(prepared, suite.effort)


def _signals(suite: Suite, backend: Backend, progress: Progress) -> Iterator[Row]:
    progress("signals at r = 10, sweeps and line by line")
    yield from signal_rows(suite.signals, backend, suite.effort, suite.substeps)


def _masked(suite: Suite, backend: Backend, progress: Progress) -> Iterator[Row]:
    for case in suite.masked:
        progress(f"masked stencil, {case.place}, {case.fields} fields, {case.precision}")
        yield from masked_rows(case, backend, suite.effort)


def _peers(suite: Suite, backend: Backend, progress: Progress) -> Iterator[Row]:
    for case in suite.peers:
        for row in peer_rows(case, backend, suite.effort, quick=suite is QUICK):
            progress(f"peers, {case.place}, {case.fields} fields, {case.precision}: {row.name}")
            yield row


_MEASURED: dict[str, Callable[[Suite, Backend, Progress], Iterator[Row]]] = {
    "operators": _operators,
    "movement": _movement,
    "threads": _threads,
    "one_thread": _one_thread,
    "model": _model,
    "signals": _signals,
    "masked": _masked,
    "peers": _peers,
}

"""Times that mean something on a shared machine: the best of many, taken in turns with what they are compared with.

A machine slows down for a while and recovers. Actions that take turns meet the same machine, and the best time of
each is nearest to what the machine can do; their ratio holds where the times themselves do not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tissuesim.bench.cases import Bound, Case

Action = Callable[[], Any]

SHORTEST_TIMING = 2e-3
"""Seconds that one timing takes at least; shorter actions are repeated within it."""

FEWEST_TURNS = 5


@dataclass(frozen=True)
class Effort:
    """How long to measure: seconds per comparison and the number of turns at least."""

    seconds: float
    turns: int = FEWEST_TURNS


@dataclass(frozen=True)
class Row:
    """One line of a report. What does not apply is None.

    ``seconds`` per call; ``updates`` of a voxel-field (or voxel and cell type) in that call; ``moved`` bytes, each
    array once; ``copy_bandwidth`` [bytes/s] of the copy of the same size, measured in turns with it; ``ratio`` to what
    ``against`` names, above 1 where we are faster.
    """

    section: str
    name: str
    place: str = ""
    voxels: int = 0
    fields: int = 0
    precision: str = ""
    seconds: float | None = None
    updates: int | None = None
    moved: int | None = None
    copy_bandwidth: float | None = None
    ratio: float | None = None
    against: str = ""
    error: float | None = None
    version: str = ""
    note: str = ""

    @property
    def key(self) -> str:
        """What this line is called in a stored set of ratios."""
        parts = (
            self.section,
            self.name,
            self.place,
            f"{self.fields} {self.precision}" if self.fields else "",
        )
        return " / ".join(part for part in parts if part)

    @property
    def updates_per_second(self) -> float | None:
        """Updates per second."""
        return self.updates / self.seconds if self.seconds and self.updates else None

    @property
    def bandwidth(self) -> float | None:
        """Bytes moved per second."""
        return self.moved / self.seconds if self.seconds and self.moved else None

    @property
    def fraction_of_copy(self) -> float | None:
        """Bytes moved per second over the copy bandwidth."""
        return self.bandwidth / self.copy_bandwidth if self.bandwidth and self.copy_bandwidth else None

    def facts(self) -> dict[str, Any]:
        """The line as JSON: what is known, and what follows from it."""
        derived = {
            "key": self.key,
            "updates_per_second": self.updates_per_second,
            "bytes_per_second": self.bandwidth,
            "fraction_of_copy": self.fraction_of_copy,
        }
        known = {key: value for key, value in {**vars(self), **derived}.items() if value not in (None, "", 0)}
        return {key: _plain(value) for key, value in known.items()}


def _plain(value: Any) -> Any:
    """A number with five digits, as Python's own."""
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.5g}")
    return int(value) if isinstance(value, np.integer) else value


def in_turns(
    actions: Sequence[Action],
    effort: Effort,
    wait: Action = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Return the best seconds per call of each action; ``wait`` returns when all that was asked for is done."""
    calls = [_calls(action, wait) for action in actions]
    best = [float("inf")] * len(actions)
    begin, turn = time.perf_counter(), 0
    while turn < effort.turns or time.perf_counter() - begin < effort.seconds:
        for place, (action, count) in enumerate(zip(actions, calls, strict=True)):
            start = clock()
            for _ in range(count):
                action()
            wait()
            best[place] = min(best[place], (clock() - start) / count)
        turn += 1
    return best


def _calls(action: Action, wait: Action) -> int:
    """Calls per timing, found after one call that may compile and one that warms up."""
    action()
    wait()
    start = time.perf_counter()
    action()
    wait()
    return max(1, int(SHORTEST_TIMING / max(time.perf_counter() - start, 1e-7)))


def copy_of(bound: Bound) -> Action:
    """A copy of one array of rows of this case on its backend."""
    source, target, copy_rows = bound.rows(0), bound.zeros(), bound.backend.arrays.copy_rows
    return lambda: copy_rows(target, source)


def measure(
    section: str,
    name: str,
    bound: Bound,
    action: Action,
    moved: int,
    effort: Effort,
    copy: Action,
    clock: Callable[[], float] = time.perf_counter,
    **more: Any,
) -> Row:
    """Time an action on the rows of a case in turns with ``copy``, which copies one array of rows."""
    seconds, copying = in_turns((action, copy), effort, bound.backend.arrays.synchronize, clock)
    case: Case = bound.case
    facts: dict[str, Any] = {"updates": bound.n * case.fields, "fields": case.fields} | more
    return Row(
        section,
        name,
        case.place,
        bound.n,
        precision=case.precision,
        seconds=seconds,
        moved=moved,
        copy_bandwidth=2 * bound.row_bytes / copying,
        **facts,
    )

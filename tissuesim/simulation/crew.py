"""Organs side by side: each on a thread of its own, where that is faster than all threads on one organ at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from tissuesim.backends.base import Backend

T = TypeVar("T")

IMBALANCE = 1.25
"""The largest organ may take this much longer than an even share of all before threads wait for it in vain."""


class Crew:
    """Does the same to every organ. Organs share nothing within an operator, so the order of work changes no bit."""

    def __init__(self, sizes: dict[str, int], backend: Backend) -> None:
        """``sizes``: voxels by organ, in the order in which results are given."""
        self.sizes, self.backend = sizes, backend
        self.largest_first = sorted(sizes, key=lambda name: -sizes[name])
        self.pool: ThreadPoolExecutor | None = None
        self.workers = 1

    def each(self, work: Callable[[str], T]) -> dict[str, T]:
        """The results of ``work(name)`` by organ; an error of one organ is raised when all are done."""
        workers = self._workers()
        if workers == 1:
            return {name: work(name) for name in self.sizes}
        if self.pool is None or workers != self.workers:
            if self.pool is not None:
                self.pool.shutdown()
            self.workers = workers
            self.pool = ThreadPoolExecutor(workers, "organ", self.backend.arrays.use_one_thread)
        waiting = {name: self.pool.submit(work, name) for name in self.largest_first}
        wait(waiting.values())
        return {name: waiting[name].result() for name in self.sizes}

    def _workers(self) -> int:
        """How many organs at a time: as many as threads, if the largest organ leaves the others enough to do."""
        threads = self.backend.arrays.callers()
        even = sum(self.sizes.values()) * IMBALANCE
        return threads if len(self.sizes) > 1 and max(self.sizes.values()) * threads <= even else 1

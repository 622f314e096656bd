"""Numba: a small parallel loop is compiled and run, and its threads are held against the processors."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path
from typing import Any

from tissuesim.doctor.check import TroubleError
from tissuesim.doctor.libraries import load, reinstall

CONTROL_GROUP = Path("/sys/fs/cgroup")
TERMS = 1000


def numba() -> str:
    """Compile a parallel loop and run it."""
    begin = time.perf_counter()
    library, total = first_loop()
    seconds = time.perf_counter() - begin
    if total != TERMS * (TERMS - 1) // 2:
        raise TroubleError(f"{library.__version__}, but a parallel sum gives {total}", reinstall("numba"))
    return f"{library.__version__}, compiled a parallel loop in {seconds:.1f} s"


def threads() -> str:
    """Hold the threads of parallel loops against the processors this process may use."""
    asked = os.environ.get("NUMBA_NUM_THREADS", "1")
    if not asked.isdecimal() or int(asked) == 0:
        raise TroubleError(f"NUMBA_NUM_THREADS is '{asked}', no number of threads", choose_threads())
    library, _ = first_loop()
    count, usable = int(library.get_num_threads()), usable_processors()
    found = f"{count} for {usable} processor{'s' * (usable != 1)}, layer {library.threading_layer()}"
    if count > usable:
        raise TroubleError(f"{found}: they wait for each other", choose_threads())
    return found


def first_loop() -> tuple[Any, int]:
    """Return Numba and 0 + 1 + ... of a parallel loop, at which Numba settles its layer and its threads."""
    try:
        library, version = load("numba")
        if library.config.DISABLE_JIT:
            raise TroubleError(f"{version}, told not to compile", "unset NUMBA_DISABLE_JIT")
        return library, int(parallel_sum(library)(TERMS))
    except ValueError as error:
        # So Numba refuses a layer that is not installed or a number of threads that cannot be had.
        wrong = [name for name in ("NUMBA_THREADING_LAYER", "NUMBA_NUM_THREADS") if name in os.environ]
        if not wrong:
            raise
        settings = ", ".join(f"{name}={os.environ[name]}" for name in wrong)
        raise TroubleError(f"{error} ({settings})", f"unset {' '.join(wrong)}") from None


def choose_threads() -> str:
    """Return the line that sets one thread per processor this process may use."""
    return f"export NUMBA_NUM_THREADS={usable_processors()}"


@cache
def parallel_sum(library: Any) -> Any:
    """Return a function ``n -> 0 + 1 + ... + n - 1`` that is compiled for all threads on its first call."""
    prange = library.prange

    def add(terms: int) -> int:
        total = 0
        for term in prange(terms):
            total += term
        return total

    return library.njit(parallel=True)(add)


def usable_processors() -> int:
    """Return how many processors this process may use: its affinity, or less where a container has a quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = processor_quota()
    return allowed if quota is None else max(1, min(allowed, int(quota)))


def processor_quota() -> float | None:
    """Return how many processors' time the control group of a container grants, None if there is no limit."""
    try:
        granted, period = (CONTROL_GROUP / "cpu.max").read_text().split()
    except OSError:
        try:  # the first version of control groups
            granted, period = (
                (CONTROL_GROUP / "cpu" / f"cpu.cfs_{name}_us").read_text().strip()
                for name in ("quota", "period")
            )
        except OSError:
            return None
    return None if granted in ("max", "-1") else int(granted) / int(period)

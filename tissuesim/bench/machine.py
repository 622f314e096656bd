"""What was measured on: processor, threads, device, versions."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

from tissuesim.backends.base import Backend


def machine_facts(backend: Backend) -> dict[str, Any]:
    """Facts about this machine and the programs on it, as JSON."""
    import numpy as np

    facts: dict[str, Any] = {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "backend": backend.name,
    }
    if backend.name == "numba":
        import numba

        facts |= {"numba": numba.__version__, "threads": numba.get_num_threads()}
    if backend.name == "cuda":
        from tissuesim.backends.cuda.device import device_name

        facts["device"] = device_name()
    return facts


def processor() -> str:
    """The name of the processor."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def free_bytes() -> int | None:
    """Memory that can be had without swapping, or None where the system does not tell."""
    listing = Path("/proc/meminfo")
    if not listing.is_file():
        return None
    sizes = dict(line.split(":", 1) for line in listing.read_text(encoding="utf-8").splitlines())
    return int(sizes["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in sizes else None


class Disturbance:
    """How many cores other programs used while something was measured; None where the system does not tell."""

    def __init__(self) -> None:
        self._wall, self._busy, self._own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def cores(self) -> float | None:
        """Cores used by others since the beginning, to a tenth."""
        busy = _busy_seconds()
        if busy is None or self._busy is None:
            return None
        elsewhere = busy - self._busy - (_own_seconds() - self._own)
        return round(max(elsewhere, 0.0) / (time.perf_counter() - self._wall), 1)


def _own_seconds() -> float:
    """Processor seconds of this process and those it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _busy_seconds() -> float | None:
    """Processor seconds that all cores together have worked."""
    listing = Path("/proc/stat")
    if not listing.is_file():
        return None
    user, nice, system, _, _, _, _, steal = (
        int(word) for word in listing.read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + steal) / os.sysconf("SC_CLK_TCK")

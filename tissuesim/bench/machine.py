"""What was measured on: processor, threads, device, versions."""

from __future__ import annotations

import os
import platform
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

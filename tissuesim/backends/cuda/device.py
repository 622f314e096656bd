"""Whether this machine can run the ``cuda`` backend, and the one sentence that mends it where it cannot."""

from __future__ import annotations

import ctypes
import os
from importlib.util import find_spec
from typing import Any

from tissuesim.backends.cuda.compile import nvrtc_path

DRIVER = "libcuda.so.1"
FIRST_DRIVER_OF_CUDA_13 = 13_000


def cupy() -> Any:
    """The package CuPy: the only place that imports it, so that tests can put their own in its place."""
    import cupy

    return cupy


def driver_version() -> int | None:
    """The CUDA version the installed driver serves (13000 is 13.0), None without a driver."""
    try:
        library = ctypes.CDLL(DRIVER)
    except OSError:
        return None
    version = ctypes.c_int()
    return version.value if library.cuDriverGetVersion(ctypes.byref(version)) == 0 else None


def install_command() -> str:
    """The command that installs what the backend needs, for the driver of this machine."""
    newer = (driver_version() or 0) >= FIRST_DRIVER_OF_CUDA_13
    return f'pip install "tissuesim[{"cuda13" if newer else "cuda12"}]"'


def missing() -> str | None:
    """What the ``cuda`` backend lacks on this machine and how to get it, as the end of a sentence; None if nothing."""
    if driver_version() is None:
        return f"an NVIDIA driver, which is not loaded here ({DRIVER}); install it, then: {install_command()}"
    if find_spec("cupy") is None:
        return f"CuPy; install it with: {install_command()}"
    try:
        found = cupy().cuda.runtime.getDeviceCount()
    except Exception as error:  # CuPy raises its own kinds, and ImportError where a library does not fit
        cause = error.__cause__ or error  # around what failed at import, CuPy prints a page of advice
        said = " ".join(str(cause).split())
        return f"a CUDA device that CuPy can use ({type(cause).__name__}: {said}); reinstall: {install_command()}"
    if found == 0:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        chosen = "" if visible is None else f" (CUDA_VISIBLE_DEVICES is '{visible}')"
        return f"a CUDA device, and the driver shows none{chosen}"
    if nvrtc_path() is None:
        return f"the compiler NVRTC; install it with: {install_command()}"
    return None


def device_name() -> str:
    """Name and memory of the device in use, such as ``NVIDIA H100 80GB HBM3, 85 GB``."""
    runtime = cupy().cuda.runtime
    properties = runtime.getDeviceProperties(cupy().cuda.Device().id)
    return f"{properties['name'].decode()}, {properties['totalGlobalMem'] / 1e9:.0f} GB"


def architecture() -> str:
    """The architecture machine code is made for, such as ``sm_90``."""
    return f"sm_{cupy().cuda.Device().compute_capability}"


def free_memory() -> int:
    """Bytes free on the device, those CuPy keeps for reuse counted as free."""
    free, _ = cupy().cuda.runtime.memGetInfo()
    return int(free) + int(cupy().get_default_memory_pool().free_bytes())


def resident_threads() -> int:
    """Threads that the device holds at a time."""
    properties = cupy().cuda.runtime.getDeviceProperties(cupy().cuda.Device().id)
    return int(properties["multiProcessorCount"]) * int(properties["maxThreadsPerMultiProcessor"])

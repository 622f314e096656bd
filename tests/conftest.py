"""What all rooms share: compiled kernels stay in the user's cache, two threads can be asked for, a GPU is emulated."""

from __future__ import annotations

import os

# Before Numba is imported: a machine with one core must still be able to compare one thread with two.
os.environ.setdefault("NUMBA_NUM_THREADS", str(max(2, os.cpu_count() or 1)))

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(params=["emulated", pytest.param("device", marks=pytest.mark.gpu)])
def cuda(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The cuda backend, on a device emulated by g++ and, where there is one, on a real one; the value says which."""
    from tissuesim.backends.cuda import device, launch, transport

    cached = (launch.compute_stream, launch.copy_stream, launch.load_text, launch.kernel, transport._groups)
    lacking = device.missing()
    if request.param == "device" and lacking is not None:
        if os.environ.get("TISSUESIM_REQUIRE_GPU"):
            pytest.fail(f"a GPU is required, and the cuda backend needs {lacking}")
        pytest.skip(f"needs {lacking}")
    if request.param == "emulated":
        from emulation import cupy
        from emulation.host import library_path

        monkeypatch.setitem(sys.modules, "cupy", cupy)
        monkeypatch.setattr(device, "missing", lambda: None)
        monkeypatch.setattr(launch, "machine_code", lambda text, real, architecture: library_path(text, real))
    for function in cached:
        function.cache_clear()
    yield request.param
    for function in cached:
        function.cache_clear()

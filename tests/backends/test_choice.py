"""Which backend is taken, and what is said where one cannot be."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tissuesim.backends import base
from tissuesim.backends.base import load_backend
from tissuesim.backends.cuda import device
from tissuesim.errors import InputError


def cupy_with(count: Any) -> SimpleNamespace:
    """A CuPy whose runtime counts devices like this."""
    return SimpleNamespace(cuda=SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=count)))


def broken() -> int:
    """What CuPy does where the driver does not fit."""
    raise RuntimeError("cudaErrorInsufficientDriver")


@pytest.mark.parametrize(
    ("driver", "found", "cupy", "nvrtc", "expected"),
    [
        (None, False, None, None, "an NVIDIA driver, which is not loaded here"),
        (12_040, False, None, None, 'CuPy; install it with: pip install "tissuesim[cuda12]"'),
        (13_000, False, None, None, 'CuPy; install it with: pip install "tissuesim[cuda13]"'),
        (
            12_040,
            True,
            cupy_with(broken),
            "x",
            "a CUDA device that CuPy can use (RuntimeError: cudaErrorInsuff",
        ),
        (
            12_040,
            True,
            cupy_with(lambda: 0),
            "x",
            "a CUDA device, and the driver shows none (CUDA_VISIBLE_DEVICES",
        ),
        (
            13_010,
            True,
            cupy_with(lambda: 1),
            None,
            'the compiler NVRTC; install it with: pip install "tissuesim[cu',
        ),
        (13_010, True, cupy_with(lambda: 1), "x", None),
    ],
    ids=["driver", "cupy12", "cupy13", "broken", "no device", "nvrtc", "nothing"],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch,
    driver: int | None,
    found: bool,
    cupy: Any,
    nvrtc: Any,
    expected: str | None,
) -> None:
    """Claim: the first thing missing is named with the exact command that installs it."""
    monkeypatch.setattr(device, "driver_version", lambda: driver)
    monkeypatch.setattr(device, "find_spec", lambda name: object() if found else None)
    monkeypatch.setattr(device, "nvrtc_path", lambda: nvrtc)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    if cupy is not None:
        monkeypatch.setitem(sys.modules, "cupy", cupy)
    lacking = device.missing()
    if expected is None:
        assert lacking is None
    else:
        assert lacking is not None and lacking.startswith(expected)
        with pytest.raises(InputError) as refused:
            load_backend("cuda")
        assert str(refused.value) == f"backend: 'cuda' needs {lacking}"
        assert "\n" not in str(refused.value)


def test_auto_says_why(monkeypatch: pytest.MonkeyPatch, cuda: str) -> None:
    """Claim: auto is cuda with a device, else numba, else numpy, and the reason says so in one line."""
    chosen = load_backend("auto")
    assert chosen.name == "cuda" and chosen.reason == f"cuda on {device.device_name()}"
    assert chosen.host.name == "numba", "the pools stay on the host"
    monkeypatch.setattr(device, "missing", lambda: "a driver; get one")
    chosen = load_backend("auto")
    assert (chosen.name, chosen.reason) == ("numba", "numba on the CPU (cuda would need a driver)")
    monkeypatch.setattr(base, "_numba_available", lambda: False)
    chosen = load_backend("auto")
    assert chosen.name == "numpy" and "numba, which is not installed" in chosen.reason
    with pytest.raises(InputError, match="pip install numba"):
        load_backend("numba")


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    """Claim: an unknown backend is refused in one sentence with the one that was meant."""
    with pytest.raises(InputError, match=r"'cudda' is not one of auto, numpy, numba, cuda.*cuda"):
        load_backend("cudda")


def test_all_backends_have_the_same_names() -> None:
    """Claim: the three backends mirror each other file for file and function for function."""
    from importlib import import_module

    for room in ("arrays", "transport", "movement", "exchange", "ledger", "programs"):
        numpy_module = import_module(f"tissuesim.backends.numpy.{room}")
        public = {
            name
            for name, item in vars(numpy_module).items()
            if not name.startswith("_") and getattr(item, "__module__", "") == numpy_module.__name__
        }
        for backend in ("numba", "cuda"):
            module = import_module(f"tissuesim.backends.{backend}.{room}")
            missing = public - set(vars(module)) - {"weight_tree", "place_counts", "source"}
            assert not missing, (backend, room)

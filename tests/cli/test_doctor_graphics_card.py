"""``tissuesim doctor``: driver, CuPy, device and NVRTC, on machines that have them and machines that do not."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tissuesim.backends.cuda import device
from tissuesim.doctor import Row, graphics_card

Look = Callable[[str], Row]


class CuPy(types.ModuleType):
    """Stands in for CuPy on a machine with a device: its arrays are those of NumPy."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("cupy")
        self.__version__ = "13.6.0"
        self.error = error
        properties = {"name": b"NVIDIA H100 80GB HBM3", "totalGlobalMem": 85_000_000_000}
        runtime = types.SimpleNamespace(
            getDeviceCount=lambda: 1,
            getDeviceProperties=lambda number: properties,
            memGetInfo=lambda: (80_000_000_000, 85_000_000_000),
        )
        current = types.SimpleNamespace(id=0, compute_capability="90")
        self.cuda = types.SimpleNamespace(runtime=runtime, Device=lambda: current)

    def arange(self, count: int) -> Any:
        """Count, or fail as a device does that cannot be used."""
        if self.error is not None:
            raise self.error
        return np.arange(count)

    def ones(self, count: int, dtype: type) -> Any:
        """Give ones."""
        return np.ones(count, dtype)

    def get_default_memory_pool(self) -> Any:
        """Give a pool that keeps 1 GB."""
        return types.SimpleNamespace(free_bytes=lambda: 1_000_000_000)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """Give a machine with a driver for CUDA 12.8 and CuPy; both can be changed."""
    machine = types.SimpleNamespace(driver=12_080, cupy=CuPy())
    monkeypatch.setattr(device, "driver_version", lambda: machine.driver)
    monkeypatch.setattr(device, "cupy", lambda: machine.cupy)
    return machine


def test_no_driver(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """Without a driver nothing fails: driver and device are not there, and the line is that of the system."""
    monkeypatch.setattr(device, "driver_version", lambda: None)
    monkeypatch.setattr(graphics_card.sys, "platform", "linux")
    for system, line in (("debian", "apt-get install nvidia-driver"), ("ubuntu", "ubuntu-drivers install")):
        monkeypatch.setattr(
            graphics_card.platform, "freedesktop_os_release", lambda system=system: {"ID": system}
        )
        assert look("NVIDIA driver") == Row("NVIDIA driver", "missing", "no libcuda.so.1", line, False)
        assert look("Device memory") == Row("Device memory", "missing", "needs an NVIDIA driver", line, False)


def test_a_driver_that_is_too_old(gpu: types.SimpleNamespace, look: Look) -> None:
    """CUDA 11 starts none of the wheels there are."""
    gpu.driver = 11_080
    row = look("NVIDIA driver")
    assert (row.state, row.found, row.fails) == ("problem", "serves CUDA 11.8, older than CUDA 12", False)


def test_a_machine_with_a_device(gpu: types.SimpleNamespace, look: Look) -> None:
    """Arrays are added on the device, and its name, its memory and the CUDA of the driver are told."""
    assert look("NVIDIA driver").found == "serves CUDA 12.8"
    assert look("CuPy").found == "13.6.0, added two arrays on the device"
    assert look("Device memory").found == "NVIDIA H100 80GB HBM3, 85 GB, 81.0 GB free"


@pytest.mark.parametrize(("driver", "extra"), [(12_080, "cuda12"), (13_000, "cuda13")])
def test_cupy_is_installed_for_the_driver_there_is(
    gpu: types.SimpleNamespace, monkeypatch: pytest.MonkeyPatch, driver: int, extra: str, look: Look
) -> None:
    """The line asks for the extra that fits the driver, for CuPy and for what waits for it."""
    gpu.driver = driver

    def absent() -> Any:
        raise ModuleNotFoundError("No module named 'cupy'", name="cupy")

    monkeypatch.setattr(device, "cupy", absent)
    line = f'pip install "tissuesim[{extra}]"'
    assert look("CuPy") == Row("CuPy", "missing", "no package cupy", line, False)
    assert look("Device memory") == Row("Device memory", "missing", "needs CuPy", line, False)


def test_a_cupy_that_cannot_be_imported(
    gpu: types.SimpleNamespace, monkeypatch: pytest.MonkeyPatch, look: Look
) -> None:
    """A wheel that does not fit raises at its import: a problem in one row, mended by installing again."""

    def broken() -> Any:
        raise ImportError("libcublas.so.12: cannot open shared object file")

    monkeypatch.setattr(device, "cupy", broken)
    row = look("CuPy")
    assert (row.state, row.fails) == ("problem", False)
    assert row.mend == 'pip install --force-reinstall "tissuesim[cuda12]"'
    assert "libcublas.so.12" in row.found


@pytest.mark.parametrize(
    ("visible", "devices", "line"),
    [
        ("", 0, "unset CUDA_VISIBLE_DEVICES"),
        ("0", 1, 'pip install --force-reinstall "tissuesim[cuda12]"'),
        (None, 1, 'pip install --force-reinstall "tissuesim[cuda12]"'),
    ],
)
def test_a_device_that_cannot_be_used(
    gpu: types.SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    visible: str | None,
    devices: int,
    line: str,
    look: Look,
) -> None:
    """A device hidden by a setting is shown again by the line; one that fails gets its CuPy again."""
    gpu.cupy = CuPy(RuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(graphics_card, "device_count", lambda: devices)
    row = look("CuPy")
    assert (row.state, row.mend, row.fails) == ("problem", line, False)
    assert "no CUDA-capable device" in row.found


def test_cupy_without_a_driver(gpu: types.SimpleNamespace, look: Look) -> None:
    """CuPy alone computes nothing: the driver is what has to be mended."""
    gpu.driver = None
    row = look("CuPy")
    assert (row.state, row.found) == ("problem", "13.6.0, but no driver to run on")
    assert row.mend == graphics_card.install_driver()


def test_nvrtc_that_is_absent_or_broken(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """An absent compiler is not there; one that refuses three lines is a problem in its own words."""

    def refuse(*arguments: Any) -> None:
        raise RuntimeError(
            "NVRTC: NVRTC_ERROR_INVALID_OPTION\nnvrtc: error: invalid value for --gpu-architecture"
        )

    monkeypatch.setattr(graphics_card, "nvrtc_path", lambda: Path("libnvrtc.so.12"))
    monkeypatch.setattr(graphics_card, "compile_cuda", refuse)
    row = look("NVRTC")
    assert (row.state, row.fails) == ("problem", False) and "INVALID_OPTION" in row.found
    assert row.mend == graphics_card.reinstall()
    monkeypatch.setattr(graphics_card, "nvrtc_path", lambda: None)
    row = look("NVRTC")
    assert (row.state, row.mend) == ("missing", device.install_command())

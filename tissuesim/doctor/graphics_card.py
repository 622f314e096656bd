"""What the ``cuda`` backend needs: driver, CuPy, a device with memory, the compiler NVRTC. A run can do without all."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

from tissuesim.backends.cuda import device
from tissuesim.backends.cuda.compile import compile_cuda, nvrtc_path
from tissuesim.doctor.check import TroubleError, sentence

OLDEST_DRIVER = 12_000  # of CUDA 12.0: the oldest the wheels of cuda12 start with
KERNEL = """
extern "C" __global__ void twice(float *values) {
    values[threadIdx.x] = 2.0f * values[threadIdx.x];
}
"""


def driver() -> str:
    """Ask the driver which CUDA it serves."""
    version = device.driver_version()
    if version is None:
        raise TroubleError(f"no {device.DRIVER}", install_driver(), missing=True)
    found = f"serves CUDA {version // 1000}.{version % 1000 // 10}"
    if version < OLDEST_DRIVER:
        raise TroubleError(f"{found}, older than CUDA 12", install_driver())
    return found


def cupy() -> str:
    """Add two arrays on the device."""
    try:
        library = device.cupy()
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            raise
        raise TroubleError("no package cupy", device.install_command(), missing=True) from None
    version = str(library.__version__)
    if device.driver_version() is None:
        raise TroubleError(f"{version}, but no driver to run on", install_driver())
    try:
        total = int((library.arange(1000) + library.ones(1000, dtype=int)).sum())
    except Exception as error:  # CuPy raises its own kinds
        raise TroubleError(f"{version}, cannot add two arrays: {sentence(error)}", _mend_device()) from None
    if total != 500_500:
        raise TroubleError(f"{version}, but two arrays add up to {total}", reinstall())
    return f"{version}, added two arrays on the device"


def memory() -> str:
    """Ask the device for its name and its free memory."""
    if device.driver_version() is None:
        raise TroubleError("needs an NVIDIA driver", install_driver(), missing=True)
    try:
        return f"{device.device_name()}, {device.free_memory() / 1e9:.1f} GB free"
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            raise
        raise TroubleError("needs CuPy", device.install_command(), missing=True) from None
    except Exception as error:  # CuPy raises its own kinds
        raise TroubleError(sentence(error), _mend_device(), missing=True) from None


def nvrtc() -> str:
    """Compile a kernel of three lines."""
    path = nvrtc_path()
    if path is None:
        raise TroubleError("no package nvidia-cuda-nvrtc", device.install_command(), missing=True)
    architecture = "sm_80" if device.missing() else device.architecture()
    compile_cuda(KERNEL, "float32", architecture)
    major, minor = ctypes.c_int(), ctypes.c_int()
    ctypes.CDLL(str(path)).nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return f"{major.value}.{minor.value}, compiled a kernel for {architecture}"


def install_driver() -> str:
    """Return the line that installs the driver on this system."""
    if sys.platform != "linux":
        return "https://www.nvidia.com/drivers"
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return "https://www.nvidia.com/drivers"
    lines = {"debian": "apt-get install nvidia-driver", "ubuntu": "ubuntu-drivers install"}
    return lines.get(system.get("ID", ""), "https://www.nvidia.com/drivers")


def reinstall() -> str:
    """Return the line that installs CuPy again, for the driver of this machine."""
    return device.install_command().replace("install", "install --force-reinstall")


def _mend_device() -> str:
    """Return the line for a device that cannot be used: it may be there and hidden from this process."""
    hidden = "CUDA_VISIBLE_DEVICES" in os.environ and device_count() == 0
    return "unset CUDA_VISIBLE_DEVICES" if hidden else reinstall()


def device_count() -> int:
    """Return how many devices the driver shows to this process."""
    library, count = ctypes.CDLL(device.DRIVER), ctypes.c_int()
    # Each answers 0 for success; without a device the first one fails.
    started = library.cuInit(0) == 0 and library.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if started else 0

"""CUDA text compiled by g++ as plain C++ into a shared library, called through ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tissuesim.backends.kernel_source import paste_includes, read_kernel

FLAGS = (
    *("-std=c++17", "-O2", "-ffp-contract=off", "-fno-fast-math"),
    *("-Wall", "-Werror", "-Wno-unused-function", "-Wno-unknown-pragmas"),
)


class CompilerMissingError(RuntimeError):
    """There is no C++ compiler on this machine."""


def compile_host(text: str, real: DTypeLike, folder: Path | None = None) -> ctypes.CDLL:
    """Return CUDA ``text`` (may include files of ``tissuesim.kernels``) as a loaded library.

    Built once per content below ``folder`` (default: a folder of this user in the temporary directory).
    Raises CompilerMissingError without g++, RuntimeError with the compiler's messages if the text does not
    compile.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        raise CompilerMissingError("g++ is not on the path; it is needed to run the CUDA text on the host")
    source = read_kernel("host.h").replace("#pragma once", "") + paste_includes(text)
    flags = [*FLAGS, *(["-DREAL_IS_FLOAT64"] if np.dtype(real) == np.float64 else [])]
    name = hashlib.sha256("\n".join([compiler, *flags, source]).encode()).hexdigest()[:24]
    place = folder or Path(tempfile.gettempdir()) / f"tissuesim-host-{os.getuid()}"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    library = place / f"{name}.so"
    if not library.exists():
        written = place / f"{name}.cpp"
        written.write_text(source, encoding="utf-8")
        partial = place / f"{name}.{os.getpid()}.so"
        command = [compiler, *flags, "-shared", "-fPIC", "-o", str(partial), str(written)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"g++ refused the CUDA text ({written}):\n{result.stderr}")
        partial.rename(library)
    return ctypes.CDLL(str(library))


@cache
def load_kernels(name: str, real: np.dtype[Any]) -> ctypes.CDLL:
    """Return the library of one file of ``tissuesim.kernels``."""
    return compile_host(read_kernel(name), real)


def call(library: ctypes.CDLL, kernel: str, real: DTypeLike, *arguments: Any) -> None:
    """Call a kernel: arrays as pointers, int as int64, float as ``real``, NumPy scalars as they are."""
    converted = [_convert(argument, np.dtype(real)) for argument in arguments]
    function = getattr(library, kernel)
    function.restype = None
    function(*converted)


def _convert(argument: Any, real: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return ctypes.c_void_p(_contiguous(argument).ctypes.data)
    if isinstance(argument, np.generic):
        return _ctypes_type(argument.dtype)(argument.item())
    if isinstance(argument, int):
        return ctypes.c_int64(argument)
    return _ctypes_type(real)(argument)


def _ctypes_type(dtype: Any) -> Any:
    return np.ctypeslib.as_ctypes_type(dtype)


def _contiguous(array: NDArray[Any]) -> NDArray[Any]:
    if not array.flags.c_contiguous:
        raise ValueError("kernels read C-contiguous arrays only")
    return array

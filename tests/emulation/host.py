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

from tissuesim.backends.cuda.compile import definitions
from tissuesim.backends.kernel_source import paste_includes

WORDS = Path(__file__).with_name("host.h")
FLAGS = (
    *("-std=c++17", "-O2", "-ffp-contract=off", "-fno-fast-math"),
    *("-Wall", "-Werror", "-Wno-unused-function", "-Wno-unknown-pragmas", "-Wno-unused-variable"),
)


class CompilerMissingError(RuntimeError):
    """There is no C++ compiler on this machine."""


def library_path(text: str, real: DTypeLike, folder: Path | None = None) -> Path:
    """Return CUDA ``text`` (may include files of ``tissuesim.kernels``) as a shared library of plain C++.

    Built once per content below ``folder`` (default: a folder of this user in the temporary directory).
    Raises CompilerMissingError without g++, RuntimeError with the compiler's messages if the text does not
    compile.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        raise CompilerMissingError("g++ is not on the path; it is needed to run the CUDA text on the host")
    source = WORDS.read_text(encoding="utf-8").replace("#pragma once", "") + paste_includes(text)
    flags = [*FLAGS, *definitions(real)]
    name = hashlib.sha256("\n".join([compiler, *flags, source]).encode()).hexdigest()[:24]
    place = folder or Path(tempfile.gettempdir()) / f"tissuesim-host-{os.getuid()}"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    library = place / f"{name}.so"
    if not library.exists():
        written = place / f"{name}.{os.getpid()}.cpp"
        written.write_text(source, encoding="utf-8")
        partial = place / f"{name}.{os.getpid()}.so"
        command = [compiler, *flags, "-shared", "-fPIC", "-o", str(partial), str(written)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"g++ refused the CUDA text ({written}):\n{result.stderr}")
        partial.rename(library)
        written.rename(place / f"{name}.cpp")
    return library


@cache
def load(path: Path) -> ctypes.CDLL:
    """Return a library, opened once."""
    return ctypes.CDLL(str(path))


def call(function: Any, arguments: tuple[Any, ...]) -> None:
    """Call a kernel: NumPy arrays as pointers, NumPy scalars by their type; nothing else is taken, as on a device."""
    function.restype = None
    function(*(_convert(argument) for argument in arguments))


def _convert(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return ctypes.c_void_p(_contiguous(argument).ctypes.data)
    if isinstance(argument, np.generic):
        return np.ctypeslib.as_ctypes_type(argument.dtype)(argument.item())
    raise TypeError(f"a kernel takes arrays and NumPy scalars, not {type(argument).__name__}")


def _contiguous(array: NDArray[Any]) -> NDArray[Any]:
    if not array.flags.c_contiguous:
        raise ValueError("kernels read C-contiguous arrays only")
    return array

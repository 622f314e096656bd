"""CUDA text compiled by NVRTC, loaded through ctypes from its pip wheel: no driver, no GPU, no CUDA toolkit.

The options keep IEEE arithmetic, so that the results are those of the CPU bit for bit: no contraction into
fused multiply-adds, exact division and square root, subnormal numbers kept.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
from ctypes.util import find_library
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from tissuesim.backends.kernel_source import paste_includes
from tissuesim.cache_folder import cache_folder

IEEE_OPTIONS = ("-fmad=false", "-prec-div=true", "-prec-sqrt=true", "-ftz=false")
ARCHITECTURES = ("sm_80", "sm_90")
FUSED = re.compile(r"\bfma\.\w+\.f(?:32|64)|\bmad\.\w+\.f(?:32|64)|\.ftz\b|\.approx\b|\bdiv\.full\b")
SPILL = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
MODULES = ("nvidia.cuda_nvrtc", "nvidia.cu13")


class CompilerMissingError(RuntimeError):
    """The NVRTC library is not installed."""


@dataclass(frozen=True)
class CompiledText:
    """What NVRTC made of a text: PTX, machine code and, per kernel, the lines of the assembler."""

    ptx: str
    cubin: bytes
    log: str

    def fused_operations(self) -> tuple[str, ...]:
        """Return the instructions in the PTX that would not round like the CPU (none is right)."""
        return tuple(FUSED.findall(self.ptx))

    def spilled_bytes(self) -> int:
        """Return the bytes of registers spilled to local memory, over all kernels; raises if not reported."""
        reports = SPILL.findall(self.log)
        if not reports:
            raise RuntimeError(f"the assembler reported no register use:\n{self.log}")
        return sum(int(stores) + int(loads) for _, stores, loads in reports)


def nvrtc_path() -> Path | str | None:
    """Return the NVRTC library of an installed wheel, else of the system, None if there is none."""
    for module in MODULES:
        try:
            spec = find_spec(module)
        except ModuleNotFoundError:
            continue
        for place in spec.submodule_search_locations or [] if spec else []:
            found = sorted(Path(place).glob("lib/libnvrtc.so.*"))
            if found:
                return found[0]
    return find_library("nvrtc")


@cache
def _library() -> ctypes.CDLL:
    path = nvrtc_path()
    if path is None:
        raise CompilerMissingError('NVRTC is not installed; install it with: pip install "tissuesim[cuda12]"')
    library = ctypes.CDLL(str(path))
    library.nvrtcGetErrorString.restype = ctypes.c_char_p
    return library


def _check(status: int, log: str = "") -> None:
    if status != 0:
        message = _library().nvrtcGetErrorString(status).decode()
        raise RuntimeError(f"NVRTC: {message}\n{log}".rstrip())


def _read(program: ctypes.c_void_p, what: str) -> bytes:
    """Return the log, PTX or cubin of a program."""
    size = ctypes.c_size_t()
    _check(getattr(_library(), f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    _check(getattr(_library(), f"nvrtcGet{what}")(program, buffer))
    return buffer.raw


def definitions(real: DTypeLike) -> list[str]:
    """The macros that choose the type of fields."""
    return ["-DREAL_IS_FLOAT64"] if np.dtype(real) == np.float64 else []


def compiler_version() -> tuple[int, int]:
    """Version of NVRTC, such as (12, 9); raises CompilerMissingError without it."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _check(_library().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
    return major.value, minor.value


def compile_cuda(
    text: str, real: DTypeLike, architecture: str = "sm_80", name: str = "generated.cu"
) -> CompiledText:
    """Return ``text`` (may include files of ``tissuesim.kernels``) compiled for dtype ``real`` and a GPU.

    Raises CompilerMissingError without NVRTC, RuntimeError with the compiler's messages if the text does
    not compile.
    """
    source = paste_includes(text, name)
    options = [*IEEE_OPTIONS, "-std=c++17", f"-arch={architecture}", "--ptxas-options=-v", *definitions(real)]
    library, program = _library(), ctypes.c_void_p()
    _check(library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(), 0, None, None))
    try:
        encoded = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        status = library.nvrtcCompileProgram(program, len(options), encoded)
        log = _read(program, "ProgramLog").rstrip(b"\0").decode()
        _check(status, log)
        return CompiledText(_read(program, "PTX").rstrip(b"\0").decode(), _read(program, "CUBIN"), log)
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def machine_code(text: str, real: DTypeLike, architecture: str) -> Path:
    """Return the file that holds ``text`` compiled for a device, compiled once and kept in the cache folder.

    Its name is a hash of everything that decides its content: text with all includes, options, architecture, compiler.
    Raises like ``compile_cuda``.
    """
    content = [paste_includes(text), *IEEE_OPTIONS, *definitions(real), architecture, str(compiler_version())]
    digest = hashlib.sha256("\0".join(content).encode()).hexdigest()[:32]
    path = cache_folder() / "cuda" / f"{digest}.cubin"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(compile_cuda(text, real, architecture).cubin)
        partial.replace(path)
    return path

"""Streams, kernels and launches: the only module that gives work to the device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tissuesim.backends.cuda.compile import machine_code
from tissuesim.backends.cuda.device import architecture, cupy
from tissuesim.backends.cuda.source import EXPECTED_CELLS
from tissuesim.backends.kernel_source import read_kernel
from tissuesim.codegen.print_text import BLOCK
from tissuesim.errors import InputError

LARGEST_GRID = 2**31 - 1
POOL = "TISSUESIM_CUDA_POOL"
"""Set to 0, every array is allocated by itself: for tools that watch where arrays end. Needs recorded launches off."""


@cache
def compute_stream() -> Any:
    """The stream of all operators. Work on it is done in the order in which it was asked for."""
    if os.environ.get(POOL) == "0":
        cupy().cuda.set_allocator(None)
    return cupy().cuda.Stream(non_blocking=True)


@cache
def copy_stream() -> Any:
    """The stream on which output travels to the host while the operators go on."""
    return cupy().cuda.Stream(non_blocking=True)


@cache
def load_text(text: str, real: np.dtype[Any]) -> Any:
    """The module of a CUDA text, compiled for this device."""
    return cupy().RawModule(path=str(machine_code(text, real, architecture())))


@cache
def kernel(file: str, name: str, real: np.dtype[Any], *, expected: bool = False) -> Any:
    """A kernel of a file of ``tissuesim.kernels``; ``expected``: cells are expected values, not whole numbers."""
    text = f"{EXPECTED_CELLS}\n" * expected + read_kernel(file)
    return load_text(text, np.dtype(real)).get_function(name)


def launch(function: Any, grid: tuple[int, ...], *arguments: Any) -> None:
    """Launch on blocks of 256 threads. Python integers become int64; other scalars are NumPy's, of the right type."""
    converted = tuple(np.int64(value) if isinstance(value, int) else value for value in arguments)
    with compute_stream():
        function(grid, (BLOCK,), converted)


def blocks(count: int) -> int:
    """Blocks of 256 that ``count`` threads need; any grid gives the same result."""
    return max(min(-(-count // BLOCK), LARGEST_GRID), 1)


@contextmanager
def _in_memory() -> Iterator[None]:
    """Tell a full device in one sentence; raises InputError."""
    with compute_stream():
        try:
            yield
        except MemoryError as error:  # CuPy's own kind is one
            raise InputError(
                f"the device is full: {error}; use a larger spacing, or free memory that other programs hold"
            ) from None


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> Any:
    """An array on the device, its content unknown."""
    with _in_memory():
        return cupy().empty(shape, dtype)


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> Any:
    """An array of zeros on the device."""
    with _in_memory():
        return cupy().zeros(shape, dtype)


def upload(values: np.ndarray[Any, Any]) -> Any:
    """An array of the host on the device."""
    with _in_memory():
        return cupy().asarray(np.ascontiguousarray(values))


def fetch(array: Any) -> np.ndarray[Any, Any]:
    """A small array on the host; waits for everything asked for so far."""
    return np.asarray(array.get(stream=compute_stream()))

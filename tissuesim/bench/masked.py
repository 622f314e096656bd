"""A masked box stencil by hand, in C++ with OpenMP, on an organ that fills a third of its box."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import Backend
from tissuesim.bench.cases import FACE, Bound, Case, bind
from tissuesim.bench.measure import Effort, Row, in_turns
from tissuesim.tissue import Tissue

SECTION = "masked stencil"
FLAGS = ("-O3", "-fopenmp", "-march=native", "-shared", "-fPIC")


@cache
def compiled(precision: str, fields: int) -> ctypes.CDLL | None:
    """The stencil compiled for this machine, or None where there is no g++."""
    compiler = shutil.which("g++")
    if compiler is None:
        return None
    source = (files("tissuesim.bench") / "masked_stencil.cpp").read_text(encoding="utf-8")
    flags = [*FLAGS, f"-DFIELDS={fields}", *(["-DREAL_IS_FLOAT64"] if precision == "float64" else [])]
    with tempfile.TemporaryDirectory(prefix="tissuesim-bench-") as folder:
        library = Path(folder) / "masked_stencil.so"
        command = [compiler, *flags, "-x", "c++", "-", "-o", str(library)]
        subprocess.run(command, input=source, text=True, check=True, capture_output=True)
        return ctypes.CDLL(str(library))


@dataclass(frozen=True)
class Stencil:
    """One layout of the stencil on the fields of a tissue: a step, and what it gave (n, S)."""

    name: str
    step: Callable[[], None]
    fields: Callable[[], NDArray[Any]]


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _call(function: Any, arrays: tuple[NDArray[Any], ...], side: int) -> Callable[[], None]:
    """A call without conversions at each time; it keeps its arrays."""
    function.restype = None
    arguments = (*(_pointer(array) for array in arrays), ctypes.c_int64(side))

    def step(kept: Any = arrays) -> None:
        function(*arguments)

    return step


def stencils(library: ctypes.CDLL, tissue: Tissue, rows: NDArray[Any]) -> list[Stencil]:
    """Both layouts, on ``rows`` (n, S) of a tissue of whole voxels."""
    side, fields = tissue.shape[0], rows.shape[1]
    face = np.full(fields, FACE, rows.dtype)
    before = tissue.scatter(rows, 0.0)
    inside = tissue.scatter(np.ones(tissue.n, np.uint8), 0)
    after = np.zeros_like(before)
    wide = np.pad(np.ascontiguousarray(np.moveaxis(before, -1, 0)), ((0, 0), (1, 1), (1, 1), (1, 1)))
    wide_after, wide_mask = np.zeros_like(wide), np.pad(inside, 1).astype(rows.dtype)
    inner = slice(1, -1)
    return [
        Stencil(
            "C++ and OpenMP, fields side by side",
            _call(library.rows_step, (after, before, inside, face), side),
            lambda: tissue.gather(after),
        ),
        Stencil(
            "C++ and OpenMP, a box per field",
            _call(library.planes_step, (wide_after, wide, wide_mask, face), side + 2),
            lambda: tissue.gather(np.moveaxis(wide_after[:, inner, inner, inner], 0, -1)),
        ),
    ]


def masked_rows(case: Case, backend: Backend, effort: Effort) -> Iterator[Row]:
    """Our explicit step per voxel of tissue, and both stencils over it."""
    bound = bind(case, backend)
    tissue = backend.arrays.stored(case.tissue)
    before, after = bound.rows(0), bound.zeros()
    # one diffusivity per field, as in the stencil
    coefficient, mesh = backend.arrays.put(np.full(case.fields, FACE, case.real)), bound.mesh

    def ours() -> None:
        backend.transport.diffuse_explicit(
            after, before, coefficient, mesh.region, mesh.neighbors, mesh.geometry
        )

    library = compiled(case.precision, case.fields)
    if library is None:
        yield _row("C++ and OpenMP", bound, note="not installed: g++")
        return
    ours()
    expected = backend.arrays.get_rows(after)
    for stencil in stencils(library, tissue, backend.arrays.get_rows(before)):
        stencil.step()
        found = float(np.max(np.abs(stencil.fields() - expected)))
        if not found <= 16.0 * float(np.finfo(case.real).eps):
            yield _row(
                stencil.name, bound, note="error: disagrees with ours, so it is not timed", error=found
            )
            continue
        own, other = in_turns((ours, stencil.step), effort, backend.arrays.synchronize)
        yield _row("tissuesim", bound, seconds=own, note=f"beside {stencil.name}")
        yield _row(stencil.name, bound, seconds=other, ratio=other / own, error=found, against="tissuesim")


def _row(name: str, bound: Bound, **more: Any) -> Row:
    case, fill = bound.case, bound.n / bound.case.side**3
    facts: dict[str, Any] = {"updates": bound.n * case.fields} | more
    return Row(
        SECTION, name, f"{case.place}, {fill:.0%} filled", bound.n, case.fields, case.precision, **facts
    )

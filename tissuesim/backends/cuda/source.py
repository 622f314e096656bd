"""The complete CUDA text of a generated program: macros, the readable kernel, the generated lines in its hole."""

from __future__ import annotations

from tissuesim.backends.kernel_source import read_kernel
from tissuesim.codegen.instructions import INTEGER, Program
from tissuesim.codegen.print_text import cuda_text

HOLE = "// GENERATED PROGRAM"
FIRST_INCLUDE = '#include "exits.cuh"'
EXPECTED_CELLS = "#define CELLS_ARE_EXPECTED"


def counts_cells(program: Program) -> bool:
    """Whether the cells of a program are whole numbers (expected values otherwise)."""
    loads = [
        item for item in program.instructions if item.operation == "load" and item.attributes[0] == "cells"
    ]
    return any(item.targets[0].kind == INTEGER for item in loads)


def program_source(program: Program) -> str:
    """Text of a program; ``#include`` lines of ``tissuesim.kernels`` still stand in it."""
    added = len(program.sums) + len(program.totals)
    macros = [f"#define ADDED {added}", f"#define LEAVES {added + len(program.maxima)}"]
    if not counts_cells(program):
        macros.append(EXPECTED_CELLS)
    head, body = read_kernel("voxel_program.cu").split(FIRST_INCLUDE, 1)
    named = body.replace("voxel_program(", f"{program.name}(", 1)
    indent = " " * 12
    lines = [indent + line for line in cuda_text(program).splitlines()]
    filled = named.replace(HOLE, "\n".join([HOLE.lower(), *lines]))
    return head + "\n".join([*macros, FIRST_INCLUDE]) + filled

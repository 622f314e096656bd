"""The complete CUDA text of a generated program: macros, the readable kernel, the generated lines in its hole."""

from __future__ import annotations

from tissuesim.backends.kernel_source import read_kernel
from tissuesim.codegen.instructions import Program
from tissuesim.codegen.plan import StepPlan
from tissuesim.codegen.print_text import cuda_text
from tissuesim.codegen.rates import Tables

HOLE = "// GENERATED PROGRAM"
INCLUDE = '#include "real.cuh"'


def organ_source(plan: StepPlan, program: Program) -> str:
    """Text of an organ program; ``#include`` lines of ``tissuesim.kernels`` still stand in it."""
    return _source(program, plan.organ, "int32" if plan.stochastic else "double", "uint8")


def systemic_source(plan: StepPlan) -> str:
    """Text of the process operator of the pools (compile it for float64)."""
    return _source(plan.systemic_program, plan.systemic, "real", "int64")


def _source(program: Program, tables: Tables, cell_type: str, region_type: str) -> str:
    sizes = {
        "SIGNALS": len(tables.signals),
        "CELLS": len(tables.cells),
        "STATES": len(tables.states),
        "MAPS": len(tables.maps),
        "LOSS": len(tables.signals),
        "RIGHT_HAND_SIDE": len(tables.signals),
        "PARAMETERS": len(tables.parameters),
        "OUTPUTS": len(program.outputs),
        "SUMS": len(program.sums),
    }
    macros = "\n".join(f"#define {name} {size}" for name, size in sizes.items())
    text = read_kernel("voxel_program.cu")
    head, body = text.split(INCLUDE, 1)
    named = body.replace("voxel_program(", f"{program.name}(", 1)
    filled = named.replace(HOLE, HOLE.lower() + "\n" + cuda_text(program))
    types = f"typedef {cell_type} cell_count;\ntypedef {region_type} region_index;"
    return f"{head}{INCLUDE}\n{macros}\n{types}{filled}"

"""Programs printed as NumPy, Numba or CUDA text: one table of operations per language, one line per instruction.

Every kernel has the same arguments (``ARGUMENTS``), whatever its program uses, so that a backend calls them all alike.
"""

from __future__ import annotations

from tissuesim.codegen.instructions import (
    BOOLEAN,
    DOUBLE,
    INTEGER,
    REAL,
    Instruction,
    Literal,
    Operand,
    Program,
    Register,
)

ARGUMENTS = (
    "signals", "cells", "states", "maps", "loss", "right_hand_side", "out",
    "volume", "inverse_volume", "region", "parameters", "scalars", "box_index", "order",
    "dt", "operator", "tick", "substep", "key0", "key1",
)  # fmt: skip

BLOCK, CHUNK = 256, 16
"""Voxels per block of an ordered sum, and per chunk of a block; see ``backends/numpy/sums.py``."""

PARALLEL_FROM = 8
"""Blocks from which a compiled loop is worth its threads."""

_ARITHMETIC = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "negate": "-{0}",
    "<": "{0} < {1}",
    "<=": "{0} <= {1}",
    ">": "{0} > {1}",
    ">=": "{0} >= {1}",
    "==": "{0} == {1}",
    "!=": "{0} != {1}",
}

_NUMPY = _ARITHMETIC | {
    "select": "np.where({0}, {1}, {2})",
    "sqrt": "np.sqrt({0})",
    "to_real": "as_real({0})",
    "to_double": "as_double({0})",
    "to_integer": "as_integer({0})",
    "load": "{a0}[:, {a1}]",
    "scalar": "scalars[{a0}]",
    "volume": "volume",
    "inverse_volume": "inverse_volume",
    "step_length": "dt",
    "exit_probability": "exit_probability({0})",
    "binomial": "binomial({0}, {1}, box_index, operator << 24 | {a0} << 16 | {a1}, tick, substep << 8, key0, key1)",
    "poisson": "poisson({0}, box_index, operator << 24 | {a0} << 16 | {a1}, tick, substep << 8, key0, key1)",
}

NUMBA = _NUMPY | {
    "select": "{1} if {0} else {2}",
    "sqrt": "REAL(math.sqrt({0}))",
    "to_real": "REAL({0})",
    "to_double": "np.float64({0})",
    "to_integer": "np.int64({0})",
    "load": "{a0}[i, {a1}]",
    "volume": "volume[i]",
    "inverse_volume": "inverse_volume[i]",
}

_CUDA = _ARITHMETIC | {
    "select": "{0} ? {1} : {2}",
    "sqrt": "SQUARE_ROOT({0})",
    "to_real": "(real){0}",
    "to_double": "(double){0}",
    "to_integer": "(int64){0}",
    "load": "{a0}[AT(i, {a1})]",
    "scalar": "scalars[{a0}]",
    "volume": "volume[i]",
    "inverse_volume": "REAL(1.0) / volume[i]",
    "step_length": "dt",
    "binomial": "({0} > 0 && {1} > 0.0)"
    " ? draw_binomial({0}, {1}, voxel, stream | {a0}u << 16 | {a1}u, tick, draw, key0, key1) : (int64)0",
    "poisson": "({0} > 0.0)"
    " ? draw_poisson({0}, voxel, stream | {a0}u << 16 | {a1}u, tick, draw, key0, key1) : (int64)0",
}

_C_TYPES = {REAL: "real", DOUBLE: "double", INTEGER: "int64", BOOLEAN: "bool"}


def operand_text(operand: Operand, language: str) -> str:
    """A register by its name, or a literal of its kind."""
    if not isinstance(operand, Literal):
        return operand.name
    if operand.kind == INTEGER:
        return f"(int64){int(operand.value)}" if language == "cuda" else str(int(operand.value))
    text = repr(float(operand.value))
    if operand.kind == DOUBLE:
        return text
    return f"REAL({text})"


def format_pattern(pattern: str, instruction: Instruction, language: str) -> str:
    """The pattern of an operation with its operands and attributes."""
    values = [operand_text(argument, language) for argument in instruction.arguments]
    extra = {f"a{j}": attribute for j, attribute in enumerate(instruction.attributes)}
    return pattern.format(*values, **extra)


def parameter_text(program: Program, column: int, language: str) -> str:
    """A parameter of the model, or of the voxel's region."""
    regional = column in program.regional_parameters
    if language == "cuda":
        return f"parameters[{'region[i]' if regional else '0'} * parameter_count + {column}]"
    row = ("region" if language == "numpy" else "region[i]") if regional else "0"
    return f"parameters[{row}, {column}]"


def numpy_text(program: Program) -> str:
    """Whole-array text: every register is an array over the voxels, or a scalar where all voxels share it."""
    lines = [
        f"def {program.name}({', '.join(ARGUMENTS)}):",
        f"    totals = np.zeros({len(program.totals)}, np.int64)",
        f"    sums = np.zeros({len(program.sums)}, np.float64)",
        f"    maxima = np.zeros({len(program.maxima)}, REAL)",
    ]
    for item in program.instructions:
        lines.append("    " + _numpy_line(program, item))
    return "\n".join([*lines, "    return totals, sums, maxima", ""])


def _numpy_line(program: Program, item: Instruction) -> str:
    value = operand_text(item.arguments[0], "numpy") if item.arguments else ""
    match item.operation:
        case "parameter":
            return f"{item.targets[0].name} = {parameter_text(program, int(item.attributes[0]), 'numpy')}"
        case "store" if item.attributes[0] == "out":
            return f"out[:, {item.attributes[1]}] = spread({value}, order)"
        case "store":
            return f"{item.attributes[0]}[:, {item.attributes[1]}] = {value}"
        case "accumulate":
            return f"totals[{item.attributes[0]}] = total({value}, order)"
        case "accumulate_real":
            return f"sums[{item.attributes[0]}] = ordered_sum({value}, order)"
        case "maximize":
            slot = f"maxima[{item.attributes[0]}]"
            return f"{slot} = largest({slot}, {value})"
    targets = ", ".join(target.name for target in item.targets)
    return f"{targets} = {format_pattern(_NUMPY[item.operation], item, 'numpy')}"


def cuda_text(program: Program) -> str:
    """The body that goes into the hole of ``kernels/voxel_program.cu``: one thread is one voxel.

    Its leaves are the sums, then the totals, then the maxima. Only what is used is printed: a compiler would drop the
    rest, with a warning for every line.
    """
    used = _used_registers(program)
    lines = [
        _cuda_line(program, item, used)
        for item in program.instructions
        if not item.targets or any(target.name in used for target in item.targets)
    ]
    return "\n".join("    " + line for line in lines)


def _used_registers(program: Program) -> frozenset[str]:
    """Names of the registers that something stored or summed depends on."""
    used: set[str] = set()
    for item in reversed(program.instructions):
        if not item.targets or any(target.name in used for target in item.targets):
            used |= {argument.name for argument in item.arguments if isinstance(argument, Register)}
    return frozenset(used)


def _cuda_line(program: Program, item: Instruction, used: frozenset[str]) -> str:
    value = operand_text(item.arguments[0], "cuda") if item.arguments else ""
    match item.operation:
        case "parameter":
            return f"const real {item.targets[0].name} = {parameter_text(program, int(item.attributes[0]), 'cuda')};"
        case "store":
            return f"{item.attributes[0]}[AT(i, {item.attributes[1]})] = {value};"
        case "accumulate_real":
            return f"LEAF({item.attributes[0]}) = {value};"
        case "accumulate":
            return f"LEAF({len(program.sums) + int(item.attributes[0])}) = (double){value};"
        case "maximize":
            place = len(program.sums) + len(program.totals) + int(item.attributes[0])
            return f"RAISE({place}, {value});"
        case "exit_probability":
            pack = f"exit_of_{item.targets[0].name}"
            parts = zip(item.targets, ("survivors", "g", "phi", "psi"), strict=True)
            unpacked = " ".join(
                f"const real {target.name} = {pack}.{part};" for target, part in parts if target.name in used
            )
            return f"const Exit {pack} = exit_probability({value}); {unpacked}"
    target = item.targets[0]
    return f"const {_C_TYPES[target.kind]} {target.name} = {format_pattern(_CUDA[item.operation], item, 'cuda')};"

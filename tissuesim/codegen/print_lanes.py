"""Programs printed for Numba: groups of voxels side by side, so that the compiler makes vector instructions of them.

A program is cut into stages. First the columns of a group of voxels are loaded into lanes; then each stage is a loop of
fixed length over the lanes, with nothing in it but arithmetic, followed by the draws that need its results; sums and
stores come last, voxel by voxel. What one stage hands to another lies in flat arrays, a row of lanes per register. What
is the same in all voxels is computed once per group. The operations, and so the bits, are those of ``print_text``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tissuesim.codegen.instructions import (
    BOOLEAN,
    DOUBLE,
    INTEGER,
    REAL,
    Instruction,
    Operand,
    Program,
    Register,
)
from tissuesim.codegen.print_text import (
    ARGUMENTS,
    BLOCK,
    CHUNK,
    NUMBA,
    PARALLEL_FROM,
    format_pattern,
    operand_text,
    parameter_text,
)

LANES = 64
"""Voxels side by side: several of the widest vectors, few enough for all registers to stay in a core's cache."""

BLOCKS_PER_TASK = 4
"""Blocks that share one set of lanes."""

DRAWS = ("binomial", "poisson")
EFFECTS = ("store", "accumulate", "accumulate_real", "maximize")
LOADS = ("load", "volume", "inverse_volume")
_LANES_OF = {REAL: "reals", DOUBLE: "doubles", INTEGER: "whole", BOOLEAN: "truths"}


WIDE, NARROW, DRAWN = range(3)
"""What a stage is: arithmetic with 64-bit numbers in it, arithmetic without, draws. Numbers of 64 bits would halve the
lanes of a vector for all others, so they have loops of their own."""


@dataclass
class _Layout:
    """The stage of each instruction (modulo 3 it is the kind), and where registers lie that outlive theirs."""

    program: Program
    uniform: list[Instruction] = field(default_factory=list)
    loads: list[Instruction] = field(default_factory=list)
    stages: dict[int, list[Instruction]] = field(default_factory=dict)
    effects: list[Instruction] = field(default_factory=list)
    spread: list[Register] = field(default_factory=list)
    stage: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_LANES_OF.values(), 0))

    def __post_init__(self) -> None:
        for item in self.program.instructions:
            varying = [register for register in _registers(item) if register.name in self.stage]
            if varying and (item.operation == "maximize" or item.operation not in EFFECTS):
                self._put(item, varying)
            elif item.operation in EFFECTS:
                self.effects.append(item)
            elif self._is_load(item):
                self.loads.append(item)
                for target in item.targets:
                    self.stage[target.name] = -1
            else:
                self.uniform.append(item)
        self._keep_what_outlives()

    def _is_load(self, item: Instruction) -> bool:
        if item.operation == "parameter":
            return int(item.attributes[0]) in self.program.regional_parameters
        return item.operation in LOADS

    def _put(self, item: Instruction, varying: list[Register]) -> None:
        kinds = {operand.kind for operand in (*item.arguments, *item.targets)}
        kind = DRAWN if item.operation in DRAWS else WIDE if kinds & {DOUBLE, INTEGER} else NARROW
        stage = max(self.stage[register.name] for register in varying)
        if stage % 3 == DRAWN:
            stage += 1
        stage = max(stage, 0)
        while stage % 3 != kind:
            stage += 1
        self.stages.setdefault(stage, []).append(item)
        for target in item.targets:
            self.stage[target.name] = stage

    def _keep_what_outlives(self) -> None:
        for stage, items in sorted(self.stages.items()):
            for item in items:
                for register in _registers(item):
                    if self.stage.get(register.name, stage) < stage:
                        self._keep(register)
                if stage % 3 == DRAWN:
                    self._keep_all(item)
        for item in self.loads:
            self._keep_all(item)
        for item in self.effects:
            for register in _registers(item):
                if register.name in self.stage:
                    self._keep(register)

    def _keep_all(self, item: Instruction) -> None:
        """Operands and results of a draw: what is the same in all voxels is spread over a row first."""
        for register in (*_registers(item), *item.targets):
            if register.name not in self.stage and register not in self.spread:
                self.spread.append(register)
            self._keep(register)

    def _keep(self, register: Register) -> None:
        if register.name not in self.rows:
            lanes = _LANES_OF[register.kind]
            self.rows[register.name] = self.counts[lanes]
            self.counts[lanes] += 1

    def place(self, register: Register, lane: str = "k") -> str:
        """Where a register lies."""
        return f"{_LANES_OF[register.kind]}[{self.rows[register.name] * LANES} + {lane}]"


def _registers(item: Instruction) -> tuple[Register, ...]:
    return tuple(a for a in item.arguments if isinstance(a, Register))


def numba_text(program: Program) -> str:
    """Two functions: the blocks of a task, and all tasks in parallel."""
    layout = _Layout(program)
    return "\n".join([*_task(program, layout), "", "", *_whole(program), ""])


def _task(program: Program, layout: _Layout) -> list[str]:
    """Some blocks one after the other in the same lanes: ``count`` voxels from rank ``first`` on at a time."""
    size = {name: max(rows, 1) * LANES for name, rows in layout.counts.items()}
    return [
        "@njit(**OPTIONS)",
        f"def {program.name}_task(task, lanes, all_totals, all_sums, maxima, {', '.join(ARGUMENTS)}):",
        "    stream = operator << 24",
        "    draw = substep << 8",
        f"    reals, doubles = np.zeros({size['reals']}, REAL), np.zeros({size['doubles']})",
        f"    whole, truths = np.zeros({size['whole']}, np.int64), np.zeros({size['truths']}, np.bool_)",
        f"    boxes, work, words = np.zeros({LANES}, np.int64), np.zeros(WORK), np.zeros(WORDS, np.uint64)",
        f"    highest = np.zeros({max(len(program.maxima), 1) * LANES}, REAL)",
        *("    " + _line(program, item) for item in layout.uniform),
        *_spread(layout),
        f"    for block in range(task * {BLOCKS_PER_TASK}, min((task + 1) * {BLOCKS_PER_TASK}, all_sums.shape[0])):",
        "        totals, sums = all_totals[block], all_sums[block]",
        f"        last = min((block + 1) * {BLOCK}, order.size)",
        f"        for first in range(block * {BLOCK}, last, {LANES}):",
        f"            count = min({LANES}, last - first)",
        *("        " + line for line in _group(program, layout)),
        f"    for j in range({len(program.maxima)}):",
        f"        for k in range({LANES}):",
        f"            value = highest[j * {LANES} + k]",
        "            if value > maxima[task, j] or value != value:",
        "                maxima[task, j] = value",
    ]


def _spread(layout: _Layout) -> list[str]:
    if not layout.spread:
        return []
    rows = [f"        {layout.place(register)} = {register.name}" for register in layout.spread]
    return [f"    for k in range({LANES}):", *rows]


def _group(program: Program, layout: _Layout) -> list[str]:
    lines: list[str] = []
    body = [f"{layout.place(item.targets[0])} = {_loaded(program, item)}" for item in layout.loads]
    if any(stage % 3 == DRAWN for stage in layout.stages):
        body.append("boxes[k] = box_index[i]")
    if body:
        lines += [_EACH_VOXEL, _PLACE, *("        " + line for line in body)]
    for stage, items in sorted(layout.stages.items()):
        if stage % 3 == DRAWN:
            lines += ["    " + _draw(layout, item) for item in items]
        else:
            lines += _arithmetic(program, layout, stage, items)
    return lines + _effects(program, layout)


_EACH_VOXEL = "    for k in range(count):"
_PLACE = "        i = np.uint64(order[first + k])"


def _arithmetic(program: Program, layout: _Layout, stage: int, items: list[Instruction]) -> list[str]:
    """A loop over the lanes with the instructions of a stage: what they need of others is read first."""
    lines: list[str] = []
    known: set[str] = set()
    for item in items:
        for register in _registers(item):
            if layout.stage.get(register.name, stage) < stage and register.name not in known:
                known.add(register.name)
                lines.append(f"{register.name} = {layout.place(register)}")
        if item.operation == "maximize":
            lines.append(_maximize(item))
            continue
        lines.append(_line(program, item))
        lines += [f"{layout.place(t)} = {t.name}" for t in item.targets if t.name in layout.rows]
    return ["    for k in range(lanes):", *("        " + line for line in lines)]


def _maximize(item: Instruction) -> str:
    slot = f"highest[{int(item.attributes[0]) * LANES} + k]"
    value = operand_text(item.arguments[0], "numba")
    return f"{slot} = {value} if (k < count) & (({value} > {slot}) | ({value} != {value})) else {slot}"


def _draw(layout: _Layout, item: Instruction) -> str:
    """A call of a sampler on rows of lanes."""
    rows = ", ".join(_row(layout, argument) for argument in (*item.targets, *item.arguments))
    index, channel = item.attributes
    return (
        f"{item.operation}_lanes({rows}, work, words, boxes, stream | {index} << 16 | {channel}, "
        "tick, draw, key0, key1)"
    )


def _row(layout: _Layout, operand: Operand) -> str:
    if not isinstance(operand, Register) or operand.name not in layout.rows:
        kind = "np.int64" if operand.kind == INTEGER else "np.float64"
        return f"np.full({LANES}, {kind}({operand_text(operand, 'numba')}))"
    start = layout.rows[operand.name] * LANES
    return f"{_LANES_OF[operand.kind]}[{start}:{start + LANES}]"


def _effects(program: Program, layout: _Layout) -> list[str]:
    """Sums chunk by chunk, then totals and stores voxel by voxel."""
    sums = [item for item in layout.effects if item.operation == "accumulate_real"]
    totals = [item for item in layout.effects if item.operation == "accumulate"]
    stores = [item for item in layout.effects if item.operation == "store"]
    constant = [item for item in layout.effects if item.operation == "maximize"]
    lines: list[str] = []
    for item in constant:
        lines += ["    for k in range(count):", "        " + _maximize(item)]
    if sums:
        places = [int(item.attributes[0]) for item in sums]
        lines += [f"    for start in range(0, count, {CHUNK}):", *(f"        s{j} = 0.0" for j in places)]
        lines += [f"        for k in range(start, min(start + {CHUNK}, count)):"]
        lines += [f"            s{j} += {_value(layout, item)}" for j, item in zip(places, sums, strict=True)]
        lines += [f"        sums[{j}] += s{j}" for j in places]
    for item in totals:
        lines += ["    total = 0", "    for k in range(count):", f"        total += {_value(layout, item)}"]
        lines += [f"    totals[{item.attributes[0]}] += total"]
    if stores:
        lines += [_EACH_VOXEL, _PLACE]
        lines += ["        " + _store(layout, item) for item in stores]
    return lines or ["    pass"]


def _value(layout: _Layout, item: Instruction) -> str:
    operand = item.arguments[0]
    if isinstance(operand, Register) and operand.name in layout.rows:
        return layout.place(operand)
    return operand_text(operand, "numba")


def _store(layout: _Layout, item: Instruction) -> str:
    array, column = item.attributes
    return f"{array}[{'first + k' if array == 'out' else 'i'}, {column}] = {_value(layout, item)}"


def _loaded(program: Program, item: Instruction) -> str:
    if item.operation == "parameter":
        return parameter_text(program, int(item.attributes[0]), "numba")
    return format_pattern(NUMBA[item.operation], item, "numba")


def _line(program: Program, item: Instruction) -> str:
    if item.operation == "parameter":
        return f"{item.targets[0].name} = {parameter_text(program, int(item.attributes[0]), 'numba')}"
    targets = ", ".join(target.name for target in item.targets)
    return f"{targets} = {format_pattern(NUMBA[item.operation], item, 'numba')}"


def _whole(program: Program) -> list[str]:
    # a parallel index is unsigned; one type for both calls compiles once
    call = f"{program.name}_task(np.int64(task), {LANES}, totals, sums, maxima, {', '.join(ARGUMENTS)})"
    return [
        "@njit(parallel=True, **OPTIONS)",
        f"def {program.name}({', '.join(ARGUMENTS)}):",
        f"    blocks = (order.size + {BLOCK - 1}) // {BLOCK}",
        f"    tasks = (blocks + {BLOCKS_PER_TASK - 1}) // {BLOCKS_PER_TASK}",
        f"    totals = np.zeros((blocks, {len(program.totals)}), np.int64)",
        f"    sums = np.zeros((blocks, {len(program.sums)}), np.float64)",
        f"    maxima = np.zeros((tasks, {len(program.maxima)}), REAL)",
        f"    if blocks < {PARALLEL_FROM}:",
        "        for task in range(tasks):",
        f"            {call}",
        "    else:",
        "        for task in prange(tasks):",
        f"            {call}",
        "    return join_blocks(totals, sums, maxima)",
    ]

"""Straight-line programs of one voxel: the backend-neutral form every generated kernel is printed from.

An instruction does one operation on named registers (three-address code), so the order of operations is fixed by the
program and not by a compiler's reading of a formula: this is what makes the backends agree to the last bit.
Identical operations are emitted once (value numbering); that changes no result, since every operation is pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

REAL, DOUBLE, INTEGER, BOOLEAN = "real", "double", "integer", "boolean"

FAINT = 2.0**-80
"""What a step leaves of a signal (pM) or tissue state below this, 8.3e-25, is nothing. It is less than one molecule in
2e12 litres; but the tails of diffusion go on below it to subnormal numbers, which processors add ten times slower."""


@dataclass(frozen=True)
class Register:
    """A named value of one kind (real, double, integer or boolean)."""

    name: str
    kind: str


@dataclass(frozen=True)
class Literal:
    """A constant of one kind."""

    value: float | int
    kind: str


Operand = Register | Literal


@dataclass(frozen=True)
class Instruction:
    """``targets = operation(arguments)``; ``attributes`` holds what is fixed at generation (columns, channels)."""

    operation: str
    targets: tuple[Register, ...]
    arguments: tuple[Operand, ...]
    attributes: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Program:
    """One kernel: instructions, and the totals (int64), sums (float64), maxima and output columns it writes."""

    name: str
    instructions: tuple[Instruction, ...]
    totals: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    maxima: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    regional_parameters: frozenset[int] = frozenset()


@dataclass
class Builder:
    """Collects the instructions of one program; each method returns the register that holds its result."""

    name: str
    instructions: list[Instruction] = field(default_factory=list)
    totals: list[str] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)
    maxima: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    _known: dict[tuple[object, ...], tuple[Register, ...]] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)

    def emit(
        self,
        operation: str,
        kind: str,
        arguments: tuple[Operand, ...] = (),
        attributes: tuple[int | str, ...] = (),
        label: str = "",
    ) -> Register:
        """Emit an operation with one result, or return the register that already holds it."""
        return self.emit_many(operation, (kind,), arguments, attributes, (label,))[0]

    def emit_many(
        self,
        operation: str,
        kinds: tuple[str, ...],
        arguments: tuple[Operand, ...] = (),
        attributes: tuple[int | str, ...] = (),
        labels: tuple[str, ...] = (),
    ) -> tuple[Register, ...]:
        """Emit an operation with several results."""
        key = (operation, kinds, arguments, attributes)
        if key not in self._known:
            labels = labels or ("",) * len(kinds)
            targets = tuple(
                Register(self._fresh(label), kind) for label, kind in zip(labels, kinds, strict=True)
            )
            self.instructions.append(Instruction(operation, targets, arguments, attributes))
            self._known[key] = targets
        return self._known[key]

    def _fresh(self, label: str) -> str:
        stem = re.sub(r"\W", "_", label) or "t"
        number = self._names.get(stem, 0)
        self._names[stem] = number + 1
        return f"{stem}_{number}"

    # ---- arithmetic; every result is rounded to the kind of its operands
    def add(self, a: Operand, b: Operand, label: str = "") -> Operand:
        """Return a + b; adding a literal zero is left out (the terms are never -0)."""
        if isinstance(a, Literal) and a.value == 0:
            return b
        if isinstance(b, Literal) and b.value == 0:
            return a
        return self.emit("add", a.kind, (a, b), label=label)

    def subtract(self, a: Operand, b: Operand, label: str = "") -> Register:
        """Return a - b."""
        return self.emit("subtract", a.kind, (a, b), label=label)

    def multiply(self, a: Operand, b: Operand, label: str = "") -> Operand:
        """Return a * b; a literal one is left out (exact), a literal zero gives zero (all factors are finite)."""
        for one, other in ((a, b), (b, a)):
            if isinstance(one, Literal) and one.value == 1:
                return other
            if isinstance(one, Literal) and one.value == 0:
                return Literal(0, a.kind)
        return self.emit("multiply", a.kind, (a, b), label=label)

    def divide(self, a: Operand, b: Operand, label: str = "") -> Register:
        """Return a / b."""
        return self.emit("divide", a.kind, (a, b), label=label)

    def total(self, operands: list[Operand], kind: str = REAL, label: str = "") -> Operand:
        """Left-to-right sum of the operands; literal 0 for an empty list."""
        result: Operand = Literal(0, kind)
        for operand in operands:
            result = self.add(result, operand, label=label)
        return result

    def compare(self, operation: str, a: Operand, b: Operand) -> Register:
        """One of ``< <= > >= == !=``."""
        return self.emit(operation, BOOLEAN, (a, b))

    def select(self, condition: Operand, a: Operand, b: Operand, label: str = "") -> Register:
        """Return a where the condition holds, else b."""
        return self.emit("select", a.kind, (condition, a, b), label=label)

    def real(self, a: Operand) -> Operand:
        """A count or a double rounded to real."""
        return a if a.kind == REAL else self.emit("to_real", REAL, (a,))

    def double(self, a: Operand) -> Operand:
        """A real widened to float64 (exact)."""
        return a if a.kind == DOUBLE else self.emit("to_double", DOUBLE, (a,))

    # ---- effects
    def store(self, array: str, column: int, value: Operand) -> None:
        """Write a column of ``cells``, ``states`` or ``out`` for this voxel."""
        self.instructions.append(Instruction("store", (), (value,), (array, column)))

    def output(self, name: str, value: Operand) -> None:
        """Append a named float64 column of ``out``, written at the voxel's place in the canonical order."""
        self.store("out", len(self.outputs), self.double(value))
        self.outputs.append(name)

    def accumulate(self, name: str, value: Operand) -> None:
        """Add an integer to a named int64 total over all voxels."""
        if name not in self.totals:
            self.totals.append(name)
        self.instructions.append(Instruction("accumulate", (), (value,), (self.totals.index(name),)))

    def accumulate_real(self, name: str, value: Operand) -> None:
        """Add a value to a named float64 sum over all voxels, in canonical order (see ``ordered_sum``)."""
        if name not in self.sums:
            self.sums.append(name)
        self.instructions.append(
            Instruction("accumulate_real", (), (self.double(value),), (self.sums.index(name),))
        )

    def maximum(self, name: str, value: Operand) -> None:
        """Raise a named maximum over all voxels (exact in any order)."""
        if name not in self.maxima:
            self.maxima.append(name)
        self.instructions.append(Instruction("maximize", (), (value,), (self.maxima.index(name),)))

    def build(self, regional_parameters: frozenset[int]) -> Program:
        """The finished program."""
        return Program(
            self.name,
            tuple(self.instructions),
            tuple(self.totals),
            tuple(self.sums),
            tuple(self.maxima),
            tuple(self.outputs),
            regional_parameters,
        )

"""Rates of a model, lowered from expression trees to instructions of a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tissuesim.codegen.instructions import REAL, Builder, Literal, Operand
from tissuesim.model.expression import (
    Binary,
    Call,
    Compare,
    Expression,
    Name,
    Negate,
    Number,
    Power,
    factor_out,
    names,
)
from tissuesim.model.model import Model


@dataclass(frozen=True)
class Tables:
    """Where every name of a model lives: the column of its array.

    ``scalars`` are the values handed to a kernel as one row for the whole organ (pools and summaries);
    ``regional`` are the parameters whose value depends on the region (class) of the voxel.
    """

    signals: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    scalars: tuple[str, ...] = ()
    regional: frozenset[str] = frozenset()

    @property
    def regional_columns(self) -> frozenset[int]:
        """Columns of the regional parameters."""
        return frozenset(j for j, name in enumerate(self.parameters) if name in self.regional)


@dataclass
class Scope:
    """What the names of an expression stand for while a program is built.

    ``values`` are registers already known (concentrations, densities, states); definitions are lowered at first use
    and remembered, so that a sub-expression shared by many processes is computed once.
    """

    builder: Builder
    model: Model
    tables: Tables
    values: dict[str, Operand] = field(default_factory=dict)

    def with_values(self, values: Mapping[str, Operand]) -> Scope:
        """A scope at another state: definitions are evaluated anew there."""
        return Scope(self.builder, self.model, self.tables, dict(values))

    def lookup(self, name: str) -> Operand:
        """The register of a name."""
        if name not in self.values:
            self.values[name] = self._load(name)
        return self.values[name]

    def _load(self, name: str) -> Operand:
        tables = self.tables
        if name in self.model.definitions:
            return self.lower(self.model.definitions[name].expression, name)
        for array, columns in (("signals", tables.signals), ("states", tables.states), ("maps", tables.maps)):
            if name in columns:
                return self.builder.emit("load", REAL, (), (array, columns.index(name)), name)
        if name in tables.scalars:
            return self.builder.emit("scalar", REAL, (), (tables.scalars.index(name),), name)
        if name in tables.parameters:
            return self.builder.emit("parameter", REAL, (), (tables.parameters.index(name),), name)
        raise KeyError(f"'{name}' has no place in this program")

    def lower(self, tree: Expression, label: str = "") -> Operand:
        """The register that holds the value of an expression, in real arithmetic."""
        build = self.builder
        match tree:
            case Number(value):
                return Literal(float(value), REAL)
            case Name(id=name):
                return self.lookup(name)
            case Negate(operand):
                inner = self.lower(operand)
                if isinstance(inner, Literal):
                    return Literal(-inner.value, REAL)
                return build.emit("negate", REAL, (inner,), label=label)
            case Binary(op, left, right):
                a, b = self.lower(left), self.lower(right)
                operation = {"+": build.add, "-": build.subtract, "*": build.multiply, "/": build.divide}[op]
                return operation(a, b, label)
            case Power(base, exponent):
                return self._power(self.lower(base), exponent, label)
            case Compare(op, left, right):
                return build.compare(op, self.lower(left), self.lower(right))
            case Call(function, arguments):
                return self._call(function, [self.lower(argument) for argument in arguments], label)
        raise TypeError(f"cannot lower {type(tree).__name__}")

    def _power(self, base: Operand, exponent: int, label: str) -> Operand:
        result: Operand = Literal(1.0, REAL)
        for _ in range(exponent):
            result = self.builder.multiply(result, base, label)
        return result

    def _call(self, function: str, a: list[Operand], label: str) -> Operand:
        build = self.builder
        if function == "sqrt":
            return build.emit("sqrt", REAL, (a[0],), label=label)
        if function == "where":
            return build.select(a[0], a[1], a[2], label)
        if function in ("min", "max"):
            # generated as a comparison and a choice: the libraries' own differ on -0 and NaN
            result = a[0]
            for other in a[1:]:
                first = build.compare("<" if function == "min" else ">", result, other)
                result = build.select(first, result, other, label)
            return result
        if function == "clip":
            low, high = a[1], a[2]
            raised = build.select(build.compare("<", a[0], low), low, a[0])
            return build.select(build.compare(">", raised, high), high, raised, label)
        if function == "mm":
            return build.divide(a[0], build.add(a[1], a[0]), label)
        if function == "hill":
            exponent = a[2]
            assert isinstance(exponent, Literal)
            top = self._power(a[0], int(exponent.value), "")
            half = self._power(a[1], int(exponent.value), "")
            return build.divide(top, build.add(half, top), label)
        raise KeyError(function)

    def hazard(self, process: str, consumed: str, density: Operand) -> Operand:
        """Rate per consumed cell, ``rate / consumed`` [1/day].

        The consumed field is taken out of the rate as a factor where it is one; otherwise the quotient is formed,
        and is zero where there is nothing to consume.
        """
        rate = self.model.processes[process].rate
        for tree in (rate, self.model.expand(rate)):
            rest = factor_out(tree, consumed)
            if rest is not None:
                return self.lower(rest, f"hazard_{process}")
        zero = Literal(0.0, REAL)
        present = self.builder.compare(">", density, zero)
        quotient = self.builder.divide(self.lower(rate), density)
        return self.builder.select(present, quotient, zero, f"hazard_{process}")


def used_names(model: Model, trees: list[Expression]) -> frozenset[str]:
    """Every name the trees use, definitions followed."""
    seen: set[str] = set()
    for tree in trees:
        seen |= names(model.expand(tree))
    return frozenset(seen)

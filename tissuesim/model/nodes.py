"""The nodes of an expression tree: frozen, hashable, and nothing that can run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from tissuesim.errors import InputError

FUNCTIONS: dict[str, tuple[int, int]] = {
    "sqrt": (1, 1),
    "min": (2, 8),
    "max": (2, 8),
    "clip": (3, 3),
    "hill": (2, 3),
    "mm": (2, 2),
    "where": (3, 3),
}
"""Smallest and largest number of arguments of each function of the language."""

LARGEST_POWER = 8


class Expression:
    """Base class of the nodes."""

    __slots__ = ()

    def __str__(self) -> str:
        from tissuesim.model.text import to_text

        return to_text(self)


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A finite literal; its unit is 1, except that 0 fits every unit."""

    value: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.value))
        if not math.isfinite(self.value):
            raise InputError(f"{self.value} is not a finite number")

    __str__ = Expression.__str__


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A signal, cell type, state, pool, map, summary, definition or parameter."""

    id: str

    __str__ = Expression.__str__


@dataclass(frozen=True, slots=True)
class Negate(Expression):
    """Unary minus."""

    operand: Expression

    __str__ = Expression.__str__


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """``left op right`` with op one of ``+ - * /``."""

    op: str
    left: Expression
    right: Expression

    OPERATORS: ClassVar[tuple[str, ...]] = ("+", "-", "*", "/")

    def __post_init__(self) -> None:
        if self.op not in self.OPERATORS:
            raise InputError(f"'{self.op}' is not one of + - * /")

    __str__ = Expression.__str__


@dataclass(frozen=True, slots=True)
class Power(Expression):
    """``base`` to a whole power from 0 to 8."""

    base: Expression
    exponent: int

    def __post_init__(self) -> None:
        if type(self.exponent) is not int or not 0 <= self.exponent <= LARGEST_POWER:
            raise InputError(
                f"an exponent is a whole number from 0 to {LARGEST_POWER}, not {self.exponent!r}"
            )

    __str__ = Expression.__str__


@dataclass(frozen=True, slots=True)
class Compare(Expression):
    """``left op right``, a condition; it stands only as the first argument of ``where``."""

    op: str
    left: Expression
    right: Expression

    OPERATORS: ClassVar[tuple[str, ...]] = ("<", "<=", ">", ">=", "==", "!=")

    def __post_init__(self) -> None:
        if self.op not in self.OPERATORS:
            raise InputError(f"'{self.op}' is not one of {' '.join(self.OPERATORS)}")

    __str__ = Expression.__str__


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function of the language; ``hill`` always carries its third argument, a whole Number from 1 to 8."""

    function: str
    arguments: tuple[Expression, ...]

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise InputError(f"'{self.function}' is not one of the functions {' '.join(FUNCTIONS)}")

    __str__ = Expression.__str__


def children(tree: Expression) -> tuple[Expression, ...]:
    """Return the operands of a node, in the order they are written."""
    match tree:
        case Negate(operand):
            return (operand,)
        case Binary(_, left, right) | Compare(_, left, right):
            return (left, right)
        case Power(base, _):
            return (base,)
        case Call(_, arguments):
            return arguments
    return ()


def rebuild(tree: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return the same node with ``change`` applied to each operand."""
    match tree:
        case Negate(operand):
            return Negate(change(operand))
        case Binary(op, left, right):
            return Binary(op, change(left), change(right))
        case Compare(op, left, right):
            return Compare(op, change(left), change(right))
        case Power(base, exponent):
            return Power(change(base), exponent)
        case Call(function, arguments):
            return Call(function, tuple(change(argument) for argument in arguments))
    return tree


def size(tree: Expression) -> int:
    """Return the number of nodes."""
    count, waiting = 0, [tree]
    while waiting:
        count += 1
        waiting.extend(children(waiting.pop()))
    return count


def depth(tree: Expression) -> int:
    """Return the number of nodes from the root to the farthest leaf."""
    level, deepest = [tree], 0
    while level:
        deepest += 1
        level = [child for node in level for child in children(node)]
    return deepest

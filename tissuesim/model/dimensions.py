"""Units of expressions: what an expression measures follows from the units of its names.

Literals are pure numbers, except that a literal 0 fits every unit; ``None`` stands for its unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tissuesim.errors import InputError
from tissuesim.model.nodes import Binary, Call, Compare, Expression, Name, Negate, Number, Power
from tissuesim.model.text import to_text
from tissuesim.units import ONE, Dimension

if TYPE_CHECKING:
    from tissuesim.model.model import Model


def dimensions_of_names(model: Model) -> dict[str, Dimension]:
    """Return the dimension of every name of the model, definitions and summaries included."""
    from tissuesim.model.model import in_order

    known: dict[str, Dimension | None] = {}
    for parts in (model.signals, model.cells, model.states, model.pools, model.maps, model.parameters):
        for part in parts.values():
            known[part.name] = part.dimension
    trees = {f"definitions.{name}": part.expression for name, part in model.definitions.items()}
    trees |= {f"summaries.{name}": part.expression for name, part in model.summaries.items()}
    for name in in_order({path.partition(".")[2]: tree for path, tree in trees.items()}, "definitions"):
        if name in model.definitions:
            known[name] = infer(model.definitions[name].expression, known, f"definitions.{name}")
        else:
            summary = model.summaries[name]
            inside = infer(summary.expression, known, f"summaries.{name}") or ONE
            known[name] = summary.dimension_from(inside)
    return {name: ONE if dimension is None else dimension for name, dimension in known.items()}


def infer(tree: Expression, known: Mapping[str, Dimension | None], where: str) -> Dimension | None:
    """Return the dimension of a tree (None for a literal zero); InputError at ``where`` on a clash."""
    return _Inference(known, where).of(tree)


def require(
    tree: Expression, wanted: Dimension, known: Mapping[str, Dimension | None], where: str, what: str
) -> None:
    """Raise InputError unless the tree is in ``wanted``; ``what`` says why it has to be."""
    found = infer(tree, known, where)
    if found is not None and found != wanted:
        raise InputError(f"{where}: '{shorten(tree)}' is in {found}, but {what} is in {wanted}")


def shorten(tree: Expression) -> str:
    """Return the text of a tree, cut to fit into a sentence."""
    text = to_text(tree)
    return text if len(text) <= 80 else f"{text[:77]}..."


class _Inference:
    def __init__(self, known: Mapping[str, Dimension | None], where: str) -> None:
        self.known = known
        self.where = where

    def of(self, tree: Expression) -> Dimension | None:
        match tree:
            case Number(value):
                return ONE if value else None
            case Name(identifier):
                return self.known[identifier]
            case Negate(operand):
                return self.of(operand)
            case Binary("*", left, right):
                a, b = self.of(left), self.of(right)
                return None if a is None or b is None else a * b
            case Binary("/", left, right):
                return self.quotient(tree, self.of(left), self.of(right))
            case Binary(op, left, right):
                return self.same(tree, f"both sides of '{op}'", left, right)
            case Compare(op, left, right):
                self.same(tree, f"both sides of '{op}'", left, right)
                return ONE
            case Power(base, exponent):
                inner = self.of(base)
                return None if inner is None else inner**exponent
            case Call(function, arguments):
                return self.call(tree, function, arguments)
        raise TypeError(f"{type(tree).__name__} is not a node of the language")

    def call(self, tree: Expression, function: str, arguments: tuple[Expression, ...]) -> Dimension | None:
        match function:
            case "sqrt":
                inner = self.of(arguments[0])
                try:
                    return None if inner is None else inner.sqrt()
                except InputError as error:
                    raise InputError(f"{self.where}: '{shorten(tree)}': {error}") from None
            case "hill" | "mm":
                self.same(tree, f"x and K of {function}", *arguments[:2])
                return ONE
            case "where":
                self.of(arguments[0])
                return self.same(tree, "both values of where", *arguments[1:])
        return self.same(tree, f"all arguments of {function}", *arguments)

    def quotient(
        self, tree: Expression, above: Dimension | None, below: Dimension | None
    ) -> Dimension | None:
        if below is None:
            raise InputError(f"{self.where}: '{shorten(tree)}' divides by zero")
        return None if above is None else above / below

    def same(self, tree: Expression, what: str, *operands: Expression) -> Dimension | None:
        """Return the one dimension of all operands, zeros left aside."""
        first: tuple[Expression, Dimension] | None = None
        for operand in operands:
            found = self.of(operand)
            if found is None:
                continue
            if first is not None and found != first[1]:
                raise InputError(
                    f"{self.where}: {what} need the same unit, but in '{shorten(tree)}' "
                    f"'{shorten(first[0])}' is in {first[1]} and '{shorten(operand)}' in {found}"
                )
            first = first or (operand, found)
        return None if first is None else first[1]

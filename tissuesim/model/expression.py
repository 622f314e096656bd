"""The expression language: the door to its nodes and to what can be done with a tree.

A tree is parsed (`parse`), printed (`to_text`, `to_latex`), computed (`evaluate`) and rearranged (`names`,
`substitute`, `factor_out`); code generation reads the nodes. See `parser` for the grammar.
"""

from __future__ import annotations

from collections.abc import Mapping

from tissuesim.model.evaluate import evaluate
from tissuesim.model.latex import to_latex
from tissuesim.model.nodes import (
    FUNCTIONS,
    LARGEST_POWER,
    Binary,
    Call,
    Compare,
    Expression,
    Name,
    Negate,
    Number,
    Power,
    children,
    depth,
    rebuild,
    size,
)
from tissuesim.model.parser import DEEPEST_TREE, LONGEST_TEXT, MOST_NODES, parse
from tissuesim.model.text import to_text

__all__ = [
    "DEEPEST_TREE",
    "FUNCTIONS",
    "LARGEST_POWER",
    "LONGEST_TEXT",
    "MOST_NODES",
    "Binary",
    "Call",
    "Compare",
    "Expression",
    "Name",
    "Negate",
    "Number",
    "Power",
    "children",
    "depth",
    "evaluate",
    "factor_out",
    "names",
    "parse",
    "size",
    "substitute",
    "to_latex",
    "to_text",
]


def names(tree: Expression) -> frozenset[str]:
    """Return every name the tree uses."""
    found, waiting = set(), [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            found.add(node.id)
        waiting.extend(children(node))
    return frozenset(found)


def substitute(tree: Expression, mapping: Mapping[str, Expression]) -> Expression:
    """Return the tree with each name in ``mapping`` replaced by its tree; what is put in stays as it is."""
    if isinstance(tree, Name):
        return mapping.get(tree.id, tree)
    return rebuild(tree, lambda child: substitute(child, mapping))


def factor_out(tree: Expression, name: str) -> Expression | None:
    """Return the tree with exactly one factor ``name`` removed, or None if ``name`` is not a factor of it.

    Factors are looked for in products, in the numerator of quotients, under a unary minus and in whole powers
    of the name itself; nothing is expanded or reordered. ``factor_out(a * n, "n")`` is ``a``.
    """
    match tree:
        case Name(identifier) if identifier == name:
            return Number(1.0)
        case Power(Name(identifier), exponent) if identifier == name and exponent >= 1:
            lowered = {1: Number(1.0), 2: Name(name)}
            return lowered.get(exponent, Power(Name(name), exponent - 1))
        case Negate(operand):
            rest = factor_out(operand, name)
            return None if rest is None else Negate(rest)
        case Binary("*", left, right):
            if (rest := factor_out(left, name)) is not None:
                return right if rest == Number(1.0) else Binary("*", rest, right)
            if (rest := factor_out(right, name)) is not None:
                return left if rest == Number(1.0) else Binary("*", left, rest)
        case Binary("/", left, right):
            rest = factor_out(left, name)
            return None if rest is None else Binary("/", rest, right)
    return None

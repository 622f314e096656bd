"""Tree to text. ``parse(to_text(tree)) == tree`` for every tree the parser can build."""

from __future__ import annotations

from tissuesim.model.nodes import Binary, Call, Compare, Expression, Name, Negate, Number, Power

_LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2}
_SIGN, _POWER, _ATOM = 3, 4, 5


def to_text(tree: Expression) -> str:
    """Return the expression as text of the language, with as few brackets as its structure allows."""
    return _write(tree)[0]


def number_text(value: float) -> str:
    """Return the shortest decimal text of a float, without a trailing ``.0``."""
    return repr(value).removesuffix(".0")


def _write(tree: Expression) -> tuple[str, int]:
    """Return the text and how tightly its outermost operator binds."""
    match tree:
        case Number(value):
            # A negative literal (only code can make one) reads back as minus its absolute value.
            return number_text(value), _SIGN if value < 0 else _ATOM
        case Name(identifier):
            return identifier, _ATOM
        case Negate(operand):
            return "-" + _bracket(operand, _POWER), _SIGN
        case Binary(op, left, right):
            level = _LEVEL[op]
            # Left to right, so the right operand is bracketed at equal level; a sign there reads badly bare.
            right_level = _POWER if _signed(right) else level + 1
            return (
                f"{_bracket(left, level)} {op} {_bracket(right, right_level)}",
                level,
            )
        case Power(base, exponent):
            return f"{_bracket(base, _ATOM)}^{exponent}", _POWER
        case Compare(op, left, right):
            return f"{_bracket(left, 1)} {op} {_bracket(right, 1)}", 0
        case Call("hill", (x, half, Number(1.0))):
            return f"hill({to_text(x)}, {to_text(half)})", _ATOM
        case Call(function, arguments):
            return f"{function}({', '.join(to_text(argument) for argument in arguments)})", _ATOM
    raise TypeError(f"{type(tree).__name__} is not a node of the language")


def _signed(tree: Expression) -> bool:
    return isinstance(tree, Negate) or (isinstance(tree, Number) and tree.value < 0)


def _bracket(tree: Expression, level: int) -> str:
    text, own = _write(tree)
    return text if own >= level else f"({text})"

"""Tree to LaTeX, for the equations of the documentation and the report."""

from __future__ import annotations

from collections.abc import Mapping

from tissuesim.model.nodes import Binary, Call, Compare, Expression, Name, Negate, Number, Power
from tissuesim.model.text import number_text

_SMALL = (
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "mu",
    "nu",
    "xi",
)
_LARGE = ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega")
_GREEK = frozenset((*_SMALL, "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", *_LARGE))
_COMPARE = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = 1, 2, 3, 4, 5


def to_latex(tree: Expression, symbols: Mapping[str, str] | None = None) -> str:
    r"""Return LaTeX math of the tree; ``symbols`` gives the LaTeX of a name, `symbol` of all others.

    ``hill(x, K, n)`` is written as ``H_n(x; K)`` and ``mm(x, K)`` as ``H(x; K)``.
    """
    return _write(tree, symbols or {})[0]


def factor_latex(tree: Expression) -> str:
    r"""Return LaTeX of the tree as it can stand behind a sign or a coefficient: sums get brackets."""
    text, level = _write(tree, {})
    return text if level >= _PRODUCT and not text.startswith("-") else rf"\left({text}\right)"


def symbol(name: str) -> str:
    r"""Return the LaTeX of a name: ``rho`` is a Greek letter, ``K_P`` has an index, others stand upright."""
    head, _, index = name.partition("_")
    head_text = f"\\{head}" if head in _GREEK else head if len(head) == 1 else ""
    if not head_text:
        return r"\mathrm{" + name.replace("_", r"\_") + "}"
    return head_text + (r"_{\mathrm{" + index.replace("_", r"\_") + "}}" if index else "")


def number_latex(value: float) -> str:
    r"""Return a number, powers of ten written out: ``1.5 \times 10^{-7}``."""
    text = number_text(value) if 1e-3 <= abs(value) < 1e5 or not value else f"{value:.15e}"
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if exponent else mantissa
    if not exponent:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \times {power}"


def _write(tree: Expression, symbols: Mapping[str, str]) -> tuple[str, int]:
    """Return LaTeX and how tightly its outermost operator binds."""

    def plain(part: Expression) -> str:
        return _write(part, symbols)[0]

    def bracket(part: Expression, level: int) -> str:
        text, own = _write(part, symbols)
        return text if own >= level else rf"\left({text}\right)"

    match tree:
        case Number(value):
            text = number_latex(value)
            return text, _SIGN if value < 0 else _PRODUCT if "10^" in text else _ATOM
        case Name(identifier):
            return symbols.get(identifier, symbol(identifier)), _ATOM
        case Negate(operand):
            return f"-{bracket(operand, _POWER)}", _SIGN
        case Binary("/", left, right):
            return rf"\frac{{{plain(left)}}}{{{plain(right)}}}", _POWER
        case Binary("*", left, right):
            second = bracket(right, _POWER)
            dot = r"\cdot" if second[0].isdigit() else r"\,"
            return f"{bracket(left, _PRODUCT)} {dot} {second}", _PRODUCT
        case Binary(op, left, right):
            signed = plain(right).startswith("-")
            return f"{bracket(left, _SUM)} {op} {bracket(right, _ATOM if signed else _PRODUCT)}", _SUM
        case Power(base, exponent):
            return f"{bracket(base, _ATOM)}^{{{exponent}}}", _POWER
        case Compare(op, left, right):
            return f"{plain(left)} {_COMPARE[op]} {plain(right)}", 0
        case Call(function, arguments):
            return _call(function, [plain(argument) for argument in arguments]), _ATOM
    raise TypeError(f"{type(tree).__name__} is not a node of the language")


def _call(function: str, arguments: list[str]) -> str:
    match function:
        case "sqrt":
            return rf"\sqrt{{{arguments[0]}}}"
        case "mm":
            return rf"H\left({arguments[0]};\, {arguments[1]}\right)"
        case "hill":
            index = "" if arguments[2] == "1" else f"_{{{arguments[2]}}}"
            return rf"H{index}\left({arguments[0]};\, {arguments[1]}\right)"
        case "where":
            condition, yes, no = arguments
            return rf"\begin{{cases}} {yes} & {condition} \\ {no} & \text{{otherwise}} \end{{cases}}"
        case "min" | "max":
            return rf"\{function}\left({', '.join(arguments)}\right)"
    return rf"\operatorname{{{function}}}\left({', '.join(arguments)}\right)"

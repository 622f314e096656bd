"""Units at the border: text with units in, canonical floats inside.

Canonical units are mm, day, cell, amol and mg, so a concentration in pM (amol/mm^3) needs no factor.
Unit texts are read by a small grammar of our own; pint only knows what one unit name is worth. It is asked in
exact fractions, so ``0.4 mm^2/day`` is the float 0.4 and nothing else.
"""

from __future__ import annotations

import math
import re
from dataclasses import astuple, dataclass
from fractions import Fraction
from functools import lru_cache
from numbers import Real
from typing import Any

from tissuesim.errors import InputError, nearest

USUAL_UNITS = (
    *("mm", "um", "nm", "cm", "m", "L", "dL", "mL", "uL", "nL", "pL", "fL"),
    *("s", "min", "hour", "day", "week", "month", "year", "cell"),
    *("mol", "mmol", "umol", "nmol", "pmol", "fmol", "amol", "M", "mM", "uM", "nM", "pM", "fM"),
    *("kg", "g", "mg", "ug", "ng", "pg", "percent"),
)
"""Names offered as the nearest valid one; pint knows many more."""

LARGEST_EXPONENT = 9
LONGEST_TEXT = 200

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-zµμ%][A-Za-zµμ_]*)|(?P<power>\*\*|\^)|(?P<int>-?\d+)|(?P<op>[*/()·]))"
)


@dataclass(frozen=True, slots=True)
class Dimension:
    """Exponents of the canonical units; ``str()`` is a unit text that reads back as the same dimension."""

    length: int = 0
    time: int = 0
    cell: int = 0
    substance: int = 0
    mass: int = 0

    def __mul__(self, other: Dimension) -> Dimension:
        """Return the dimension of a product."""
        return Dimension(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __truediv__(self, other: Dimension) -> Dimension:
        """Return the dimension of a quotient."""
        return Dimension(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __pow__(self, exponent: int) -> Dimension:
        """Return the dimension of an integer power."""
        return Dimension(*(a * exponent for a in astuple(self)))

    def sqrt(self) -> Dimension:
        """Return the dimension of a square root; InputError where an exponent is odd."""
        if any(a % 2 for a in astuple(self)):
            raise InputError(f"the square root of {self} is no unit: an exponent is odd")
        return Dimension(*(a // 2 for a in astuple(self)))

    @property
    def dimensionless(self) -> bool:
        """True for a pure number."""
        return not any(astuple(self))

    def __str__(self) -> str:
        """Return the canonical unit text, such as ``cell/mm^3/day``, ``pM/day`` or ``1``."""
        powers = {
            "cell": self.cell,
            "amol": self.substance,
            "mg": self.mass,
            "mm": self.length,
            "day": self.time,
        }
        if self.substance and self.length == -3 * self.substance:  # a concentration and nothing left over
            powers = {"cell": self.cell, "pM": self.substance, "mg": self.mass, "day": self.time}
        above = [_power_text(name, power) for name, power in powers.items() if power > 0]
        below = [_power_text(name, -power) for name, power in powers.items() if power < 0]
        return "/".join(["*".join(above) or "1", *below])


ONE = Dimension()
VOLUME = Dimension(length=3)
PER_DAY = Dimension(time=-1)
CELL_DENSITY = Dimension(cell=1, length=-3)
CONCENTRATION = Dimension(substance=1, length=-3)
DIFFUSIVITY = Dimension(length=2, time=-1)


def dimension_of(unit: str) -> Dimension:
    """Return the dimension of a unit text such as ``1/day``; InputError where it cannot be read."""
    return _unit(unit)[1]


def factor(unit: str) -> float:
    """Return how many canonical units one ``unit`` is: canonical value = displayed value * this."""
    return float(_unit(unit)[0])


def parse_quantity(value: object) -> tuple[float, Dimension]:
    """Return (canonical float, dimension) of ``"30 um^2/s"``; plain numbers, also as text, are pure."""
    if isinstance(value, str):
        number, unit = _split(value)
    elif isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{_short(value)} is not a quantity: give a number and a unit, such as '0.5 1/day'")
    else:
        number, unit = _finite(value, value), "1"
    scale, dimension = _unit(unit)
    # repr() of a float is its shortest decimal reading, which as a fraction meets the exact unit factor.
    return _finite(Fraction(repr(number)) * scale, value), dimension


def quantity(value: object, unit: str, where: str = "") -> float:
    """Return ``value`` as a canonical float after checking that it has the dimension of ``unit``.

    ``where`` is the path of the key, put in front of the message of the InputError. A number without a unit
    is accepted only where ``unit`` is dimensionless.
    """
    place = f"{where}: " if where else ""
    wanted = dimension_of(unit)
    try:
        number, dimension = parse_quantity(value)
    except InputError as error:
        raise InputError(f"{place}{error}") from None
    if dimension == wanted:
        return number
    if dimension.dimensionless:
        raise InputError(f"{place}{value!r} has no unit; give it in {unit}, such as '{number:g} {unit}'")
    raise InputError(f"{place}{value!r} is in {dimension}, but {unit} is needed")


def _power_text(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _finite(number: Any, shown: object) -> float:
    try:
        result = float(number)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise InputError(f"{_short(shown)} is not a finite number")
    return result


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _split(text: str) -> tuple[float, str]:
    """Return the leading number and the unit text behind it (``1/day`` is 1 and the unit 1/day)."""
    stripped = text.strip()
    match = _NUMBER.match(stripped)
    if match is None or len(stripped) > LONGEST_TEXT:
        raise InputError(f"{_short(text)} is not a quantity: give a number and a unit, such as '0.5 1/day'")
    unit = stripped[match.end() :].strip()
    if unit.startswith("/"):
        unit = "1" + unit
    return _finite(match.group(), text), unit or "1"


@lru_cache(maxsize=1)
def _registry() -> Any:
    """Return the one pint registry, with ``cell`` as a base unit and exact fractions."""
    import pint

    registry: Any = pint.UnitRegistry(non_int_type=Fraction)
    registry.define("cell = [cell]")
    return registry


# What pint calls a dimension -> (field of Dimension, canonical units per SI base unit).
_AXES = {
    "[length]": ("length", Fraction(10**3)),
    "[time]": ("time", Fraction(1, 86400)),
    "[cell]": ("cell", Fraction(1)),
    "[substance]": ("substance", Fraction(10**18)),
    "[mass]": ("mass", Fraction(10**6)),
}


# Units of the clock and the calendar, which nobody writes with a prefix: 'hh' is a slip and no hundred hours.
_CALENDAR = {"minute", "hour", "day", "week", "month", "year"}


@lru_cache(maxsize=1024)
def _named_unit(name: str) -> tuple[Fraction, Dimension]:
    """Return what one unit name is worth: (canonical factor, dimension)."""
    registry = _registry()
    try:
        base = registry.Quantity(Fraction(1), name).to_base_units()
        scale, axes = Fraction(base.magnitude), dict(base.dimensionality)
    except Exception:  # pint raises many kinds of errors, and each of them means: not a unit we can use
        raise InputError(f"unknown unit '{name}'{nearest(name, USUAL_UNITS)}") from None
    prefix, unit, _ = registry.parse_unit_name(name)[0]
    if prefix and unit in _CALENDAR:
        raise InputError(f"unknown unit '{name}' ({prefix}{unit} is not in use){nearest(name, USUAL_UNITS)}")
    if not set(axes) <= set(_AXES):
        raise InputError(f"unit '{name}' measures neither length, time, cells, substance nor mass")
    exponents = {}
    for axis, power in axes.items():
        field, ratio = _AXES[axis]
        if int(power) != power:
            raise InputError(f"unit '{name}' has a fractional power of {field}")
        exponents[field] = int(power)
        scale *= ratio ** int(power)
    return scale, Dimension(**exponents)


@lru_cache(maxsize=4096)
def _unit(text: str) -> tuple[Fraction, Dimension]:
    """Return (canonical factor, dimension) of a unit text."""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise InputError(f"{_short(text)} is not a unit text such as 'mm^2/day'")
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise InputError(f"unit '{text}': cannot read '{text[position:].strip()}'")
        tokens.append((match.lastgroup, match.group().strip()))
        position = match.end()
    reader = _UnitReader(text, tokens)
    result = reader.product()
    if reader.tokens:
        raise InputError(f"unit '{text}': '{reader.tokens[0][1]}' is not expected there")
    return result


class _UnitReader:
    """Recursive descent over a unit text.

    product = factor {("*" | "/" | blank) factor}
    factor  = (name | "1" | "(" product ")") ["^" whole number]
    """

    def __init__(self, text: str, tokens: list[tuple[str | None, str]]) -> None:
        self.text = text
        self.tokens = tokens

    def fail(self, why: str) -> InputError:
        return InputError(f"unit '{self.text}': {why}")

    def product(self) -> tuple[Fraction, Dimension]:
        scale, dimension = self.factor()
        divided = False
        while self.tokens and self.tokens[0][1] != ")":
            kind, symbol = self.tokens[0]
            if kind == "op" and symbol in "*/·":
                self.tokens.pop(0)
                divided = divided or symbol == "/"
            elif divided:  # is 'a/b c' a/b*c or a/(b c)? Readers differ, so we do not guess.
                raise self.fail(
                    "a blank after '/' can be read in two ways; write '/' or '*' before each name"
                )
            else:
                symbol = "*"
            other_scale, other = self.factor()
            if symbol == "/":
                scale, dimension = scale / other_scale, dimension / other
            else:
                scale, dimension = scale * other_scale, dimension * other
        return scale, dimension

    def factor(self) -> tuple[Fraction, Dimension]:
        if not self.tokens:
            raise self.fail("a unit name is missing at the end" if self.text.strip() else "the text is empty")
        kind, symbol = self.tokens.pop(0)
        if kind == "name":
            value = _named_unit(symbol)
        elif symbol == "1":
            value = Fraction(1), ONE
        elif symbol == "(":
            value = self.product()
            if not self.tokens or self.tokens.pop(0)[1] != ")":
                raise self.fail("a bracket is not closed")
        else:
            raise self.fail(f"'{symbol}' is not a unit name")
        if not self.tokens or self.tokens[0][0] != "power":
            return value
        self.tokens.pop(0)
        kind, symbol = self.tokens.pop(0) if self.tokens else (None, "")
        if kind != "int" or abs(int(symbol)) > LARGEST_EXPONENT:
            raise self.fail(f"an exponent is a whole number from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}")
        return value[0] ** int(symbol), value[1] ** int(symbol)

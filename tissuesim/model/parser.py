"""Text to tree: a recursive descent over a small grammar. Nothing from a file is ever evaluated.

condition  = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]        only inside where(...)
sum        = product {("+" | "-") product}
product    = signed {("*" | "/") signed}
signed     = "-" signed | power
power      = atom [("**" | "^") whole number from 0 to 8]
atom       = number | name | function "(" argument {"," argument} ")" | "(" sum ")"
"""

from __future__ import annotations

import math
import re
from keyword import kwlist

from tissuesim.errors import InputError, nearest
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
    depth,
    size,
)

LONGEST_TEXT = 4000
LONGEST_WORD = 64
MOST_NODES = 400
DEEPEST_TREE = 40

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<symbol>\*\*|<=|>=|==|!=|[-+*/^()<>,])",
    re.ASCII,
)
_BLANK = re.compile(r"[ \t\r\n]*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_RESERVED = frozenset(kwlist) | {"true", "false", "null", "none", "nan", "inf", "infinity"}


def check_name(name: object, where: str = "") -> str:
    """Return ``name`` if it can name a part of a model, else raise InputError."""
    place = f"{where}: " if where else ""
    fits = isinstance(name, str) and len(name) <= LONGEST_WORD and _NAME.fullmatch(name) and "__" not in name
    if not isinstance(name, str) or not fits:
        raise InputError(
            f"{place}{name!r:.80} cannot be a name; a name starts with a letter, goes on with letters, "
            f"digits and single underscores, and has at most {LONGEST_WORD} characters"
        )
    if name in FUNCTIONS or name in _RESERVED or name.lower() in _RESERVED:
        raise InputError(f"{place}'{name}' is a reserved word and cannot be a name")
    return name


def parse(text: str | float, where: str = "") -> Expression:
    """Return the tree of ``text``; InputError, beginning with the path ``where``, if there is none.

    Python numbers are read as literals, so that ``initial: 0`` in a YAML file needs no quotes.
    """
    place = f"{where}: " if where else ""
    if isinstance(text, int | float) and not isinstance(text, bool):
        text = repr(text)
    if not isinstance(text, str):
        raise InputError(f"{place}{text!r:.80} is not an expression; write it as text")
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"{place}an expression has at most {LONGEST_TEXT} characters, this one has {len(text)}"
        )
    try:
        tree = _Parser(text).whole()
    except InputError as error:
        shown = " ".join(text.split())
        raise InputError(f"{place}'{shown if len(shown) <= 80 else shown[:77] + '...'}': {error}") from None
    if size(tree) > MOST_NODES:
        raise InputError(f"{place}an expression has at most {MOST_NODES} nodes; split it with definitions")
    if depth(tree) > DEEPEST_TREE:
        raise InputError(
            f"{place}an expression is nested at most {DEEPEST_TREE} deep; split it with definitions"
        )
    return tree


def _tokens(text: str) -> list[tuple[str, str]]:
    """Return (kind, text) pairs; kinds are number, name, symbol."""
    found, position = [], _BLANK.match(text).end()  # type: ignore[union-attr]  # it matches the empty string
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InputError(f"the character {text[position]!r} is not part of the language")
        if len(match.group()) > LONGEST_WORD:
            raise InputError(f"'{match.group()[:20]}...' is longer than {LONGEST_WORD} characters")
        found.append((str(match.lastgroup), match.group()))
        position = _BLANK.match(text, match.end()).end()  # type: ignore[union-attr]
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.position = 0
        self.level = 0

    @property
    def next(self) -> str:
        return self.tokens[self.position][1] if self.position < len(self.tokens) else ""

    def take(self, *symbols: str) -> str:
        """Return the next token and step over it if it is one of ``symbols``, else return ''."""
        token = self.next
        if token not in symbols or not token:
            return ""
        self.position += 1
        return token

    def need(self, symbol: str) -> None:
        if not self.take(symbol):
            raise InputError(f"'{symbol}' is missing before {self.shown()}")

    def shown(self) -> str:
        return f"'{self.next}'" if self.next else "the end"

    def whole(self) -> Expression:
        if not self.tokens:
            raise InputError("the expression is empty")
        tree = self.sum()
        if self.next in Compare.OPERATORS:
            raise InputError("a comparison stands only as the first argument of where(condition, a, b)")
        if self.next:
            raise InputError(f"{self.shown()} is not expected there")
        return tree

    def condition(self) -> Compare:
        left = self.sum()
        op = self.take(*Compare.OPERATORS)
        if not op:
            raise InputError("the first argument of where is a comparison, such as x > 0")
        right = self.sum()
        if self.next in Compare.OPERATORS:
            raise InputError("comparisons cannot be chained")
        return Compare(op, left, right)

    def sum(self) -> Expression:
        tree = self.product()
        while op := self.take("+", "-"):
            tree = Binary(op, tree, self.product())
        return tree

    def product(self) -> Expression:
        tree = self.signed()
        while op := self.take("*", "/"):
            tree = Binary(op, tree, self.signed())
        return tree

    def signed(self) -> Expression:
        self.level += 1  # every way down the grammar passes here: brackets, arguments and signs
        if self.level > DEEPEST_TREE:
            raise InputError(f"brackets are nested more than {DEEPEST_TREE} deep; split it with definitions")
        tree = Negate(self.signed()) if self.take("-") else self.power()
        self.level -= 1
        return tree

    def power(self) -> Expression:
        tree = self.atom()
        if not self.take("**", "^"):
            return tree
        exponent = self.next
        if not re.fullmatch(r"\d{1,3}", exponent) or int(exponent) > LARGEST_POWER:
            raise InputError(f"an exponent is a whole number from 0 to {LARGEST_POWER}, not {self.shown()}")
        self.position += 1
        if self.next in ("**", "^"):
            raise InputError("powers cannot be chained; use brackets")
        return Power(tree, int(exponent))

    def atom(self) -> Expression:
        if self.position == len(self.tokens):
            raise InputError("something is missing at the end")
        kind, token = self.tokens[self.position]
        self.position += 1
        if kind == "number":
            return _number(token)
        if kind == "name":
            return self.call(token) if self.next == "(" or token in FUNCTIONS else _name(token)
        if token == "(":
            tree = self.sum()
            if self.next in Compare.OPERATORS:
                raise InputError("a comparison stands only as the first argument of where(condition, a, b)")
            self.need(")")
            return tree
        raise InputError(f"'{token}' is not expected there")

    def call(self, function: str) -> Call:
        if function not in FUNCTIONS:
            raise InputError(
                f"unknown function '{function}'{nearest(function, FUNCTIONS)}; "
                f"the functions are {', '.join(FUNCTIONS)}"
            )
        self.need("(")
        arguments: list[Expression] = [self.condition() if function == "where" else self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        if self.next in Compare.OPERATORS:
            raise InputError("a comparison stands only as the first argument of where(condition, a, b)")
        self.need(")")
        fewest, most = FUNCTIONS[function]
        if not fewest <= len(arguments) <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise InputError(f"{function} takes {wanted} argument{'s' * (most > 1)}, not {len(arguments)}")
        if function == "hill":
            arguments = [*arguments[:2], _hill_power(arguments[2:])]
        return Call(function, tuple(arguments))


def _hill_power(given: list[Expression]) -> Number:
    power = given[0] if given else Number(1.0)
    if not isinstance(power, Number) or power.value not in range(1, LARGEST_POWER + 1):
        raise InputError(
            f"the third argument of hill is a whole number from 1 to {LARGEST_POWER}, not '{power}'"
        )
    return power


def _number(token: str) -> Number:
    value = float(token)
    if not math.isfinite(value):
        raise InputError(f"{token} is too large for a number")
    if value == 0 and re.search("[1-9]", token.lower().split("e")[0]):
        raise InputError(f"{token} is too small for a number")
    return Number(value)


def _name(token: str) -> Name:
    return Name(check_name(token))

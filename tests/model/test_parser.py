"""Text to tree: what the language is, and that nothing else gets in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tissuesim.errors import InputError
from tissuesim.model.expression import (
    DEEPEST_TREE,
    MOST_NODES,
    Binary,
    Call,
    Compare,
    Expression,
    Name,
    Negate,
    Number,
    Power,
    depth,
    parse,
    size,
)

a, b, c = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a - b - c", Binary("-", Binary("-", a, b), c)),
        ("a / b * c", Binary("*", Binary("/", a, b), c)),
        ("a + b * c", Binary("+", a, Binary("*", b, c))),
        ("(a + b) * c", Binary("*", Binary("+", a, b), c)),
        ("-a ** 2", Negate(Power(a, 2))),
        ("-a^2", Negate(Power(a, 2))),
        ("-a * b", Binary("*", Negate(a), b)),
        ("a * -b", Binary("*", a, Negate(b))),
        ("--a", Negate(Negate(a))),
        ("a\n  + b", Binary("+", a, b)),
        ("1.5e-3", Number(0.0015)),
        (".5", Number(0.5)),
        ("2.", Number(2.0)),
        ("mm(a, b)", Call("mm", (a, b))),
        ("hill(a, b)", Call("hill", (a, b, Number(1.0)))),
        ("hill(a, b, 4)", Call("hill", (a, b, Number(4.0)))),
        ("max(0, a, b)", Call("max", (Number(0.0), a, b))),
        ("where(a >= b, a, 0)", Call("where", (Compare(">=", a, b), a, Number(0.0)))),
    ],
)
def test_precedence_is_that_of_mathematics(text: str, tree: Expression) -> None:
    """Every operator and function parses to the tree a reader expects."""
    assert parse(text) == tree


@pytest.mark.parametrize("number", [0, 1, 2.5, 1e-7, 1e300])
def test_numbers_of_a_yaml_file_are_literals(number: float) -> None:
    """``initial: 0`` without quotes is the same as ``initial: "0"``."""
    assert parse(number) == Number(float(number))


HOSTILE = {
    "a.b": "character '.'",
    "a.__class__": "character '.'",
    "().__class__.__bases__": "character '.'",
    "()": "not expected",
    "__import__": "cannot be a name",
    "__import__('os').system('true')": "'\\''|\"'\"",
    "_a": "cannot be a name",
    "a__b": "cannot be a name",
    "x" * 65: "longer than 64",
    "eval(a)": "unknown function 'eval'",
    "exp(a)": "unknown function 'exp'",
    "squrt(a)": "did you mean 'sqrt'",
    "a(b)": "unknown function 'a'",
    "min": "'\\(' is missing",
    "lambda x: x": "character ':'",
    "(a := 1)": "character ':'",
    "f'{a}'": "character",
    "'text'": "character",
    '"text"': "character",
    "True": "reserved word",
    "none": "reserved word",
    "nan": "reserved word",
    "inf": "reserved word",
    "1j": "not expected",
    "1_000": "not expected",
    "0x10": "not expected",
    "1e999": "too large",
    "9" * 400: "longer than 64",
    "1e-999": "too small",
    "2 ** 9": "whole number from 0 to 8",
    "2 ** 99999999999": "whole number from 0 to 8",
    "2 ** -1": "whole number from 0 to 8",
    "a ** b": "whole number from 0 to 8",
    "a ** 0.5": "whole number from 0 to 8",
    "a ** 2 ** 2": "cannot be chained",
    "a % b": "character '%'",
    "a // b": "not expected",
    "a @ b": "character '@'",
    "a & b": "character '&'",
    "~a": "character '~'",
    "+a": "not expected",
    "a and b": "not expected",
    "not a": "reserved word",
    "a if b else c": "not expected",
    "[a]": "character",
    "a[0]": "character",
    "{a}": "character",
    "a, b": "not expected",
    "a; b": "character ';'",
    "a = b": "character '='",
    "a # b": "character '#'",
    "a > b": "only as the first argument of where",
    "a * (b > c)": "only as the first argument of where",
    "min(a > b, c)": "only as the first argument of where",
    "where(a, b, c)": "is a comparison",
    "where(a < b < c, 1, 0)": "cannot be chained",
    "where(a < b, c)": "takes 3 arguments, not 2",
    "sqrt()": "not expected",
    "sqrt(a, b)": "takes 1 argument, not 2",
    "min(a)": "takes 2 to 8 arguments",
    "clip(a, b)": "takes 3 arguments",
    "hill(a, b, c)": "third argument of hill",
    "hill(a, b, 0)": "third argument of hill",
    "hill(a, b, 2.5)": "third argument of hill",
    "hill(a, b, n=2)": "character '='",
    "*a": "not expected",
    "min(*a)": "not expected",
    "": "is empty",
    "   ": "is empty",
    "(": "missing at the end",
    "(a": "'\\)' is missing",
    "a)": "not expected",
    "a b": "not expected",
    "2a": "not expected",
    "a +": "missing at the end",
    "µ": "character",
    "\uff41": "character",
    "a\x00b": "character",
    "(" * 2000 + "a" + ")" * 1999: "nested more than",
    "-" * 3000 + "a": "nested more than",
    "sqrt(" * 700 + "a": "nested more than",
    "+".join(["a"] * 500): "at most 400 nodes",
    "+".join(["a"] * 60): "nested at most 40",
    "+".join(["a"] * 10_000): "at most 4000 characters",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_everything_else_is_refused_in_one_sentence(text: str) -> None:
    """Python beyond the language, huge powers, bombs and typos end in an InputError that names the key."""
    with pytest.raises(InputError, match=HOSTILE[text]) as error:
        parse(text, "processes.wake.rate")
    sentence = str(error.value)
    assert sentence.startswith("processes.wake.rate: ")
    assert "\n" not in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize("thing", [True, None, [], {}, float("nan"), float("inf"), b"a", 1j])
def test_things_that_are_no_text_are_refused(thing: object) -> None:
    """A YAML value of another kind than text or number is no expression."""
    with pytest.raises(InputError, match=r"^here: "):
        parse(thing, "here")  # type: ignore[arg-type]


@given(st.text(alphabet="ab01.()+-*/^<>=!,_ e\n", max_size=60) | st.text(max_size=30))
def test_any_text_gives_a_small_tree_or_an_input_error(text: str) -> None:
    """No text raises anything else, and no accepted tree is beyond the limits."""
    try:
        tree = parse(text)
    except InputError:
        return
    assert size(tree) <= MOST_NODES
    assert depth(tree) <= DEEPEST_TREE


def test_limits_are_what_they_say() -> None:
    """A tree of exactly the greatest depth passes, one level more does not."""
    deepest = "-" * (DEEPEST_TREE - 1) + "a"
    assert depth(parse(deepest)) == DEEPEST_TREE
    with pytest.raises(InputError):
        parse("-" + deepest)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Number(float("nan")),
        lambda: Number(float("inf")),
        lambda: Power(a, 9),
        lambda: Power(a, -1),
        lambda: Power(a, True),
        lambda: Binary("//", a, b),
        lambda: Compare("is", a, b),
        lambda: Call("exp", (a,)),
    ],
)
def test_trees_made_by_code_keep_to_the_language(make: object) -> None:
    """A node that the language does not have cannot be built."""
    with pytest.raises(InputError):
        make()  # type: ignore[operator]

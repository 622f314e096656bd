"""What can be done with a tree: print, compute, rearrange."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tissuesim.errors import InputError
from tissuesim.model.checks import vanishes_without
from tissuesim.model.expression import (
    Binary,
    Call,
    Compare,
    Expression,
    Name,
    Negate,
    Number,
    Power,
    evaluate,
    factor_out,
    names,
    parse,
    substitute,
    to_latex,
    to_text,
)

numbers = st.floats(0, 1e30, allow_subnormal=False).map(Number)
leaves = numbers | st.sampled_from("abcxyz").map(Name)


def branches(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Return nodes over the given ones, as the parser can build them."""
    compare = st.builds(Compare, st.sampled_from(Compare.OPERATORS), inner, inner)
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        st.builds(Negate, inner),
        st.builds(Binary, st.sampled_from(Binary.OPERATORS), inner, inner),
        st.builds(Power, inner, st.integers(0, 8)),
        st.builds(Call, st.sampled_from(["min", "max"]), several),
        st.builds(Call, st.just("clip"), st.tuples(inner, inner, inner)),
        st.builds(Call, st.just("mm"), st.tuples(inner, inner)),
        st.builds(Call, st.just("hill"), st.tuples(inner, inner, st.integers(1, 8).map(Number))),
        st.builds(Call, st.just("where"), st.tuples(compare, inner, inner)),
        st.builds(Call, st.just("sqrt"), st.tuples(inner)),
    )


trees = st.recursive(leaves, branches, max_leaves=12)


@given(trees)
def test_text_reads_back_as_the_same_tree(tree: Expression) -> None:
    """parse(to_text(tree)) is the tree itself: no bracket too few, no digit lost."""
    assert parse(to_text(tree)) == tree


@given(trees)
def test_latex_is_balanced(tree: Expression) -> None:
    r"""Braces, \left and \right close, so that the document compiles whatever the tree."""
    latex = to_latex(tree, {"x": r"\xi"})
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left(") == latex.count(r"\right)")
    if "x" in names(tree):
        assert r"\xi" in latex


def test_text_has_no_needless_brackets() -> None:
    """A printed rate looks as it was written."""
    for text in ("a * b / (c + a)", "-a^2 * (b - (c - a))", "where(a > 0, hill(a, b, 2), 1e-07)", "a * (-b)"):
        assert to_text(parse(text)) == text
    assert str(Binary("-", Name("a"), Number(-2.0))) == "a - (-2)"


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("rho * car_t", r"\rho \, \mathrm{car\_t}"),
        ("K_P / (a + b)", r"\frac{K_{\mathrm{P}}}{a + b}"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("2 * 1.5e-7", r"2 \, \left(1.5 \times 10^{-7}\right)"),
        ("(a + b)^2", r"\left(a + b\right)^{2}"),
        ("hill(a, b, 2) + mm(a, b)", r"H_{2}\left(a;\, b\right) + H\left(a;\, b\right)"),
        ("sqrt(a)", r"\sqrt{a}"),
        ("-a - -b", r"-a - \left(-b\right)"),
    ],
)
def test_latex_of_usual_rates(text: str, latex: str) -> None:
    """Greek names, indices, fractions and powers are set as on paper."""
    assert to_latex(parse(text)) == latex


values = st.floats(0.01, 100)


@given(values, values, st.integers(1, 8))
def test_saturating_functions_equal_their_formulas(x: float, half: float, n: int) -> None:
    """The functions hill and mm are x^n/(K^n+x^n) and x/(K+x)."""
    point = {"x": x, "K": half}
    assert evaluate(parse(f"hill(x, K, {n})"), point) == pytest.approx(x**n / (half**n + x**n), rel=1e-14)
    assert evaluate(parse("mm(x, K)"), point) == pytest.approx(x / (half + x), rel=1e-15)
    assert evaluate(parse("hill(K, K, 3)"), point) == 0.5


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_arithmetic_equals_python(x: float, y: float, z: float) -> None:
    """Operators, min, max, clip and where give the bits of Python's float arithmetic."""
    point = {"x": x, "y": y, "z": z}
    expected = {
        "x - y * z": x - y * z,
        "-x + y": -x + y,
        "x^3": x * x * x,
        "x^0": 1.0,
        "x^1": x,
        "min(x, y, z)": min(x, y, z),
        "max(x, y, z)": max(x, y, z),
        "clip(x, -1, 1)": max(-1.0, min(1.0, x)),
        "where(x < y, x, z)": x if x < y else z,
        "where(x != y, 1, 2)": 1.0 if x != y else 2.0,
    }
    for text, value in expected.items():
        assert evaluate(parse(text), point) == value, text


def test_arrays_broadcast_and_scalars_stay_floats() -> None:
    """Values may be arrays over voxels or patients; without arrays a plain float comes back."""
    tree = parse("where(x > 0, k / x, 0) + k")
    result = evaluate(tree, {"x": np.array([0.0, 1.0, 4.0]), "k": 2})
    np.testing.assert_array_equal(result, [2.0, 4.0, 2.5])
    assert result.dtype == np.float64
    assert type(evaluate(tree, {"x": 1, "k": np.float32(2)})) is float
    assert evaluate(parse("x^0"), {"x": np.zeros(2)}).tolist() == [1.0, 1.0]


def test_evaluate_names_what_is_missing() -> None:
    """A name without a value is an InputError with the nearest one, not a KeyError."""
    with pytest.raises(InputError, match=r"'targt' has no value \(did you mean 'target'\?\)"):
        evaluate(parse("targt + 1"), {"target": 1.0})


@given(trees, st.dictionaries(st.sampled_from("abcxyz"), trees, max_size=3))
def test_substitution_acts_on_names_only(tree: Expression, mapping: dict[str, Expression]) -> None:
    """After a substitution the names are those kept and those brought in, nothing else."""
    result = substitute(tree, mapping)
    kept = names(tree) - set(mapping)
    brought = {name for key in names(tree) & set(mapping) for name in names(mapping[key])}
    assert names(result) == kept | brought
    assert substitute(tree, {}) == tree


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("a * n", "a"),
        ("n * a", "a"),
        ("n", "1"),
        ("a * n * b", "a * b"),
        ("n * n", "n"),
        ("n^3 * a", "n^2 * a"),
        ("n^2", "n"),
        ("n^1 * a", "a"),
        ("-(a * n)", "-a"),
        ("a * n / (b + n)", "a / (b + n)"),
        ("a * (b * n / c)", "a * (b / c)"),
        ("a / n", None),
        ("a + n", None),
        ("n + n", None),
        ("mm(n, a)", None),
        ("n^0", None),
        ("a * b", None),
    ],
)
def test_factors_are_found_where_they_stand(text: str, rest: str | None) -> None:
    """Exactly one factor is removed from products, numerators, signs and powers, and from nothing else."""
    assert factor_out(parse(text), "n") == (None if rest is None else parse(rest))


@given(trees, st.sampled_from("abc"))
def test_factor_times_rest_is_the_tree(tree: Expression, name: str) -> None:
    """Where a factor comes out, the rest times it has the value of the tree."""
    product = Binary("*", Binary("/", tree, Name("x")), Power(Name(name), 2))
    rest = factor_out(product, name)
    assert rest is not None
    point = dict(zip("abcxyz", (1.5, 0.5, 2.0, 3.0, 0.25, 4.0), strict=True))
    whole = evaluate(product, point)
    if np.isfinite(whole) and 1e-200 < abs(whole) < 1e200:
        assert evaluate(rest, point) * point[name] == pytest.approx(whole, rel=1e-12)


@given(trees)
def test_what_vanishes_by_form_is_zero_in_value(tree: Expression) -> None:
    """The check behind 'nothing is taken from nothing' never passes a rate that is positive at zero."""
    point = dict(zip("abcxyz", (0.0, 0.5, 2.0, 3.0, 0.25, 4.0), strict=True))
    if vanishes_without(tree, "a") and not _goes_below_zero(tree, point):
        value = evaluate(tree, point)
        assert value == 0 or np.isnan(value)


def _goes_below_zero(tree: Expression, point: dict[str, float]) -> bool:
    """Return whether any part of the tree is negative: the check assumes that no part of a rate is."""
    from tissuesim.model.expression import children

    value = evaluate(tree, point) if not isinstance(tree, Compare) else 0.0
    return not value >= 0 or any(_goes_below_zero(child, point) for child in children(tree))


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("k * n", True),
        ("k * n / (h + n)", True),
        ("min(k * n, b)", True),
        ("mm(n, h) * k", True),
        ("sqrt(n)", True),
        ("clip(n, 0, 1)", True),
        ("where(n > 0, k, 0)", True),
        ("where(b > 0, n, k * n)", True),
        ("max(0, n)", True),
        ("n^2 - k * n", True),
        ("k", False),
        ("k + n", False),
        ("k / n", False),
        ("max(k, n)", False),
        ("clip(n, 1, 2)", False),
        ("where(n > 0, 0, k)", False),
        ("n^0", False),
    ],
)
def test_vanishing_rates_are_recognized(text: str, gone: bool) -> None:
    """The usual saturating losses count as zero at zero, constant and inverse ones do not."""
    assert vanishes_without(parse(text), "n") is gone

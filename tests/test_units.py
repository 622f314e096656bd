"""Units: what is read, what it is worth, and what is refused."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tissuesim.errors import InputError
from tissuesim.units import ONE, Dimension, dimension_of, factor, parse_quantity, quantity


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("30 um^2/s", 2.592, "mm^2/day"),
        ("0.4 mm^2/day", 0.4, "mm^2/day"),
        ("0.1 1/day", 0.1, "1/day"),
        ("1/hour", 24.0, "1/day"),
        ("1 cell/uL", 1.0, "cell/mm^3"),
        ("100 pM", 100.0, "pM"),
        ("1 nmol/L", 1000.0, "pM"),
        ("2 mol/mm^3", 2e18, "pM"),
        ("1 mg/mL", 1e-3, "mg/mm^3"),
        ("5 L", 5e6, "mm^3"),
        ("10 year", 3652.5, "day"),
        ("2 1/(cell day)", 2.0, "1/cell/day"),
        ("3 µm", 0.003, "mm"),
        ("50 %", 0.5, "1"),
        ("1e6", 1e6, "1"),
        (" 7 ", 7.0, "1"),
        (3, 3.0, "1"),
        (np.float32(0.5), 0.5, "1"),
        ("-4 day", -4.0, "day"),
    ],
)
def test_quantities_become_exact_canonical_floats(text: object, value: float, unit: str) -> None:
    """A quantity is the float nearest to its exact canonical value, not the end of a chain of roundings."""
    assert parse_quantity(text) == (value, dimension_of(unit))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("5 furlong_x", "unknown unit"),
        ("5 pm^2/dya", "unknown unit 'dya' (did you mean 'day'?)"),
        ("16 hh", "unknown unit 'hh' (hectohour is not in use)"),
        ("3 mday", "unknown unit 'mday'"),
        ("5 mm^", "exponent"),
        ("5 mm^2.5", "cannot read"),
        ("5 mm^99", "exponent"),
        ("5 mm^-", "cannot read"),
        ("5 cell/mm^3 day", "two ways"),
        ("5 (mm", "not closed"),
        ("5 mm)", "not expected"),
        ("5 /", "missing at the end"),
        ("5 K", "neither length"),
        ("5 degC", "neither length"),
        ("5 dB", "unknown unit"),
        ("10 000 cell", "not a unit name"),
        ("five mm", "not a quantity"),
        ("", "not a quantity"),
        ("nan", "not a quantity"),
        ("inf day", "not a quantity"),
        ("1e999 mm", "not a finite"),
        ("1e300 mol", "not a finite"),
        ("1 " + "m" * 500, "not a quantity"),
        (True, "not a quantity"),
        (None, "not a quantity"),
        ([1], "not a quantity"),
        (math.nan, "not a finite"),
        (math.inf, "not a finite"),
        (10**400, "not a finite"),
        ("1 __import__('os')", "cannot read"),
        ("1 mm**2**9", "not a unit name"),
    ],
)
def test_bad_quantities_are_refused_in_one_sentence(bad: object, says: str) -> None:
    """Whatever is no quantity gives an InputError of one line, never another exception."""
    with pytest.raises(InputError) as error:
        parse_quantity(bad)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_quantity_checks_the_dimension_and_names_the_key() -> None:
    """The sentence holds the path of the key, the value and the unit that is needed."""
    assert quantity("24 1/day", "1/hour", "parameters.rho.value") == 24.0
    with pytest.raises(InputError, match=r"parameters\.rho\.value: '5 mm' is in mm, but 1/day is needed"):
        quantity("5 mm", "1/day", "parameters.rho.value")
    with pytest.raises(InputError, match=r"time\.end: 5 has no unit; give it in day, such as '5 day'"):
        quantity(5, "day", "time.end")
    with pytest.raises(InputError, match=r"time\.end: unknown unit 'dayz'"):
        quantity("5 dayz", "day", "time.end")
    assert quantity(0.3, "1") == 0.3
    assert quantity("30", "%") == 30.0


def test_mass_concentration_is_not_a_molar_one() -> None:
    """ng/mL needs a molar mass, so it is not silently taken for pM."""
    with pytest.raises(InputError, match="is in mg/mm"):
        quantity("5 ng/mL", "pM")


exponents = st.integers(-4, 4)
dimensions = st.builds(Dimension, exponents, exponents, exponents, exponents, exponents)


@given(dimensions)
def test_dimension_text_reads_back(dimension: Dimension) -> None:
    """str() of a dimension is a unit text of that dimension whose factor is exactly 1."""
    assert dimension_of(str(dimension)) == dimension
    assert factor(str(dimension)) == 1.0


@given(dimensions, dimensions, st.integers(0, 4))
def test_dimensions_obey_the_laws_of_exponents(a: Dimension, b: Dimension, n: int) -> None:
    """Products, quotients, powers and roots are consistent with each other."""
    assert a * b / b == a
    assert a / a == ONE
    assert (a * b) ** n == a**n * b**n
    assert (a * a).sqrt() == a


def test_odd_dimension_has_no_square_root() -> None:
    """The root of a length is refused."""
    with pytest.raises(InputError, match="square root of mm is no unit"):
        dimension_of("mm").sqrt()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_canonical_units_keep_every_bit(value: float) -> None:
    """Reading a number that is already in a canonical unit changes no bit of it."""
    assert parse_quantity(f"{value!r} cell/mm^3/day")[0] == value


@given(st.text(max_size=40))
def test_any_text_is_a_quantity_or_an_input_error(text: str) -> None:
    """No text, however odd, gets anything but a finite float or an InputError."""
    try:
        value, _ = parse_quantity(text)
    except InputError:
        return
    assert math.isfinite(value)


def test_pint_is_imported_only_when_a_unit_is_read() -> None:
    """The modules of units and models can be imported without paying for pint, YAML or pydantic."""
    program = (
        "import sys, tissuesim.units, tissuesim.model, tissuesim.model.loader\n"
        "assert not {'pint', 'yaml', 'pydantic'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

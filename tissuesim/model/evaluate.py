"""Tree and values to numbers: a float64 interpreter in NumPy, for parameters, initial values and tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tissuesim.errors import InputError, nearest
from tissuesim.model.nodes import Binary, Call, Compare, Expression, Name, Negate, Number, Power

Value = Any  # numpy float64 scalar or array of any shape; NumPy's own types do not say "either" well


def evaluate(tree: Expression, values: Mapping[str, Any]) -> Any:
    """Return the value of ``tree`` as a float, or as a float64 array where ``values`` holds arrays.

    Arrays broadcast as in NumPy. Division by zero gives inf or nan without a warning, because both branches
    of ``where`` are computed; the caller checks what it needs finite. InputError on a name without a value.
    """
    with np.errstate(all="ignore"):
        result = _value(tree, values)
    return float(result) if np.ndim(result) == 0 else result


def _value(tree: Expression, values: Mapping[str, Any]) -> Value:
    match tree:
        case Number(value):
            return np.float64(value)
        case Name(identifier):
            if identifier not in values:
                raise InputError(f"'{identifier}' has no value{nearest(identifier, values)}")
            return np.asarray(values[identifier], dtype=np.float64)[()]
        case Negate(operand):
            return -_value(operand, values)
        case Binary(op, left, right) | Compare(op, left, right):
            return _OPERATORS[op](_value(left, values), _value(right, values))
        case Power(base, exponent):
            return _power(_value(base, values), exponent)
        case Call("hill", (x, half, Number(power))):
            return _hill(_value(x, values), _value(half, values), int(power))
        case Call(function, arguments):
            return _FUNCTIONS[function](*(_value(argument, values) for argument in arguments))
    raise TypeError(f"{type(tree).__name__} is not a node of the language")


_OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def _power(base: Value, exponent: int) -> Value:
    result = base if exponent else np.ones_like(base)
    for _ in range(exponent - 1):
        result = result * base
    return result


# hill(x, K, n) = x^n / (K^n + x^n)
def _hill(x: Value, half: Value, power: int) -> Value:
    raised = _power(x, power)
    return raised / (_power(half, power) + raised)


# min, max and clip are written as the backends write them: NumPy's own differ on -0 and NaN.
def _smaller(a: Value, b: Value) -> Value:
    return np.where(a < b, a, b)


def _larger(a: Value, b: Value) -> Value:
    return np.where(a > b, a, b)


def _clip(x: Value, low: Value, high: Value) -> Value:
    raised = np.where(x < low, low, x)
    return np.where(raised > high, high, raised)


def _fold(choose: Callable[[Value, Value], Value]) -> Callable[..., Value]:
    def fold(first: Value, *others: Value) -> Value:
        for other in others:
            first = choose(first, other)
        return first

    return fold


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "sqrt": np.sqrt,
    "min": _fold(_smaller),
    "max": _fold(_larger),
    "clip": _clip,
    "mm": lambda x, half: x / (half + x),
    "where": np.where,
}

"""A well-mixed reading of a model: all pools and one voxel of tissue as ordinary differential equations."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tissuesim.model.evaluate import evaluate
from tissuesim.model.model import Model, in_order
from tissuesim.model.nodes import Binary, Call, Compare, Expression, Name, Negate, Number, Power

MIXED_VOLUME = 1e5  # mm3: 100 mL of tissue


Values = dict[str, float]
Rate = Callable[[Values], float]
OPERATORS = {
    **{"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "==": operator.eq},
    **{"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "!=": operator.ne},
}
FUNCTIONS: dict[str, Callable[..., float]] = {
    "sqrt": math.sqrt,
    "min": min,
    "max": max,
    "clip": lambda x, low, high: min(max(x, low), high),
    "mm": lambda x, half: x / (half + x),
    "hill": lambda x, half, n: x ** int(n) / (half ** int(n) + x ** int(n)),
    "where": lambda condition, a, b: a if condition else b,
}


def closure(tree: Expression) -> Rate:
    """Return ``tree`` as a function of plain numbers, ten times as fast as the interpreter."""
    match tree:
        case Number(value):
            return lambda _: value
        case Name(identifier):
            return operator.itemgetter(identifier)
        case Negate(operand):
            inner = closure(operand)
            return lambda values: -inner(values)
        case Power(base, exponent):
            inner = closure(base)
            return lambda values: inner(values) ** exponent
        case Binary(sign, left, right) | Compare(sign, left, right):
            function, first, second = OPERATORS[sign], closure(left), closure(right)
            return lambda values: function(first(values), second(values))
        case Call(name, arguments):
            function, inners = FUNCTIONS[name], [closure(argument) for argument in arguments]
            return lambda values: function(*[inner(values) for inner in inners])
    raise TypeError(tree)


@dataclass(frozen=True)
class Course:
    """Days (k,) and the values of states, definitions and summaries over them."""

    days: np.ndarray
    mixed: WellMixed
    states: np.ndarray

    def at(self, name: str, day: float) -> float:
        """Return the value of any name at the nearest stored day."""
        return float(self.mixed.values(self.states[:, int(np.abs(self.days - day).argmin())])[name])

    def series(self, name: str) -> np.ndarray:
        """Return the value (k,) of any name on every stored day."""
        return np.array([float(self.mixed.values(column)[name]) for column in self.states.T])


class WellMixed:
    """The expected values of every process of a model in one voxel of one region and in the pools."""

    def __init__(
        self, model: Model, region: str | None = None, given: Values | None = None, **overrides: float
    ) -> None:
        self.model = model
        self.known = dict(model.parameter_values(region, overrides))
        self.known |= {name: part.default for name, part in model.maps.items()} | (given or {})
        state = {**model.pools, **model.signals, **model.cells, **model.states}
        self.names = tuple(state)
        self.initial = np.array([evaluate(part.initial, self.known) for part in state.values()])
        self.derived = [(name, closure(tree)) for name, tree in self._in_order().items()]
        self.rates = [closure(process.rate) for process in model.processes.values()]
        self.changes = np.zeros((len(self.names), len(self.rates)))
        for column, process in enumerate(model.processes.values()):
            crosses = not set(process.change) <= set(model.pools)
            for name, k in process.change.items():
                extensive = MIXED_VOLUME if crosses and name in model.pools else 1.0
                self.changes[self.names.index(name), column] = k * extensive

    def _in_order(self) -> dict[str, Expression]:
        """Return definitions and summaries, each after what it uses; a sum is a mean times the volume."""
        trees: dict[str, Expression] = {
            name: part.expression for name, part in self.model.definitions.items()
        }
        for name, summary in self.model.summaries.items():
            volume = Number(MIXED_VOLUME if summary.sum is not None else 1.0)
            trees[name] = Binary("*", summary.expression, volume)
        return {name: trees[name] for name in in_order(trees, "definitions")}

    def values(self, state: np.ndarray) -> Values:
        """Return the values of all names in ``state``, in the order of ``names``."""
        values = {**self.known, **dict(zip(self.names, state.tolist(), strict=True))}
        for name, function in self.derived:
            values[name] = function(values)
        return values

    def slope(self, _: float, state: np.ndarray) -> np.ndarray:
        """Return the rates of change per day."""
        values = self.values(state)
        return self.changes @ np.array([rate(values) for rate in self.rates])

    def run(self, start: np.ndarray, first: float, last: float, every: float) -> Course:
        """Return the course from ``first`` to ``last``, stored ``every`` so many days."""
        days = np.arange(first, last + 1e-9, every)
        found = solve_ivp(self.slope, (first, last), start, "LSODA", days, rtol=1e-4, atol=1e-7)
        assert found.success, found.message
        return Course(days, self, found.y)

    def change(self, state: np.ndarray, **values: float) -> np.ndarray:
        """Return ``state`` with the named pools set."""
        state = state.copy()
        for name, value in values.items():
            state[self.names.index(name)] = value
        return state


def infuse(mixed: WellMixed, state: np.ndarray) -> np.ndarray:
    """Half of 7e7 CAR+ cells survive, 40 % of them memory; space and marrow output as after lymphodepletion."""
    return mixed.change(
        state,
        blood_car_t_effector=2.1e7,
        blood_car_t_memory=1.4e7,
        infused=1.0,
        space=1.0,
        marrow_output=0.1,
    )


@pytest.fixture(scope="session")
def lumped_untreated() -> Course:
    """Two untreated years."""
    mixed = WellMixed(Model.load("autoimmune_lumped"))
    return mixed.run(mixed.initial, 0, 730, 10)


@pytest.fixture(scope="session")
def lumped_car_t() -> Course:
    """Infusion into the untreated steady state, as in the reference."""
    mixed = WellMixed(Model.load("autoimmune_lumped"))
    return mixed.run(infuse(mixed, mixed.initial), 0, 190, 0.25)


@pytest.fixture(scope="session")
def cortex_untreated() -> Course:
    """100 mL of cortex from half-developed disease on day -120."""
    mixed = WellMixed(Model.load("autoimmune"), "cortex")
    return mixed.run(mixed.initial, -120, 730, 5)


@pytest.fixture(scope="session")
def cortex_day_0(cortex_untreated: Course) -> np.ndarray:
    """The state on day 0: lymphodepletion on days -5 to -2, then two days of rest, then the infusion."""
    mixed, course = cortex_untreated.mixed, cortex_untreated
    start = course.states[:, int(np.abs(course.days + 5).argmin())]
    depleted = mixed.run(mixed.change(start, lymphodepletion_active=1.0), -5, -2, 1).states[:, -1]
    waiting = mixed.run(mixed.change(depleted, lymphodepletion_active=0.0), -2, 0, 1).states[:, -1]
    return infuse(mixed, waiting)


@pytest.fixture(scope="session")
def cortex_car_t(cortex_untreated: Course, cortex_day_0: np.ndarray) -> Course:
    """The half year after the infusion."""
    return cortex_untreated.mixed.run(cortex_day_0, 0, 190, 0.5)

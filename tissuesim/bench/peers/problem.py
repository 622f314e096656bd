"""The work that every program does, and what it must give back to be timed at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.bench.cases import FACE, Case


@dataclass(frozen=True)
class Problem:
    """``du/dt = D lap u`` on a closed box, one explicit Euler step from ``first`` (S, z, y, x).

    ``face`` is dt D / h^2, the same for all fields.
    """

    case: Case

    @cached_property
    def first(self) -> NDArray[Any]:
        """Fields before the step, (S, z, y, x) in 0.5 to 1.5."""
        case, generator = self.case, np.random.default_rng(0)
        side = case.side
        values = generator.random((case.fields, side, side, side), np.float32) + np.float32(0.5)
        return values.astype(case.real)

    @property
    def face(self) -> Any:
        """dt D / h^2."""
        return self.case.real(FACE)

    def tolerance(self) -> float:
        """Largest difference that rounding explains: a few operations on numbers near 1."""
        return 16.0 * float(np.finfo(self.case.real).eps)


@dataclass(frozen=True)
class Prepared:
    """A program ready to step: ``step`` makes ``steps`` steps; ``fields`` what one step from the first fields gave."""

    step: Callable[[], object]
    fields: Callable[[], NDArray[Any]]
    steps: int = 1


@dataclass(frozen=True)
class Peer:
    """A program to compare with.

    ``package`` is its name on the index and ``module`` what is imported. ``quick`` programs compile within seconds;
    ``largest`` is the largest side that takes seconds.
    """

    name: str
    package: str
    module: str
    prepare: Callable[[Problem], Prepared]
    quick: bool = True
    largest: int = 128

    @property
    def installed(self) -> bool:
        """Whether it can be imported."""
        return find_spec(self.module) is not None

    @property
    def version(self) -> str:
        """Its version, or nothing where it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return ""

"""Every time series of a run under one roof: readouts as a clinic measures them, and totals as the model has them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from ..render import arm
from ..treatment import Treatment, treatments

if TYPE_CHECKING:
    import xarray

    from tissuesim.run import Run

Series = NDArray[np.float64]


class Courses:
    """The series of one run: ``courses.values(("a", "b"))`` is the sum of two columns, row by row of ``days``."""

    def __init__(self, run: Run, name: str = "") -> None:
        """Read the rows written so far; InputError if there is none. ``name`` is what a legend calls the run."""
        self.run, self.name = run, name or arm(run)
        if run.totals.sizes.get("time", 0) == 0:
            raise InputError(f"'{run.path}' has no time series yet.")
        self.days: Series = run.totals["time"].values

    @cached_property
    def _sources(self) -> tuple[xarray.Dataset, ...]:
        return (self.run.readouts, self.run.totals)

    @cached_property
    def treatments(self) -> list[Treatment]:
        """What was done, in order of time."""
        return treatments(self.run)

    @property
    def span(self) -> tuple[float, float]:
        """First and last day, at least a day apart."""
        return float(self.days[0]), float(max(self.days[-1], self.days[0] + 1.0))

    def __contains__(self, name: object) -> bool:
        return any(name in source for source in self._sources)

    def has(self, names: tuple[str, ...]) -> bool:
        """Return whether the run has all of ``names``."""
        return bool(names) and all(name in self for name in names)

    def values(self, names: tuple[str, ...]) -> Series:
        """Return the sum of the columns ``names``, one number per row of ``days``."""
        return np.asarray(np.sum([self._array(name).values for name in names], axis=0), dtype=np.float64)

    def unit(self, name: str) -> str:
        """Return the unit of a column as it is stored."""
        return str(self._array(name).attrs.get("units", "1"))

    def label(self, name: str) -> str:
        """Return what a column is, in words."""
        return str(self._array(name).attrs.get("long_name", name))

    def _array(self, name: str) -> xarray.DataArray:
        return next(source[name] for source in self._sources if name in source)

"""The course of one patient as the readouts see it: totals, and means over all organs of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

MM3_PER_ML = 1000.0


@dataclass(frozen=True)
class Course:
    """Time series of one patient.

    ``days`` (k,) since infusion, rising; ``totals`` columns (k,) in canonical units; ``organs`` maps the name of
    each organ to its kind (kidney, lungs, heart, skin, joint, ...); ``constants`` are those of the catalogue.
    """

    days: Series
    totals: Mapping[str, Series]
    organs: Mapping[str, str]
    constants: Mapping[str, float]

    def column(self, name: str) -> Series | None:
        """One column of the totals, None if it is not there."""
        found = self.totals.get(name)
        return None if found is None else np.asarray(found, np.float64)

    def level(self, name: str) -> Series:
        """A column that counts as 0 where the model does not have it, such as the level of a drug."""
        found = self.column(name)
        return np.zeros(self.days.shape) if found is None else found

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the organs of these kinds."""
        return [name for name, kind in self.organs.items() if kind in kinds]

    def summary(self, organ: str, name: str) -> Series | None:
        """A summary of the model in one organ; that of all organs is the same where there is only one."""
        found = self.column(f"{organ}.{name}")
        return self.column(name) if found is None and len(self.organs) == 1 else found

    def total(self, organs: Iterable[str], name: str) -> Series | None:
        """A summary added up over organs; None if there is none, or one does not have it."""
        parts = [self.summary(organ, name) for organ in organs]
        if not parts or any(part is None for part in parts):
            return None
        return added(*(part for part in parts if part is not None))

    def mean(self, organs: Iterable[str], load: str) -> Series | None:
        """A load per volume of tissue under attack, over all of these organs; None where nothing is attacked."""
        chosen = list(organs)
        volume, summed = self.total(chosen, "target_volume"), self.total(chosen, load)
        if volume is None or summed is None or not np.nanmax(volume, initial=0.0) > 0.0:
            return None
        return summed / np.where(volume > 0.0, volume, np.nan)

    def inflammation(self, organs: Iterable[str]) -> Series | None:
        """Mean inflammation, 1 in untreated disease."""
        return self.mean(organs, "inflammation_load")

    def damage(self, organs: Iterable[str]) -> Series | None:
        """Mean damage relative to untreated disease."""
        found = self.mean(organs, "damage_load")
        return None if found is None else found / self.constants["damage_untreated"]

    def scar(self, organs: Iterable[str]) -> Series | None:
        """Mean fibrosis relative to untreated disease."""
        found = self.mean(organs, "fibrosis_load")
        return None if found is None else found / self.constants["fibrosis_untreated"]

    @cached_property
    def whole_inflammation(self) -> Series | None:
        """Mean over the organs of the mean inflammation of each: no organ counts more for being large."""
        found = [self.inflammation([organ]) for organ in self.organs]
        known = [part for part in found if part is not None]
        return np.mean(np.stack(known), axis=0) if known else self.column("mean_inflammation")


def added(*parts: Series) -> Series:
    """The sum of series, from left to right."""
    total = np.zeros(parts[0].shape)
    for part in parts:
        total = total + part
    return total


def held(days: Series, present: NDArray[np.bool_], window: float) -> NDArray[np.bool_]:
    """Whether something is or was present within the last ``window`` days: the way instruments count signs."""
    last = np.where(present, days, -np.inf)
    return np.asarray(days - np.maximum.accumulate(last) <= window)


def earlier(days: Series, values: NDArray[np.bool_], span: float) -> NDArray[np.bool_]:
    """The value ``span`` days before each row; the first row where the course does not reach back so far."""
    rows = np.clip(np.searchsorted(days, days - span, side="right") - 1, 0, None)
    return np.asarray(values[rows])

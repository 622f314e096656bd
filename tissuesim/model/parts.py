"""The parts of a model: plain frozen data, expressions as trees, quantities as canonical floats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tissuesim.model.nodes import Expression, Number
from tissuesim.units import CELL_DENSITY, VOLUME, Dimension, dimension_of

ZERO = Number(0.0)
GRADES = ("C", "M", "A", "cal")
"""How well a value is known: read in the named source, commonly quoted but not re-checked, assumed, calibrated."""

POOL_KINDS = ("count", "real")
LARGEST_COEFFICIENT = 8


@dataclass(frozen=True)
class Signal:
    """A diffusing concentration [pM]; ``diffusivity`` names a parameter [mm^2/day]."""

    name: str
    diffusivity: str
    label: str = ""
    unit: str = "pM"
    initial: Expression = ZERO

    @property
    def dimension(self) -> Dimension:
        """Dimension of the name in expressions."""
        return dimension_of(self.unit)


@dataclass(frozen=True)
class Cells:
    """A cell type, in expressions its density [cell/mm^3].

    ``motility`` and ``chemotaxis`` [mm^2/day] and ``half_saturation`` [pM] name parameters; ``attractant``
    names a signal. ``clonal`` cells carry the labels of clones, see ``systemic/clones.py``.
    """

    name: str
    label: str = ""
    motility: str | None = None
    chemotaxis: str | None = None
    attractant: str | None = None
    half_saturation: str | None = None
    initial: Expression = ZERO
    clonal: bool = False

    @property
    def unit(self) -> str:
        """Unit of the name in expressions."""
        return str(CELL_DENSITY)

    @property
    def dimension(self) -> Dimension:
        """Dimension of the name in expressions."""
        return CELL_DENSITY


@dataclass(frozen=True)
class TissueState:
    """A local state of the tissue that does not move, such as inflammation or fibrosis."""

    name: str
    label: str = ""
    unit: str = "1"
    initial: Expression = ZERO

    @property
    def dimension(self) -> Dimension:
        """Dimension of the name in expressions."""
        return dimension_of(self.unit)


@dataclass(frozen=True)
class Pool:
    """An amount in the body outside the organs; of kind ``count`` it is whole in stochastic runs.

    ``clonal`` cells carry the labels of clones, see ``systemic/clones.py``.
    """

    name: str
    label: str = ""
    unit: str = "cell"
    kind: str = "real"
    compartment: str = "body"
    initial: Expression = ZERO
    clonal: bool = False

    @property
    def dimension(self) -> Dimension:
        """Dimension of the name in expressions."""
        return dimension_of(self.unit)


@dataclass(frozen=True)
class Map:
    """A number per voxel that the tissue brings; ``default`` (canonical) where an organ has none."""

    name: str
    default: float
    label: str = ""
    unit: str = "1"

    @property
    def dimension(self) -> Dimension:
        """Dimension of the name in expressions."""
        return dimension_of(self.unit)


@dataclass(frozen=True)
class Summary:
    """A scalar of all organs: ``sum`` of expression x voxel volume, or the volume-weighted ``mean``.

    Exactly one of the two is a tree. ``over`` names regions; empty means everywhere.
    """

    name: str
    label: str = ""
    sum: Expression | None = None
    mean: Expression | None = None
    over: tuple[str, ...] = ()

    @property
    def expression(self) -> Expression:
        """The tree that is summed or averaged."""
        tree = self.sum if self.sum is not None else self.mean
        assert tree is not None, f"summary {self.name} has neither sum nor mean"
        return tree

    def dimension_from(self, expression: Dimension) -> Dimension:
        """Return the dimension of the scalar, given that of its expression."""
        return expression * VOLUME if self.sum is not None else expression


@dataclass(frozen=True)
class Definition:
    """A named sub-expression; its unit follows from what it uses."""

    name: str
    expression: Expression
    label: str = ""


@dataclass(frozen=True)
class Parameter:
    """A number with unit and source: a ``value`` (canonical) or a ``formula`` of other parameters.

    ``unit`` is the unit it was written in. ``variability`` is the lognormal coefficient of variation between
    patients (0: none). ``regions`` holds canonical values by region name that replace ``value`` there.
    """

    name: str
    value: float | None = None
    formula: Expression | None = None
    unit: str = "1"
    label: str = ""
    source: str = ""
    grade: str = "A"
    range: tuple[float, float] | None = None
    variability: float = 0.0
    regions: dict[str, float] = field(default_factory=dict)

    @property
    def dimension(self) -> Dimension:
        """Dimension of the name in expressions."""
        return dimension_of(self.unit)

    def regional(self, region: str, value: Any) -> Any:
        """Return the value in a region when the base value is replaced by ``value`` (a float or an array).

        Regional values keep their ratio to the base value; where that is 0 there is no ratio, and they stay.
        """
        if region not in self.regions:
            return value
        own = self.regions[region]
        return own * (value / self.value) if self.value else own


@dataclass(frozen=True)
class Process:
    """A reaction channel: ``rate`` (unit of what changes, per day) and integer ``change`` by name."""

    name: str
    rate: Expression
    change: dict[str, int]
    label: str = ""
    conserves: bool = True


Part = Signal | Cells | TissueState | Pool | Map | Summary | Definition | Parameter | Process

SECTIONS: dict[str, Callable[..., Part]] = {
    "signals": Signal,
    "cells": Cells,
    "states": TissueState,
    "pools": Pool,
    "maps": Map,
    "summaries": Summary,
    "definitions": Definition,
    "parameters": Parameter,
    "processes": Process,
}
"""Sections of a model file and of a `Model`, in the order in which they are shown."""

"""The cells of a model that crawl: how fast between each two regions, and what they follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.codegen.plan import StepPlan
from tissuesim.errors import InputError
from tissuesim.numerics.signals import harmonic_means

NO_ATTRACTANT = -1

CLOSED = -1.0
"""Entry of a table of motilities for two regions between which no cell crawls."""


@dataclass(frozen=True)
class MovingCells:
    """Motility of one cell type: table over region pairs [mm^2/day], chemotaxis and what it follows.

    ``alike`` is the column of the first cell type that crawls by the same numbers: what depends on them alone, such as
    the largest hazard of leaving a voxel, is worked out for that one.
    """

    column: int
    alike: int
    motility: Any
    chemotaxis: Any
    attractant: int
    half_saturation: Any


def moving_cells(
    plan: StepPlan,
    parameters: NDArray[np.float64],
    real: type[np.floating[Any]],
    put: Callable[[NDArray[Any]], Any],
) -> tuple[MovingCells, ...]:
    """The cell types of a model that crawl; ``put`` brings their tables to the backend.

    Where some regions have a motility and others none, these are closed: neither crawling nor drift leads in or out.

    Raises:
        InputError: chemotaxis or its half saturation differs between regions (one number per cell type is used).
    """
    names = plan.organ.parameters
    found = []
    first: dict[tuple[Any, ...], int] = {}
    for column, cells in enumerate(plan.model.cells.values()):
        if cells.motility is None and cells.chemotaxis is None:
            continue
        motility = np.zeros(len(parameters))
        if cells.motility is not None:
            motility = parameters[:, names.index(cells.motility)]
        chemotaxis, half, attractant = 0.0, 1.0, NO_ATTRACTANT
        if cells.chemotaxis is not None:
            assert cells.attractant is not None and cells.half_saturation is not None
            for used in (cells.chemotaxis, cells.half_saturation):
                values = parameters[:, names.index(used)]
                if np.any(values != values[0]):
                    raise InputError(
                        f"parameters.{used}.regions: the chemotaxis of '{cells.name}' has one value in all regions"
                    )
            chemotaxis = float(parameters[0, names.index(cells.chemotaxis)])
            half = float(parameters[0, names.index(cells.half_saturation)])
            attractant = plan.organ.signals.index(cells.attractant)
        table = _with_walls(motility).astype(real)
        alike = first.setdefault((table.tobytes(), chemotaxis, attractant, half), column)
        found.append(MovingCells(column, alike, put(table), real(chemotaxis), attractant, real(half)))
    return tuple(found)


def _with_walls(motility: NDArray[np.float64]) -> NDArray[np.float64]:
    """Motility of every pair of regions [mm^2/day]; -1 marks a pair that is closed (``movement.py``)."""
    table = harmonic_means(motility)
    return np.where((table == 0.0) & np.any(motility > 0.0), CLOSED, table)

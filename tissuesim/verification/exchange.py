"""Exchange with the blood: how many cells leave it, and where in the tissue they arrive."""

from __future__ import annotations

import math

import numpy as np

from tissuesim.backends.base import load_backend
from tissuesim.model.model import Model
from tissuesim.systemic.exchange import leaving_blood, shares
from tissuesim.tissue.graph import box_tissue
from tissuesim.verification.check import Check, at_most, exactly, likely, within_percent
from tissuesim.verification.specimen import Specimen, build_model
from tissuesim.verification.statistics import chi_square_p, mean_error
from tissuesim.verification.stochastic import STANDARD_ERRORS, VARIANCE_PERCENT


def entering() -> Model:
    """Cells of one blood pool that enter voxels in proportion to their vessels."""
    return build_model(
        "entering",
        {"entry": "0.3 1/day/mm^3"},
        cells={"guest": {"label": "Guest"}},
        pools={"blood": {"label": "Blood", "unit": "cell", "kind": "count", "initial": "0"}},
        maps={"vessels": {"label": "Vessels", "unit": "1", "default": 1.0}},
        processes={"enter": {"rate": "entry * vessels * blood", "change": {"blood": -1, "guest": 1}}},
    )


def leaving(quick: bool) -> list[Check]:
    """Cells that leave the blood in a step: binomial, and shared exactly among the organs."""
    cells, dt, hazards, draws = 400, 0.25, np.array([0.5, 0.0, 1.5]), 10_000
    draws_by = load_backend("auto").exchange
    numbers = np.array(
        [leaving_blood(cells, hazards, dt, 0, tick, (3, 4), draws_by) for tick in range(draws)]
    )
    parts = np.array([shares(float(n), hazards, 0, tick, (3, 4), draws_by) for tick, n in enumerate(numbers)])
    p = 1.0 - math.exp(-float(hazards.sum()) * dt)
    return [
        at_most(
            "leaving the blood: mean, off by standard errors", mean_error(numbers, cells * p), STANDARD_ERRORS
        ),
        within_percent(
            "leaving the blood: variance", cells * p * (1.0 - p), float(numbers.var(ddof=1)), VARIANCE_PERCENT
        ),
        exactly(
            "leaving the blood: steps whose shares do not add up",
            0,
            int((parts.sum(axis=1) != numbers).sum()),
        ),
        at_most(
            "leaving the blood: share of an organ, off by standard errors",
            mean_error(parts[:, 0], cells * p * 0.25),
            STANDARD_ERRORS,
        ),
    ]


def arriving(quick: bool) -> list[Check]:
    """Arrivals are placed by their weights, and as many as left arrive."""
    cells, voxels = 100_000, 1000
    tissue = box_tissue((1, 10, voxels // 10), 0.5)
    x, y, _ = tissue.centers().T
    tissue.maps["vessels"] = np.where(y < 1.0, 0.0, 0.2 + x / 10.0)
    specimen = Specimen.of(entering(), tissue, stochastic=True, backend="numpy")
    trees, hazards = specimen.step.entry_trees(specimen.state, specimen.scalars)
    specimen.step.enter(specimen.state, 0, trees, cells, 0, 0)
    found = specimen.cells("guest").astype(np.int64)
    weights = tissue.maps["vessels"]
    vessels = weights > 0.0
    return [
        within_percent(
            "entry from the blood: hazard on the pool [1/day]",
            0.3 * float((weights * tissue.volume).sum()), float(hazards[0]), 1e-6,
        ),
        likely(
            "entry from the blood: places by weight (chi-square p)",
            chi_square_p(found[vessels], cells * weights[vessels] / weights.sum()),
        ),
        exactly("entry from the blood: cells that arrive", cells, int(found.sum())),
        exactly("entry from the blood: cells where there are no vessels", 0, int(found[~vessels].sum())),
    ]  # fmt: skip


CHECKS = (leaving, arriving)

"""Crawling cells: random motility and chemotaxis against closed forms, in both readings of the operator."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tissuesim.model.model import Model
from tissuesim.simulation.clock import LARGEST_MOVE
from tissuesim.ticks import TICKS_PER_DAY
from tissuesim.tissue import Tissue
from tissuesim.tissue.graph import box_tissue
from tissuesim.verification.check import Check, at_most, exactly, has_order, likely, within_percent
from tissuesim.verification.specimen import Fill, Specimen, build_model
from tissuesim.verification.statistics import chi_square_p

Reals = NDArray[np.float64]


def crawling(motility: float, chemotaxis: float) -> Model:
    """One cell type that crawls at random and up the gradient of one signal (half saturation 1 pM)."""
    return build_model(
        "crawling",
        {
            "motility": f"{motility!r} mm^2/day",
            "chemotaxis": f"{chemotaxis!r} mm^2/day",
            "half": "1 pM",
            "diffusivity": "1 mm^2/day",
        },
        signals={"attractant": {"label": "Attractant", "unit": "pM", "diffusivity": "diffusivity"}},
        cells={
            "walker": {
                "label": "Walker",
                "motility": "motility",
                "chemotaxis": "chemotaxis",
                "attractant": "attractant",
                "half_saturation": "half",
            }
        },
    )


def ramp(gradient: float) -> Callable[[Reals], Reals]:
    """A concentration u along x with u' / (1 + u)^2 = gradient: cells drift with chi x gradient everywhere."""

    def profile(centers: Reals) -> Reals:
        return np.asarray(1.0 / (1.0 - gradient * centers[:, 0]) - 1.0)

    return profile


def line(cells: int, length: float, axis: int = 0) -> Tissue:
    """A row of voxels along one axis (0 is x)."""
    shape = [1, 1, 1]
    shape[2 - axis] = cells
    return box_tissue((shape[0], shape[1], shape[2]), length / cells)


# ---- deterministic
def drift_error(cells: int) -> float:
    """L1 error of a bell of cells that drifts and spreads for a day, on so many voxels."""
    length, gradient, chemotaxis, motility, sigma, start = 4.0, 0.2, 5.0, 0.02, 0.35, 1.2
    tissue = line(cells, length)
    x = tissue.centers()[:, 0]

    def bell(time: float) -> Reals:
        wide = sigma**2 + 2.0 * motility * time
        shift = x - start - chemotaxis * gradient * time
        return np.asarray(np.exp(-(shift**2) / (2.0 * wide)) * sigma / math.sqrt(wide))

    first: dict[str, Fill] = {"attractant": ramp(gradient), "walker": bell(0.0)}
    specimen = Specimen.of(crawling(motility, chemotaxis), tissue, first, backend="numpy")
    steps = 6144  # so many that the error in time is far below the one in space
    specimen.move(1, steps)
    return float(np.abs(specimen.cells("walker") - bell(steps / TICKS_PER_DAY)).mean())


def order_in_space(quick: bool) -> list[Check]:
    """Upwind chemotaxis is of first order in space."""
    return [has_order("chemotaxis: order in space (upwind)", 1.0, [drift_error(n) for n in (128, 256, 512)])]


def move_time_error(steps: int) -> float:
    """Error after a quarter day of a decaying cosine, against the exact solution on the same voxels."""
    cells, motility = 16, 0.3
    tissue = line(cells, 1.0, axis=1)
    wave = np.cos(np.pi * tissue.centers()[:, 1])
    specimen = Specimen.of(crawling(motility, 0.0), tissue, {"walker": 2.0 + wave}, backend="numpy")
    specimen.move(1536 // steps, steps)
    rate = 2.0 * motility * (1.0 - math.cos(np.pi / cells)) * cells**2
    return float(np.abs(specimen.cells("walker") - 2.0 - wave * math.exp(-0.25 * rate)).max())


def order_in_time(quick: bool) -> list[Check]:
    """Explicit movement is of first order in time."""
    return [has_order("movement: order in time", 1.0, [move_time_error(n) for n in (128, 256, 512)])]


def wave_speed(quick: bool) -> list[Check]:
    """Fisher-KPP: cells that crawl (D) and grow (r n (1 - n/K)) advance with 2 sqrt(r D).

    A front that starts from a step is behind by (3/2) sqrt(D/r) log t (M. Bramson, Mem. AMS 285, 1983).
    """
    growth, motility, length, cells, ticks, early, late = 1.0, 1.0, 100.0, 400, 96, 20, 40
    tissue = line(cells, length)
    volume = tissue.volume[0]
    x = tissue.centers()[:, 0]
    specimen = Specimen.of(
        spreading(motility, growth), tissue, {"walker": np.where(x < 5.0, volume, 0.0)}, backend="numpy"
    )
    fronts = []
    for day in range(1, late + 1):
        for _ in range(TICKS_PER_DAY // ticks):
            specimen.move(ticks)
            specimen.react(ticks)
        if day in (early, late):
            fronts.append(float(specimen.cells("walker").sum() / volume * length / cells))
    slowed = 1.5 * math.sqrt(motility / growth) * math.log(late / early)
    advanced = 2.0 * math.sqrt(growth * motility) * (late - early) - slowed
    return [
        within_percent(
            "Fisher-KPP: front speed, 2 sqrt(r D) less the lag of a young front [mm/day]",
            advanced / (late - early), (fronts[1] - fronts[0]) / (late - early), 1.0,
        )
    ]  # fmt: skip


def spreading(motility: float, growth: float) -> Model:
    """One cell type that crawls and grows to a density of 1 cell/mm^3."""
    return build_model(
        "spreading",
        {"motility": f"{motility!r} mm^2/day", "growth": f"{growth!r} 1/day", "capacity": "1 cell/mm^3"},
        cells={"walker": {"label": "Walker", "motility": "motility"}},
        processes={
            "birth": {"rate": "growth * walker", "change": {"walker": 1}, "conserves": False},
            "crowding": {
                "rate": "growth * walker * walker / capacity",
                "change": {"walker": -1},
                "conserves": False,
            },
        },
    )


# ---- stochastic
@cache
def walk(exit_per_step: float) -> tuple[float, float, float, NDArray[np.int64]]:
    """Cells that start in the middle voxel of a cube and hop 12 times on average; a step has a hazard so large.

    Returns D t [mm^2], the mean square displacement [mm^2], the mean displacement along x in units of its
    standard error, and the number of cells in each octant.
    """
    side, h, cells, hops = 25, 0.1, 200_000, 12.0
    steps, ticks = round(hops / exit_per_step), 8
    days = steps * ticks / TICKS_PER_DAY
    motility = hops * h**2 / 6.0 / days
    tissue = box_tissue((side, side, side), h)
    offset = tissue.centers() - side * h / 2.0
    first = np.where(np.all(np.abs(offset) < h / 2.0, axis=1), cells, 0)
    specimen = Specimen.of(crawling(motility, 0.0), tissue, {"walker": first}, stochastic=True)
    specimen.move(ticks, steps)
    counts = specimen.cells("walker").astype(np.float64)
    square = float(counts @ np.sum(offset**2, axis=1)) / cells
    drift = float(counts @ offset[:, 0]) / cells / math.sqrt(square / 3.0 / cells)
    octant = (offset > h / 2.0) @ np.array([1, 2, 4])
    off_axes = np.all(np.abs(offset) > h / 2.0, axis=1)
    by_octant = np.bincount(octant[off_axes], weights=counts[off_axes], minlength=8).astype(np.int64)
    return motility * days, square, drift, by_octant


def random_walk(quick: bool) -> list[Check]:
    """Mean square displacement 6 D t of a random walk on the lattice, without a preferred direction."""
    spread, square, drift, by_octant = walk(1.0 / 32.0)
    at_limit = walk(LARGEST_MOVE)
    even = np.full(8, by_octant.sum() / 8.0)
    return [
        within_percent(
            "random walk: mean square displacement, short steps [mm^2]", 6.0 * spread, square, 2.0
        ),
        within_percent(
            "random walk: mean square displacement, longest steps [mm^2]", 6.0 * at_limit[0], at_limit[1], 2.0
        ),
        at_most("random walk: mean displacement / standard error", abs(drift), 3.0),
        likely("random walk: octants alike", chi_square_p(by_octant, even)),
    ]


def split(quick: bool) -> list[Check]:
    """One step is a multinomial draw over seven places, with a drift that makes the faces unequal.

    Lone voxels of 12 cells, three apart, so that no two share a neighbor.
    """
    side, h, cells, gradient, motility, chemotaxis = 48, 0.1, 12, 0.15, 0.5, 20.0
    tissue = box_tissue((side, side, side), h)
    lone = np.flatnonzero(np.all(np.array(np.unravel_index(tissue.box_index, tissue.shape)) % 3 == 1, axis=0))
    first = np.zeros(tissue.n, np.int32)
    first[lone] = cells
    specimen = Specimen.of(
        crawling(motility, chemotaxis),
        tissue,
        {"attractant": ramp(gradient), "walker": first},
        stochastic=True,
    )
    specimen.move(16)
    found = specimen.cells("walker")
    stayed, moved = found[lone], found[tissue.neighbors[lone]]
    total = int(moved.sum())
    hazards = np.array([motility, motility + chemotaxis * gradient * h, *[motility] * 4])
    expected = total * hazards / hazards.sum()
    chance = np.append(total * hazards / hazards.sum(), lone.size * cells - total) / (lone.size * cells)
    places = np.column_stack([moved, stayed])
    spread = float(((places - cells * chance) ** 2 / (cells * chance)).sum(axis=1).mean()) / 6.0
    return [
        likely("movement: split over faces", chi_square_p(moved.sum(axis=0), expected)),
        within_percent("movement: multinomial, scaled variance", 1.0, spread, 5.0),
        exactly("movement: cells after a step", lone.size * cells, int(found.sum())),
    ]


def drift_speed(quick: bool) -> list[Check]:
    """Cells drift with chi x gradient and spread as a biased walk: variance (2 D + h v) t."""
    cells, length, gradient, chemotaxis, motility, walkers = 400, 4.0, 0.2, 5.0, 0.005, 100_000
    h, speed = length / cells, chemotaxis * gradient
    tissue = line(cells, length)
    x = tissue.centers()[:, 0]
    start = float(x[100])
    first: dict[str, Fill] = {"attractant": ramp(gradient), "walker": np.where(x == start, walkers, 0)}
    specimen = Specimen.of(crawling(motility, chemotaxis), tissue, first, stochastic=True)
    steps = 1536 if quick else 3072
    specimen.move(1, steps)
    days = steps / TICKS_PER_DAY
    counts = specimen.cells("walker").astype(np.float64)
    mean = float(counts @ x) / walkers
    variance = float(counts @ (x - mean) ** 2) / walkers
    return [
        within_percent("chemotaxis: drift speed [mm/day]", speed, (mean - start) / days, 2.0),
        within_percent(
            "chemotaxis: variance of a biased walk [mm^2]", (2.0 * motility + h * speed) * days, variance, 5.0
        ),
    ]


CHECKS = (order_in_space, order_in_time, wave_speed, random_walk, split, drift_speed)

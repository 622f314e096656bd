"""Open surfaces: areas of what stairs stand for, and steady profiles that closed forms know."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tissuesim.errors import InputError
from tissuesim.model.parts import Parameter
from tissuesim.model.surface_terms import surface_terms
from tissuesim.tissue import Tissue, build_graph
from tissuesim.tissue.boundary import DIRECTIONS, open_face_area, open_face_conductance
from tissuesim.tissue.graph import box_tissue
from tissuesim.verification.specimen import Specimen, build_model

FOREVER = 10**13
LENGTH, DIFFUSIVITY, LOSS, MADE = 2.0, 0.7, 1.3, 5.0  # mm, mm^2/day, 1/day, pM/day
DEPTH = np.sqrt(DIFFUSIVITY / LOSS)


def everywhere(tissue: Tissue) -> NDArray[np.bool_]:
    """A mask of all voxels."""
    return np.ones(tissue.n, dtype=np.bool_)


def ball(cells: int, radius: float = 10.0) -> Tissue:
    """A ball with partial volumes in a box of ``cells``^3."""
    h = 2.4 * radius / cells
    axis = (np.arange(cells) + 0.5) * h - 1.2 * radius
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    fraction = np.clip(0.5 + (radius - np.sqrt(x**2 + y**2 + z**2)) / h, 0.0, 1.0)
    return build_graph("ball", fraction, np.zeros(fraction.shape, np.uint8), h)


@pytest.mark.parametrize("cells", [20, 40])
def test_area_of_a_ball(cells: int) -> None:
    """The open faces of a voxelized ball have its area within 5 %; counted whole they would have half as much again."""
    tissue = ball(cells)
    area = 4 * np.pi * 10.0**2
    assert open_face_area(tissue, everywhere(tissue)).sum() == pytest.approx(area, rel=0.05)
    assert open_face_area(tissue, everywhere(tissue), DIRECTIONS).sum() == pytest.approx(1.5 * area, rel=0.08)


def test_flat_cuts_count_whole() -> None:
    """The sides of a box, asked for by direction, have their area to rounding; the inside has none."""
    tissue = box_tissue((3, 4, 5), 0.5)
    for direction, area in zip(DIRECTIONS, (3.0, 3.0, 3.75, 3.75, 5.0, 5.0), strict=True):
        assert open_face_area(tissue, everywhere(tissue), [direction]).sum() == pytest.approx(area, rel=1e-12)
    inner = np.all(tissue.neighbors != np.arange(tissue.n)[:, None], axis=1)
    assert inner.sum() == 6 and open_face_area(tissue, inner).sum() == 0.0


def test_a_mirrored_tissue_has_mirrored_areas() -> None:
    """No direction is preferred, to the bit."""
    fraction = np.random.default_rng(1).uniform(0, 1, (5, 6, 7)) * (np.arange(7) > 1)
    region = np.zeros(fraction.shape, np.uint8)
    areas = []
    for dense in (fraction, fraction[:, :, ::-1]):
        tissue = build_graph("part", dense, region, 1.0)
        areas.append(tissue.scatter(open_face_area(tissue, everywhere(tissue)), 0.0))
    assert np.array_equal(areas[0], areas[1][:, :, ::-1])


def slab_error(cells: int, level: float | None, permeability: float | None) -> float:
    """Greatest error of the steady slab: a wall at x = 0, an open side at x = 2 mm."""
    h = LENGTH / cells
    tissue = box_tissue((1, 1, cells), h)
    opening = open_face_conductance(tissue, everywhere(tissue), ["+x"])
    tissue.maps.update({"side_opening": opening, "side_steepness": np.full(tissue.n, 2.0 / h)})
    given = {
        name: None if value is None else Parameter(name, value, unit=unit, source="chosen")
        for name, value, unit in (
            ("side_level", level, "pM"),
            ("side_permeability", permeability, "mm/day"),
        )
    }
    model = build_model(
        "slab",
        {
            "diffusivity": f"{DIFFUSIVITY} mm^2/day",
            "loss": f"{LOSS} 1/day",
            "made": {"value": f"{MADE} pM/day"},
        },
        signals={"signal": {"unit": "pM", "diffusivity": "diffusivity"}},
        processes={
            "decay": {"rate": "loss * signal", "change": {"signal": -1}, "conserves": False},
            "make": {"rate": "made", "change": {"signal": 1}, "conserves": False},
        },
    )
    model = model.with_(*surface_terms(model, "side", given["side_level"], given["side_permeability"]))
    specimen = Specimen.of(model, tissue, backend="numpy")
    specimen.diffuse(FOREVER)
    x = tissue.centers()[:, 0]
    # c = made / loss - a cosh(x / depth); the side decides a
    middle, end, slope = (
        MADE / LOSS,
        np.cosh(LENGTH / DEPTH),
        DIFFUSIVITY / DEPTH * np.sinh(LENGTH / DEPTH),
    )
    outside = level or 0.0
    amount = (
        (middle - outside) / end
        if permeability is None
        else permeability * (middle - outside) / (slope + permeability * end)
    )
    exact = middle - amount * np.cosh(x / DEPTH)
    return float(np.abs(specimen.signal("signal") - exact).max())


@pytest.mark.parametrize(
    ("level", "permeability"),
    [(None, None), (9.0, None), (0.5, None), (0.0, 0.4), (7.0, 3.0)],
    ids=["absorbing", "fixed above", "fixed below", "exchange out", "exchange in"],
)
def test_steady_slab(level: float | None, permeability: float | None) -> None:
    """An open side reaches the closed profile with second order."""
    errors = [slab_error(cells, level, permeability) for cells in (10, 20, 40)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert errors[-1] < 3e-3
    assert np.all(orders > 1.7) and orders[-1] > 1.85, orders


def test_an_absorbing_ball() -> None:
    """A ball that loses a signal all over its curved surface has the closed profile's mean within 6 %, then 3 %."""
    radius, errors = 2.0, []
    for cells in (16, 32):
        tissue = ball(cells, radius)
        tissue.maps["side_opening"] = open_face_conductance(tissue, everywhere(tissue))
        model = build_model(
            "ball",
            {
                "diffusivity": f"{DIFFUSIVITY} mm^2/day",
                "loss": f"{LOSS} 1/day",
                "made": {"value": f"{MADE} pM/day"},
            },
            signals={"signal": {"unit": "pM", "diffusivity": "diffusivity"}},
            processes={
                "decay": {"rate": "loss * signal", "change": {"signal": -1}, "conserves": False},
                "make": {"rate": "made", "change": {"signal": 1}, "conserves": False},
            },
        )
        specimen = Specimen.of(model.with_(*surface_terms(model, "side", None, None)), tissue)
        specimen.diffuse(FOREVER)
        ratio = radius / DEPTH  # mean of 1 - (R / r) sinh(r / depth) / sinh(R / depth)
        mean = MADE / LOSS * (1 - 3 * (ratio / np.tanh(ratio) - 1) / ratio**2)
        found = float(tissue.volume @ specimen.signal("signal") / tissue.volume.sum())
        errors.append(abs(found / mean - 1))
    assert errors[0] < 0.06 and errors[1] < 0.03 and errors[1] < 0.7 * errors[0], errors


def test_what_cannot_be_opened() -> None:
    """A mask of another tissue and a direction that is none are refused."""
    tissue = box_tissue((2, 2, 2), 1.0)
    with pytest.raises(InputError, match="no boolean per voxel"):
        open_face_area(tissue, np.ones(7, dtype=np.bool_))
    with pytest.raises(InputError, match=r"did you mean '\+z'"):
        open_face_area(tissue, everywhere(tissue), ["+zz"])

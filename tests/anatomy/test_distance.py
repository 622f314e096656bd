"""Distances and flood filling against SciPy."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.anatomy.distance import depth_below_surface, distance_to
from tissuesim.anatomy.solid import reached_from_border

ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is the reference here")


@pytest.mark.parametrize("density", [0.001, 0.05, 0.5])
def test_distance_is_exact(density: float) -> None:
    """Claim: distance_to is the exact Euclidean distance transform, in mm, cut at the limit."""
    mask = np.random.default_rng(4).random((17, 30, 23)) < density
    exact = ndimage.distance_transform_edt(~mask, sampling=0.5)
    assert np.allclose(distance_to(mask, 0.5), exact, rtol=1e-6)
    assert np.allclose(distance_to(mask, 0.5, limit=2.0), np.minimum(exact, 2.0), rtol=1e-6)


def test_depth_of_a_ball() -> None:
    """Claim: depth below the surface of a ball of 20 mm is 20 - r, to 0.6 of a 1 mm cell."""
    axis = np.arange(-24.5, 25)
    radius = np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis**2)
    depth = depth_below_surface(radius < 20, 1.0)
    inside = radius < 20
    assert np.abs(depth - (20 - radius))[inside].max() < 0.6
    assert not depth[~inside].any()


def test_flood_from_the_border_is_the_component_of_the_border() -> None:
    """Claim: reached cells are those connected through faces to the border, also through winding ways."""
    free = np.random.default_rng(5).random((40, 41, 42)) < 0.4
    label, _ = ndimage.label(free)
    border = np.ones(free.shape, dtype=bool)
    border[1:-1, 1:-1, 1:-1] = False
    assert np.array_equal(reached_from_border(free), free & np.isin(label, np.unique(label[border & free])))

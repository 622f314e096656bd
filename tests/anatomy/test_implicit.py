"""Shapes by signed distances, and sampling that skips what lies far from a surface."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.anatomy.implicit import negative_where
from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.primitives import ellipsoid, smooth_union, tube

CENTER, HALF = (1.0, -2.0, 0.5), (9.0, 6.0, 14.0)


def field(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return an ellipsoid joined with a tube."""
    return smooth_union(
        ellipsoid((x, y, z), CENTER, HALF), tube((x, y, z), (0, 0, 0), (18, 3, 9))[0] - 2, 3.0
    )


@pytest.mark.parametrize("spacing", [0.37, 1.0, 2.3])
def test_halving_blocks_is_evaluating_everywhere(spacing: float) -> None:
    """Claim: on lattices of any size, also such that are no whole blocks, no sample differs."""
    lattice = Lattice.covering((-10, -10, -16), (22, 8, 17), spacing)
    z, y, x = np.broadcast_arrays(*lattice.axes())
    assert np.array_equal(negative_where(field, lattice, 1.3), field(x, y, z) < 0)


def test_few_points_are_looked_at() -> None:
    """Claim: a ball of 100 samples across takes fewer evaluations than a quarter of its lattice."""
    seen = 0

    def ball(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        nonlocal seen
        seen += x.size
        return np.sqrt(x * x + y * y + z * z) - 10.0

    lattice = Lattice.covering((-10, -10, -10), (10, 10, 10), 0.2)
    inside = negative_where(ball, lattice, 1.0)
    assert inside.sum() * 0.2**3 == pytest.approx(4 / 3 * np.pi * 1000, rel=0.002)
    assert seen < 0.25 * inside.size


def test_field_of_one_sign() -> None:
    """Claim: where no surface is near, the coarse blocks decide alone, both ways."""
    lattice = Lattice((0.5), (0.0, 0.0, 0.0), (9, 10, 11))
    assert not negative_where(lambda x, y, z: np.full(x.shape, 99.0), lattice, 1.0).any()
    assert negative_where(lambda x, y, z: np.full(x.shape, -99.0), lattice, 1.0).all()


def test_ellipsoid_is_a_distance_near_its_surface() -> None:
    """Claim: 0 on the surface, slope 1 across it to 1 %, and exact for a sphere."""
    rng = np.random.default_rng(1)
    way = rng.normal(size=(500, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    surface = way * HALF + np.array(CENTER)
    normal = way / np.array(HALF)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    assert np.abs(ellipsoid(tuple(surface.T), CENTER, HALF)).max() < 1e-9
    for step in (-0.1, 0.1):
        off = ellipsoid(tuple((surface + step * normal).T), CENTER, HALF)
        assert off == pytest.approx(np.full(500, step), rel=0.02)
    sphere = ellipsoid(tuple((3.0 * way).T), (0, 0, 0), (5, 5, 5))
    assert sphere == pytest.approx(np.full(500, -2.0))


def test_tube_is_the_distance_to_a_segment() -> None:
    """Claim: beside the segment, beyond its ends, and the way along."""
    points = (np.array([2.0, -3.0, 7.0]), np.array([1.0, 4.0, 0.0]), np.zeros(3))
    distance, along = tube(points, (0, 0, 0), (4, 0, 0))
    assert distance == pytest.approx([1.0, 5.0, 3.0])
    assert along == pytest.approx([2.0, -3.0, 7.0])


def test_smooth_union_fills_the_crease() -> None:
    """Claim: where both are equal a quarter of the width is filled, a width away nothing."""
    first = np.array([0.0, 0.0, 5.0])
    second = np.array([0.0, 4.0, -1.0])
    assert smooth_union(first, second, 4.0) == pytest.approx([-1.0, 0.0, -1.0])

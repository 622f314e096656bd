"""Dots: as many as there are cells, inside the organ, and steady from day to day."""

import numpy as np
import pytest

from tissuesim.viz.dots import MOST_DOTS, cells_per_dot, dot_positions

SHAPE = (12, 10, 8)
SPACING = 2.0
ORIGIN = np.array([5.0, -3.0, 10.0])


def place(counts, per_dot, fraction=None):
    """Return the dots of cell numbers in a full box."""
    return dot_positions(counts, per_dot, np.ones(SHAPE) if fraction is None else fraction, ORIGIN, SPACING)


def voxels(dots):
    """Return the voxels (z, y, x) that dots lie in."""
    x, y, z = np.floor((dots - ORIGIN) / SPACING).astype(int).T
    return z, y, x


@pytest.mark.parametrize("total", [0.0, 1.0, 999.0, 6e3, 7e6, 3.2e12])
def test_the_fullest_frame_has_a_bounded_number_of_dots(total):
    """A dot stands for 1, 2 or 5 times a power of ten cells, and the fullest frame stays drawable."""
    per_dot = cells_per_dot(total)
    assert total / per_dot <= MOST_DOTS and per_dot >= 1.0
    assert f"{per_dot:e}"[0] in "125" and (per_dot == 1.0 or total / per_dot > MOST_DOTS / 2.6)


def test_one_dot_per_cell_lies_in_the_cells_voxel():
    """With one cell per dot, each voxel holds exactly its cells, x y z in mm."""
    counts = np.random.default_rng(0).integers(0, 4, SHAPE).astype(float)
    seen = np.zeros(SHAPE)
    np.add.at(seen, voxels(place(counts, 1.0)), 1)
    assert np.array_equal(seen, counts)


def test_number_of_dots_is_right_on_average():
    """Voxels with less than a dot's worth of cells still show the right total, within 2 %."""
    counts = np.full((40, 40, 40), 13.0)
    dots = dot_positions(counts, 100.0, np.ones(counts.shape), ORIGIN, SPACING)
    assert len(dots) == pytest.approx(counts.sum() / 100.0, rel=0.02)


def test_dots_stay_when_others_leave():
    """When cells die evenly, the dots left are a subset of those before: nothing flickers."""
    counts = np.random.default_rng(1).integers(0, 3000, SHAPE).astype(float)
    before = {tuple(dot) for dot in place(counts, 500.0)}
    after = {tuple(dot) for dot in place(counts * 0.4, 500.0)}
    assert after and after < before


def test_dots_are_inside_the_organ():
    """At the surface, where voxels are partly outside, dots stay where there is tissue."""
    z, y, x = np.meshgrid(*(np.arange(extent) + 0.5 for extent in (20, 20, 20)), indexing="ij")
    fraction = np.clip(8.3 - np.sqrt((z - 10) ** 2 + (y - 10) ** 2 + (x - 10) ** 2), 0.0, 1.0)
    dots = dot_positions(np.where(fraction > 0, 5.0, 0.0), 1.0, fraction, np.zeros(3), 1.0)
    radius = np.linalg.norm(dots - 10.0, axis=1)  # fraction 1/2 lies at 7.8
    assert len(dots) == 5 * np.count_nonzero(fraction) and radius.max() < 7.8 + 0.35

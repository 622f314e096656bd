"""The camera: the whole organ in the picture, upright, from the side that shows most."""

import numpy as np
import pytest

from tissuesim.viz.view import organ_view

RNG = np.random.default_rng(0)


def organ(size):
    """Return points that fill a box of that size in mm."""
    return RNG.uniform(-0.5, 0.5, (500, 3)) * np.array(size) + np.array([7.0, -20.0, 100.0])


@pytest.mark.parametrize("size", [(60, 40, 110), (110, 60, 40), (30, 120, 50), (50, 50, 50), (200, 10, 10)])
@pytest.mark.parametrize("tilted", [True, False])
def test_everything_is_in_the_picture(size, tilted):
    """No point of the organ is outside the picture, and it is not lost in it either."""
    points = organ(size)
    view = organ_view(points, tilted=tilted)
    across = (points - view.focus) @ view.screen_right
    upward = (points - view.focus) @ view.screen_up
    half_width = view.half_height * view.width / view.height
    assert np.abs(across).max() < half_width and np.abs(upward).max() < view.half_height
    assert max(np.abs(across).max() / half_width, np.abs(upward).max() / view.half_height) > 0.9


@pytest.mark.parametrize("size", [(60, 40, 110), (110, 60, 40), (30, 120, 50)])
def test_axes_are_right_handed_and_the_cut_faces_the_reader(size):
    """Right, up and toward the reader are a right-handed frame; what is cut away lies on the near side."""
    points = organ(size)
    view = organ_view(points)
    frame = np.stack([view.screen_right, view.screen_up, view.toward_camera])
    assert frame @ frame.T == pytest.approx(np.eye(3), abs=1e-12) and np.linalg.det(frame) == pytest.approx(
        1.0
    )
    assert view.toward_camera @ view.front > 0.5
    gone = view.cut_away(points)
    assert 0.2 < gone.mean() < 0.45
    near = (points - view.center) @ view.front
    assert near[gone].min() > 0.0 and near[~gone].min() < 0.0
    shown = view.near_cut(points)
    assert shown.any() and not (shown & ~gone).any()
    above = (points - view.shelf) @ view.up
    assert np.minimum(near, above)[shown].max() < view.depth


def test_pixels_have_the_size_they_claim():
    """The mm per pixel times the height of the picture is the height of the scene."""
    view = organ_view(organ((60, 40, 110)))
    assert view.mm_per_pixel * view.height == pytest.approx(2 * view.half_height)
    assert 110 < 2 * view.half_height < 140

"""Geometry of pictures: organs in the body, regions taken apart, fields read off between voxels."""

import numpy as np
import pytest

from tissuesim.run import Run
from tissuesim.viz.body import TRUNK, organ_kind, outline, place_in_body, placed
from tissuesim.viz.explode import explode, in_rows
from tissuesim.viz.frames import OrganReader, read_pictures, shared_scale
from tissuesim.viz.grid import BORDER, PointReader, blurred, extended
from tissuesim.viz.view import TURN, organ_view, swung


@pytest.fixture(scope="module")
def organs(patient_directory):
    """The organs of a patient on the day of the peak, by name."""
    run = Run(patient_directory)
    return {name: read_pictures(run, name, [9.0], "inflammation") for name in run.organs}


@pytest.mark.parametrize("name", ["kidney_left", "kidney_right", "lungs", "heart"])
def test_an_organ_is_the_same_in_the_body(organs, name):
    """Placing turns and moves an organ and does nothing else: no mirror image, the same tissue, field and cells."""
    own = organs[name]
    place = place_in_body(own)
    body = placed(own, place)
    assert np.linalg.det(place.turn) == pytest.approx(1.0)
    middle = own.origin + np.array(own.fraction.shape[::-1]) * own.spacing / 2
    order = np.lexsort(np.round(place.points(own.points(), middle), 6).T)
    other = np.lexsort(np.round(body.points(), 6).T)
    assert place.points(own.points(), middle)[order] == pytest.approx(body.points()[other])
    values = own.frames[0].values[own.fraction > 0.0][order]
    assert np.array_equal(values, body.frames[0].values[body.fraction > 0.0][other])
    for layer, moved in zip(own.frames[0].layers, body.frames[0].layers, strict=True):
        assert moved.total == layer.total and len(moved.positions) == len(layer.positions)
        index = np.floor((moved.positions - body.origin) / body.spacing).astype(int)[:, ::-1]
        assert (body.fraction[tuple(index.T)] > 0.0).all()


def test_kidneys_lie_on_their_sides_and_look_inwards(organs):
    """The left kidney is at the patient's left (-x), the right one lower; both turn the hilum to the midline."""
    left, right = (
        placed(organs[name], place_in_body(organs[name])) for name in ("kidney_left", "kidney_right")
    )
    assert left.points()[:, 0].max() < 0.0 < right.points()[:, 0].min()
    assert right.points()[:, 2].mean() < left.points()[:, 2].mean()
    for body, medial in ((left, 1.0), (right, -1.0)):
        points = body.points() - (body.points().min(axis=0) + body.points().max(axis=0)) / 2
        waist = points[np.abs(points[:, 2]) < 8.0][:, 0] * medial
        assert waist.max() < np.abs(waist.min()) - 4.0  # tissue is missing where the hilum is


def test_the_trunk_holds_its_organs(organs):
    """Lungs, heart and kidneys lie inside the outline of the trunk and inside the picture."""
    from matplotlib.path import Path

    curve = Path(outline()[:, [0, 2]])
    low_x, high_x, low_z, high_z = TRUNK
    for name in ("kidney_left", "kidney_right", "lungs", "heart"):
        points = placed(organs[name], place_in_body(organs[name])).points()[:, [0, 2]]
        assert curve.contains_points(points).all(), name
        assert (points > [low_x, low_z]).all() and (points < [high_x, high_z]).all()
    assert place_in_body(organs["skin"]) is None and place_in_body(organs["knee"]) is None


@pytest.mark.parametrize(
    ("name", "settings", "kind"),
    [
        ("kidney_left", {}, "kidney"), ("knee", {}, "joint"), ("a", {"anatomy": "lungs"}, "lungs"),
        ("lungs", {"kind": "heart"}, "heart"), ("a", {"anatomy": "scan.stl"}, ""), ("b", {"kind": None}, ""),
    ],
)  # fmt: skip
def test_kinds_of_organs(name, settings, kind):
    """What a config says comes first, then the anatomy, then the name; an unknown organ is of no kind."""
    assert organ_kind(name, settings) == kind


@pytest.mark.parametrize("seed", range(20))
def test_parts_in_rows_do_not_meet_and_keep_their_order(seed):
    """Boxes of any size and place end apart; in a row what lay left is left, and rows go from above to below."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 9))
    middle, half = rng.uniform(-50, 50, (count, 2)), rng.uniform(1, 40, (count, 2))
    place = middle + in_rows(middle, half, rng.integers(4, 24, count))
    for one in range(count):
        for other in range(one):
            assert (np.abs(place[one] - place[other]) >= half[one] + half[other] - 1e-9).any()
    bottoms = np.round(place[:, 1] - half[:, 1], 6)
    for row in np.unique(bottoms):
        own = bottoms == row
        assert (np.argsort(place[own, 0]) == np.argsort(middle[own, 0])).all()
        if (bottoms < row).any():
            assert middle[own, 1].min() >= middle[bottoms < row, 1].max()


def test_an_exploded_organ_is_in_the_picture_with_all_its_parts(organs):
    """Every region is there, none is lost behind the border, and the shell around another one is cut open."""
    pictures = organs["kidney_left"]
    exploded, view = explode(pictures, 900)
    assert exploded.labels.tolist() == [0, 1] and exploded.cut_open.tolist() == [True, False]
    half_width = view.half_height * view.width / view.height
    boxes = exploded.boxes - np.repeat([view.focus @ view.screen_right, view.focus @ view.screen_up], 2)
    assert np.abs(boxes[:, :2]).max() < half_width and np.abs(boxes[:, 2:]).max() < view.half_height
    dots = pictures.frames[0].layers[1].positions
    moved = exploded.moved(dots, pictures)
    assert 0 < len(moved) < len(dots)  # those in the half that is cut away are left out


def test_a_camera_that_swings_keeps_the_scale_and_the_organ(organs):
    """Whatever the turn, the organ stays in the picture and a mm stays as long."""
    points = organs["kidney_left"].points()
    still = organ_view(points)
    views = swung(points, still, TURN + np.linspace(-0.4, 0.4, 9))
    assert len({view.half_height for view in views}) == 1
    assert len({tuple(view.toward_camera) for view in views}) == 9
    for view in views:
        assert (view.width, view.height) == (still.width, still.height)
        flat = (points - view.focus) @ np.stack([view.screen_right, view.screen_up]).T
        assert np.abs(flat[:, 0]).max() < view.half_height * view.width / view.height
        assert np.abs(flat[:, 1]).max() < view.half_height


def test_a_linear_field_is_read_off_exactly():
    """Between voxel centers values are linear, so that a plane comes back as it is."""
    z, y, x = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in (9, 8, 7)), indexing="ij")
    field = (2.0 * x - 3.0 * y + 0.5 * z + 1.0).astype(np.float32)
    points = np.random.default_rng(0).uniform(0.1, 5.8, (200, 3))
    expected = 2.0 * points[:, 0] - 3.0 * points[:, 1] + 0.5 * points[:, 2] + 1.0
    assert PointReader(points, field.shape)(field) == pytest.approx(expected, abs=1e-4)


def test_a_field_goes_on_beyond_the_organ_and_no_further():
    """A constant stays constant for `BORDER` voxels outside, values inside are untouched, far away is zero."""
    known = np.zeros((15, 15, 15), dtype=bool)
    known[5:10, 5:10, 5:10] = True
    inside = np.random.default_rng(1).uniform(1, 2, known.shape).astype(np.float32)
    result = extended(np.where(known, inside, np.nan), known)
    assert np.array_equal(result[known], inside[known])
    constant = extended(np.where(known, 7.0, np.nan), known)
    assert constant[7, 7, 10 : 10 + BORDER] == pytest.approx(7.0) and constant[7, 7, 10 + BORDER] == 0.0
    assert blurred(np.full((6, 6, 6), 3.0)) == pytest.approx(3.0)


def test_a_moment_between_two_frames_is_the_mean_of_them(run_directory):
    """Fields and cells are linear in time; on the day of a frame they are the frame."""
    reader = OrganReader(Run(run_directory), "kidney", "inflammation")
    scale = shared_scale([reader])
    before, after = (reader.frame(int(reader.written[index]), scale) for index in (4, 5))
    middle = reader.between((before.day + after.day) / 2, scale)
    tissue = np.isfinite(before.values)
    assert middle.values[tissue] == pytest.approx((before.values + after.values)[tissue] / 2)
    for one, layer, other in zip(before.layers, middle.layers, after.layers, strict=True):
        assert layer.total == pytest.approx((one.total + other.total) / 2)
    on_the_day = reader.between(before.day, scale)
    assert np.array_equal(on_the_day.values[tissue], before.values[tissue])
    assert [layer.total for layer in on_the_day.layers] == [layer.total for layer in before.layers]

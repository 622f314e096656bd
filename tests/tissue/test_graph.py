"""The control-volume graph against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.tissue import Tissue, box_tissue, build_graph
from tissuesim.tissue.graph import connected_components
from tissuesim.tissue.order import BUNDLE, pencil_order


def ball(radius: float, spacing: float, samples: int = 4) -> tuple[np.ndarray, float]:
    """Return the supersampled fractions of a ball in a box, and its half width."""
    half = np.ceil(radius / spacing) * spacing + spacing
    centers = np.arange(-half + spacing / samples / 2, half, spacing / samples)
    inside = (
        centers[:, None, None] ** 2 + centers[None, :, None] ** 2 + centers[None, None, :] ** 2 < radius**2
    )
    count = len(centers) // samples
    return inside.reshape((count, samples) * 3).mean(axis=(1, 3, 5)), half


@pytest.fixture(scope="module")
def sphere() -> Tissue:
    """Return a ball of 10 mm in 1 mm voxels."""
    fraction, half = ball(10.0, 1.0)
    return build_graph("ball", fraction, np.zeros(fraction.shape, np.uint8), 1.0, (-half, -half, -half))


def test_box_neighbors_are_the_six_faces_in_order() -> None:
    """Claim: in a full box neighbor k of voxel (z, y, x) is the voxel one step along -x +x -y +y -z +z."""
    tissue = box_tissue((3, 4, 5), 2.0)
    place = {int(index): number for number, index in enumerate(tissue.box_index)}
    steps = [(0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0)]
    for z, y, x in np.ndindex(3, 4, 5):
        own = place[z * 20 + y * 5 + x]
        for face, (dz, dy, dx) in enumerate(steps):
            there = (z + dz, y + dy, x + dx)
            inside = all(0 <= a < b for a, b in zip(there, (3, 4, 5), strict=True))
            expected = place[there[0] * 20 + there[1] * 5 + there[2]] if inside else own
            assert tissue.neighbors[own, face] == expected
            assert tissue.conductance[own, face] == (2.0 if inside else 0.0)  # h^2 / h


def test_sphere_volume_is_the_formula(sphere: Tissue) -> None:
    """Claim: partial volumes hold 4/3 pi r^3 to 0.1 % at ten voxels a radius."""
    assert sphere.volume.sum() == pytest.approx(4 / 3 * np.pi * 1000, rel=1e-3)
    assert sphere.report["volume_ml"] == pytest.approx(sphere.volume.sum() / 1000)


def test_sphere_graph_is_symmetric(sphere: Tissue) -> None:
    """Claim: conductance[i, k] equals conductance[neighbors[i, k], k^1], faces are min(f_i, f_j) h."""
    own = np.arange(sphere.n)
    for face in range(6):
        there = sphere.neighbors[:, face]
        assert np.array_equal(
            sphere.conductance[there, face ^ 1][there != own], sphere.conductance[there != own, face]
        )
        expected = np.where(there == own, 0, np.minimum(sphere.fraction, sphere.fraction[there]))
        assert np.allclose(sphere.conductance[:, face], expected, rtol=1e-12, atol=0)


def test_sphere_graph_mirrors(sphere: Tissue) -> None:
    """Claim: a ball's total conductance is the same along -x, +x, -y, +y, -z and +z."""
    totals = sphere.conductance.sum(axis=0)
    assert np.allclose(totals, totals[0], rtol=1e-12)


def test_centers_of_a_sphere_average_to_its_center(sphere: Tissue) -> None:
    """Claim: centers() are x, y, z in mm in the frame of origin."""
    mean = (sphere.centers() * sphere.volume[:, None]).sum(axis=0) / sphere.volume.sum()
    assert np.allclose(mean, 0, atol=1e-9)
    off_center = build_graph("one", np.eye(3)[:1, None, :], np.zeros((1, 1, 3), int), 2.0, (10.0, 20.0, 30.0))
    assert off_center.centers().tolist() == [[11.0, 21.0, 31.0]]


def test_slivers_are_dropped_and_told() -> None:
    """Claim: fractions below 1e-3 leave the graph and their volume stands in the report."""
    fraction = np.ones((2, 2, 2))
    fraction[0, 0, 0] = 5e-4
    tissue = build_graph("sliver", fraction, np.zeros(fraction.shape, np.uint8), 10.0)
    assert tissue.n == 7
    assert tissue.report["dropped_volume_ml"] == pytest.approx(5e-4)
    assert tissue.report["volume_ml"] == pytest.approx(7.0)


def test_loose_parts_are_reported() -> None:
    """Claim: parts not joined through a face count as components and their volume is told."""
    fraction = np.zeros((5, 5, 9))
    fraction[:, :, :4] = 1
    fraction[2, 2, 6] = 0.5
    fraction[3, 3, 7] = 0.25  # touches the former by an edge only
    tissue = build_graph("parts", fraction, np.zeros(fraction.shape, np.uint8), 10.0)
    assert tissue.report["components"] == 3
    assert tissue.report["loose_volume_ml"] == pytest.approx(0.75)


def test_components_follow_a_maze() -> None:
    """Claim: a long winding corridor is one component, cut once it is two."""
    length = 500
    neighbors = np.tile(np.arange(length, dtype=np.int32)[:, None], (1, 2))
    neighbors[1:, 0] -= 1
    neighbors[:-1, 1] += 1
    shuffled = np.random.default_rng(1).permutation(length).astype(np.int32)
    renamed = np.empty_like(neighbors)
    renamed[shuffled] = shuffled[neighbors]
    assert len(np.unique(connected_components(renamed))) == 1
    renamed[shuffled[249], 1] = shuffled[249]
    renamed[shuffled[250], 0] = shuffled[250]
    assert len(np.unique(connected_components(renamed))) == 2


def test_order_keeps_every_voxel_once_and_pencils_together() -> None:
    """Claim: the storage order is a permutation, each bundle of lines is stored in one piece, x running fastest."""
    shape = (2 * BUNDLE, 3 * BUNDLE, 5)
    index = np.flatnonzero(np.random.default_rng(4).random(shape) < 0.7)
    order = pencil_order(index, shape)
    assert sorted(order) == list(range(index.size))
    z, y, x = np.unravel_index(index[order], shape)
    pencil = z // BUNDLE * 10 + y // BUNDLE
    assert np.all(np.diff(pencil) >= 0)
    same_line = (np.diff(z) == 0) & (np.diff(y) == 0)
    assert np.all(np.diff(x)[same_line] > 0)
    assert same_line.mean() > 0.6


@pytest.mark.parametrize(
    ("fraction", "sentence"),
    [
        (np.zeros((3, 3, 3)), "no voxel of 1 mm holds tissue"),
        (np.full((3, 3, 3), np.nan), "finite and between 0 and 1"),
        (np.full((3, 3, 3), 1.5), "finite and between 0 and 1"),
        (np.ones((3, 3)), "one 3D box"),
    ],
)
def test_bad_fractions_are_refused(fraction: np.ndarray, sentence: str) -> None:
    """Claim: an empty, non-finite, too large or flat box is an InputError with one sentence."""
    with pytest.raises(InputError, match=sentence):
        build_graph("bad", fraction, np.zeros((3, 3, 3), np.uint8), 1.0)


def test_unnamed_region_and_broken_map_are_refused() -> None:
    """Claim: a region number without a name and a map with NaN inside the organ are found at build."""
    ones = np.ones((2, 2, 2))
    with pytest.raises(InputError, match="region number 1 has no name"):
        build_graph("bad", ones, np.ones((2, 2, 2), np.uint8), 1.0)
    with pytest.raises(InputError, match="map 'm' has a value that is not finite"):
        build_graph("bad", ones, np.zeros((2, 2, 2), np.uint8), 1.0, maps={"m": ones * np.nan})

"""Mending of surfaces: seams, winding, holes, shells."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tissuesim.anatomy.mesh import Edges, Mesh, signed_volume
from tissuesim.anatomy.repair import border_lines, mend, turn_alike, weld
from tissuesim.anatomy.shells import contains


def ball(meshes: SimpleNamespace, radius: float = 25, center: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    """Return a sphere as a mesh."""
    return Mesh(*meshes.arrays(meshes.sphere(radius, center, parts=24), "ball"))


def joined(*parts: Mesh) -> Mesh:
    """Return several meshes as one."""
    start = np.cumsum([0, *(len(part.points) for part in parts)])
    triangles = [part.triangles + first for part, first in zip(parts, start, strict=False)]
    return Mesh("joined", np.concatenate([part.points for part in parts]), np.concatenate(triangles))


def test_welding_does_not_depend_on_any_order(meshes: SimpleNamespace) -> None:
    """Claim: points, triangles and corners in any order weld to the same bits."""
    mesh = ball(meshes)
    random = np.random.default_rng(3)
    soup = (
        mesh.points[mesh.triangles].reshape(-1, 3) + random.normal(size=(3 * len(mesh.triangles), 3)) * 1e-5
    )
    faces = np.arange(len(soup)).reshape(-1, 3)
    first = weld(Mesh("soup", soup, faces))
    order = random.permutation(len(soup))
    place = np.argsort(order)
    second = weld(Mesh("soup", soup[order], np.roll(place[faces], 1, axis=1)[random.permutation(len(faces))]))
    assert len(first.points) == len(mesh.points)
    np.testing.assert_array_equal(first.points, second.points)
    np.testing.assert_array_equal(first.triangles, second.triangles)


@pytest.mark.parametrize("gap", [1e-4, 2e-3])
def test_seams_are_welded(meshes: SimpleNamespace, gap: float) -> None:
    """Claim: faces 0.1 um apart, and 2 um apart (over the tolerance of 1 um), become one closed surface."""
    mesh = ball(meshes)
    soup = mesh.points[mesh.triangles].reshape(-1, 3)
    soup = soup + np.random.default_rng(1).uniform(-gap / 2, gap / 2, soup.shape)
    solids, mending = mend(Mesh("torn", soup, np.arange(len(soup)).reshape(-1, 3)))
    assert len(solids) == 1
    assert mending.watertight
    assert ("seams welded" in mending.words()) == (gap > 1e-3)
    assert mending.volume == pytest.approx(signed_volume(mesh), rel=1e-3)


def test_a_wide_gap_is_no_seam(meshes: SimpleNamespace) -> None:
    """Claim: pieces 0.5 mm apart are not glued together: the part stays open and says so."""
    mesh = ball(meshes)
    soup = mesh.points[mesh.triangles].reshape(-1, 3)
    soup = soup + np.repeat(np.random.default_rng(1).uniform(-0.5, 0.5, (len(mesh.triangles), 3)), 3, axis=0)
    _, mending = mend(Mesh("torn", soup, np.arange(len(soup)).reshape(-1, 3)))
    assert mending.open_edges == len(soup)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6])
def test_triangles_are_turned_alike(meshes: SimpleNamespace, share: float) -> None:
    """Claim: whichever faces are turned, neighbors agree again, and the fewer ones are turned back."""
    mesh = ball(meshes)
    flip = np.random.default_rng(4).random(len(mesh.triangles)) < share
    wound = np.where(flip[:, None], mesh.triangles[:, ::-1], mesh.triangles)
    turned, count = turn_alike(Mesh("wound", mesh.points, wound))
    assert count == min(flip.sum(), len(flip) - flip.sum())
    assert Edges.of(turned.triangles).consistent()
    assert abs(signed_volume(turned)) == pytest.approx(signed_volume(mesh), rel=1e-12)


def test_a_moebius_strip_is_not_called_consistent() -> None:
    """Claim: a surface with one side has no sound winding and no volume, and mending it ends."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    across = np.array([-3.0, 3.0])
    radius = 20 + across[None] * np.cos(angle / 2)[:, None]
    height = across[None] * np.sin(angle / 2)[:, None]
    points = np.stack(
        [radius * np.cos(angle)[:, None], radius * np.sin(angle)[:, None], height], axis=-1
    ).reshape(-1, 3)
    faces = []
    for k in range(24):
        a, b = 2 * k, 2 * k + 1
        c, d = (2 * k + 2, 2 * k + 3) if k < 23 else (1, 0)  # glued with a twist
        faces += [[a, b, c], [b, d, c]]
    _, mending = mend(Mesh("strip", points, np.array(faces)))
    assert not mending.consistent
    assert mending.volume is None


def test_shells_are_told_from_voids_and_crossing_bodies(meshes: SimpleNamespace) -> None:
    """Claim: a nested body is a void, a body in it solid, one apart adds up, crossing ones are united."""
    outer, inner, core = ball(meshes), ball(meshes, 15), ball(meshes, 6)
    apart, crossing = ball(meshes, 10, (60, 0, 0)), ball(meshes, 10, (25, 0, 0))
    sizes = [signed_volume(part) for part in (outer, inner, core, apart)]
    solids, mending = mend(joined(outer, inner, core, apart))
    assert (len(solids), mending.bodies, mending.voids) == (1, 4, 1)
    assert mending.volume == pytest.approx(sizes[0] - sizes[1] + sizes[2] + sizes[3], rel=1e-9)
    assert "4 shells, 1 of them around a void" in mending.words()
    solids, mending = mend(joined(outer, inner, crossing))
    assert (len(solids), mending.volume) == (2, None)
    assert sorted(len(solid.triangles) for solid in solids) == sorted(
        [len(outer.triangles) + len(inner.triangles), len(crossing.triangles)]
    )
    assert "crossing shells united" in mending.words()


def test_a_point_is_inside_or_not(meshes: SimpleNamespace) -> None:
    """Claim: a ray finds points inside and outside a ball, also far along its own direction."""
    mesh = ball(meshes)
    assert contains(mesh, np.zeros(3))
    assert contains(mesh, np.array([10.0, -12.0, 14.0]))
    assert not contains(mesh, np.array([24.0, 12.0, 0.0]))
    assert not contains(mesh, -100 * np.array([0.5291, 0.3877, 0.7548]))


def test_open_edges_are_found_where_they_are(meshes: SimpleNamespace) -> None:
    """Claim: without one face the border is its three edges, and the words count them."""
    mesh = ball(meshes)
    cut = Mesh("cut", mesh.points, np.delete(mesh.triangles, 100, axis=0))
    lines = border_lines(weld(cut))
    corners = {tuple(point) for point in mesh.points[mesh.triangles[100]].tolist()}
    assert {tuple(point) for point in lines.reshape(-1, 3).tolist()} == corners
    _, mending = mend(cut)
    assert mending.open_edges == 3
    assert "1 hole closed (3 open edges" in mending.words()

"""Control-volume graph of a tetrahedral mesh: two-point fluxes between circumcenters.

The line between the circumcenters of two neighbors is perpendicular to their common face, so that the flux
``D area (c_j - c_i) / distance`` is consistent (R. Eymard, T. Gallouet, R. Herbin, "Finite volume methods", Handbook of
Numerical Analysis 7 (2000), section 3). In a Delaunay mesh all distances are positive. Tetrahedra on one sphere (a
cube cut in six) have one circumcenter: they are joined to one control volume, the true cell of the Delaunay complex.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .faces import six_slots
from .graph import connected_components
from .tissue import Tissue

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

JOINED = 1e-6
"""Circumcenters nearer than this times the size of the cells are one."""

NEAREST = 0.02
"""Centers are taken to be at least this times the size of the cells apart: slivers must not set the step."""

LARGEST_DISTORTED_SHARE = 0.2
"""Of the area of all inner faces: more between centers in the wrong order is no Delaunay mesh."""

_CORNERS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
_MOST_NEIGHBORS = 6


@dataclass(frozen=True)
class _Faces:
    """Inner faces: cells on both sides, area, distance of the circumcenters along the normal (signed)."""

    first: Numbers
    second: Numbers
    area: Floats
    distance: Floats


def build_tetrahedra(
    name: str,
    points: Floats,
    cells: Numbers,
    region: NDArray[np.uint8],
    region_names: tuple[str, ...] = ("tissue",),
    maps: Mapping[str, Floats] | None = None,
    report: Mapping[str, object] | None = None,
) -> Tissue:
    """Return the checked tissue of a mesh: points (p, 3) mm, cells (m, 4) point numbers, region and maps (m,).

    Control volumes are tetrahedra, or unions of those on one sphere; ``points`` of the tissue are their centers.
    Raises InputError for point numbers out of range, cells without volume, or a mesh far from Delaunay.
    """
    points, cells = np.asarray(points, np.float64), np.asarray(cells, np.int64)
    volume = _volumes(name, points, cells)
    centers = _circumcenters(points, cells)
    faces = _inner_faces(points, cells, centers)
    size = np.cbrt(volume)
    together = _clusters(len(cells), faces, size, region)
    distorted = _distorted_share(name, faces)
    graph = _join(faces, together, size)
    n = int(together.max()) + 1
    joint_volume = np.bincount(together, volume, n).astype(np.float64)

    def mean(values: Floats) -> Floats:
        return np.bincount(together, volume * values, n) / joint_volume

    joint_centers = np.stack([mean(column) for column in centers.T], axis=1)
    joint_region = np.zeros(n, np.uint8)
    joint_region[together] = region
    slot = six_slots(n, graph.first, graph.second)
    neighbors = np.repeat(np.arange(n, dtype=np.int32)[:, None], _MOST_NEIGHBORS, axis=1)
    conductance = np.zeros((n, _MOST_NEIGHBORS))
    for here, there, place in ((graph.first, graph.second, slot), (graph.second, graph.first, slot ^ 1)):
        neighbors[here, place] = there
        conductance[here, place] = graph.area  # area / distance by now
    component = connected_components(neighbors)
    tissue = Tissue(
        name=name,
        spacing=float(np.cbrt(joint_volume.max())),
        shape=(1, 1, n),
        origin=(0.0, 0.0, 0.0),
        box_index=np.arange(n, dtype=np.int64),
        neighbors=neighbors,
        conductance=conductance,
        volume=joint_volume,
        region=joint_region,
        region_names=tuple(region_names),
        maps={key: mean(np.asarray(values, np.float64)) for key, values in (maps or {}).items()},
        points=joint_centers,
        report={
            **(report or {}),
            "domain": "tetrahedra",
            "tetrahedra": len(cells),
            "control_volumes": n,
            "volume_ml": float(volume.sum()) / 1000,
            "components": len(np.unique(component)),
            "distorted_share_of_area": distorted,
        },
    )
    order = _near_each_other(joint_centers, tissue.spacing)
    return tissue.reordered(order).renumbered().check()


def _volumes(name: str, points: Floats, cells: Numbers) -> Floats:
    if cells.ndim != 2 or cells.shape[1] != 4 or not len(cells):
        raise InputError(f"tissue '{name}': tetrahedra are rows of four point numbers, not {cells.shape}")
    if cells.min() < 0 or cells.max() >= len(points):
        raise InputError(f"tissue '{name}': a tetrahedron names point {cells.max()} of {len(points)}")
    if not np.isfinite(points[cells]).all():
        raise InputError(f"tissue '{name}': a corner of a tetrahedron is not a finite number")
    a, b, c, d = (points[cells[:, k]] for k in range(4))
    volume = np.abs(np.einsum("ij,ij->i", b - a, np.cross(c - a, d - a))) / 6.0
    edge = np.linalg.norm(points[cells] - np.roll(points[cells], 1, axis=1), axis=2).max(axis=1)
    flat = volume < 1e-9 * edge**3
    if flat.any():
        raise InputError(f"tissue '{name}': {int(flat.sum())} tetrahedra are flat; remove them from the mesh")
    return np.asarray(volume)


def _circumcenters(points: Floats, cells: Numbers) -> Floats:
    """Solve 2 (p_k - p_0) . c = |p_k|^2 - |p_0|^2, k = 1..3, around the first corner."""
    corner = points[cells]
    edges = corner[:, 1:] - corner[:, :1]
    right = 0.5 * np.einsum("ijk,ijk->ij", edges, edges)
    return np.asarray(corner[:, 0] + np.linalg.solve(edges, right[..., None])[..., 0])


def _inner_faces(points: Floats, cells: Numbers, centers: Floats) -> _Faces:
    """Pair the faces that two cells share."""
    corners = np.sort(cells[:, _CORNERS].reshape(-1, 3), axis=1)
    order = np.lexsort(corners.T)
    same = np.flatnonzero(np.all(corners[order[1:]] == corners[order[:-1]], axis=1))
    if len(same) and np.any(np.diff(same) == 1):
        raise InputError("three tetrahedra share one face; the mesh overlaps itself")
    first, second = order[same] // 4, order[same + 1] // 4
    a, b, c = (points[corners[order[same], k]] for k in range(3))
    normal = 0.5 * np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1)
    opposite = points[cells[first]].mean(axis=1)
    outward = np.sign(np.einsum("ij,ij->i", normal, a - opposite))
    along = np.einsum("ij,ij->i", normal, centers[second] - centers[first]) * outward / area
    return _Faces(first, second, area, along)


def _clusters(m: int, faces: _Faces, size: Floats, region: NDArray[np.uint8]) -> Numbers:
    """Number the control volumes: cells of one region with one circumcenter are together, (m,).

    A union with more than six neighbors stays apart.
    """
    near = np.abs(faces.distance) < JOINED * np.minimum(size[faces.first], size[faces.second])
    near &= region[faces.first] == region[faces.second]
    links = np.repeat(np.arange(m, dtype=np.int32)[:, None], 4, axis=1)
    used = np.zeros(m, np.int64)
    for a, b in zip(faces.first[near].tolist(), faces.second[near].tolist(), strict=True):
        links[a, used[a]], links[b, used[b]] = b, a
        used[a] += 1
        used[b] += 1
    label = connected_components(links).astype(np.int64)
    while True:
        pairs = np.unique(
            np.sort(np.stack([label[faces.first], label[faces.second]], axis=1), axis=1), axis=0
        )
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        crowded = np.flatnonzero(np.bincount(pairs.ravel(), minlength=m) > _MOST_NEIGHBORS)
        members = np.isin(label, crowded)
        if not members.any():
            return np.unique(label, return_inverse=True)[1].reshape(-1).astype(np.int64)
        label[members] = np.flatnonzero(members)


def _distorted_share(name: str, faces: _Faces) -> float:
    total = float(faces.area.sum())
    share = float(faces.area[faces.distance < 0].sum()) / total if total else 0.0
    if share > LARGEST_DISTORTED_SHARE:
        raise InputError(
            f"tissue '{name}': {share:.0%} of the faces lie between centers in the wrong order; two-point fluxes need "
            "a Delaunay mesh, so mesh it again with a Delaunay algorithm (Gmsh: Mesh.Algorithm3D = 1)"
        )
    return share


def _join(faces: _Faces, together: Numbers, size: Floats) -> _Faces:
    """Faces between control volumes; ``area`` becomes area / distance, summed over the faces of a pair."""
    a, b = together[faces.first], together[faces.second]
    inner = a != b
    smallest = NEAREST * np.minimum(size[faces.first], size[faces.second])
    conductance = (faces.area / np.maximum(faces.distance, smallest))[inner]
    pairs, place = np.unique(
        np.sort(np.stack([a[inner], b[inner]], axis=1), axis=1), axis=0, return_inverse=True
    )
    summed = np.bincount(place.reshape(-1), conductance, len(pairs)).astype(np.float64)
    return _Faces(pairs[:, 0], pairs[:, 1], summed, np.zeros(len(pairs)))


def _near_each_other(centers: Floats, size: float) -> Numbers:
    """Return an order in which neighbors in space are near each other in memory: by bricks of four cells."""
    brick = np.floor((centers - centers.min(axis=0)) / (4.0 * size)).astype(np.int64)
    x, y, z = brick.T
    return np.lexsort((centers[:, 0], x, y, z)).astype(np.int64)

"""The bodies of one closed surface part: which lie inside which, which cross, and what they enclose together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .mesh import Edges, Mesh, connected, signed_volume

_MOST_BODIES = 64  # of a part that are told apart; more are filled by even-odd together
_PROBES = 48  # points of a body that are looked up in another
_NESTED = 0.9  # share of a body's points in another from which it counts as inside it
_SLANT = np.array([0.5291, 0.3877, 0.7548])  # a ray that meets no axis-aligned edge
_SMALLEST = 1e-9  # of a triangle's determinant: seen edge-on


def arrange(mesh: Mesh) -> tuple[tuple[Mesh, ...], int, int, float | None]:
    """Return surfaces to be filled by even-odd each and united, the bodies, the voids among them, and the volume.

    A body inside another is a void (a body in a void is solid again), as even-odd filling has it. Bodies that
    cross are returned apart, because even-odd would leave their common part empty. The volume (mm^3) is
    sum (-1)^depth |V|, None where bodies cross or were too many to be told apart.
    """
    bodies = split(mesh)
    if len(bodies) > _MOST_BODIES:
        return (mesh,), len(bodies), 0, None
    if len(bodies) == 1:
        return (mesh,), 1, 0, abs(signed_volume(mesh))
    inside, crossing = _relations(bodies)
    depth = inside.sum(axis=1)
    voids = int(np.count_nonzero(depth % 2))
    if not crossing.any():
        volume = sum(
            (-1) ** int(level) * abs(signed_volume(body)) for body, level in zip(bodies, depth, strict=True)
        )
        return (mesh,), len(bodies), voids, float(volume)
    group = connected(np.argwhere(inside), len(bodies))
    solids = [
        [body for body, of in zip(bodies, group, strict=True) if of == name] for name in np.unique(group)
    ]
    return tuple(_joined(mesh, members) for members in solids), len(bodies), voids, None


def split(mesh: Mesh) -> list[Mesh]:
    """Return the bodies of a mesh: sets of triangles that hang together by edges. They share the points."""
    edges = Edges.of(mesh.triangles)
    owner = np.repeat(np.arange(len(mesh.triangles)), 3)
    order = np.argsort(edges.of_triangle.reshape(-1), kind="stable")
    number, owner = edges.of_triangle.reshape(-1)[order], owner[order]
    same = number[1:] == number[:-1]
    label = connected(np.stack([owner[:-1][same], owner[1:][same]], axis=1), len(mesh.triangles))
    return [_part(mesh, label == name) for name in np.unique(label)]


def _part(mesh: Mesh, chosen: NDArray[np.bool_]) -> Mesh:
    used, compact = np.unique(mesh.triangles[chosen], return_inverse=True)
    return Mesh(mesh.name, mesh.points[used], compact.reshape(-1, 3))


def _joined(mesh: Mesh, bodies: list[Mesh]) -> Mesh:
    start = np.cumsum([0, *(len(body.points) for body in bodies)])
    points = np.concatenate([body.points for body in bodies])
    triangles = np.concatenate([body.triangles + first for body, first in zip(bodies, start, strict=False)])
    return Mesh(mesh.name, points, triangles)


def _relations(bodies: list[Mesh]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (b, b) whether body i lies inside body j, and whether they cross."""
    count = len(bodies)
    share = np.zeros((count, count))
    lower, upper = (np.array([getattr(body, side) for body in bodies]) for side in ("lower", "upper"))
    for i, body in enumerate(bodies):
        probes = body.points[np.linspace(0, len(body.points) - 1, min(_PROBES, len(body.points))).astype(int)]
        for j, other in enumerate(bodies):
            if i != j and (lower[i] <= upper[j]).all() and (lower[j] <= upper[i]).all():
                share[i, j] = np.mean([contains(other, probe) for probe in probes])
    inside = share >= _NESTED
    crossing = (share > 0) & ~inside & ~inside.T
    return inside, crossing | crossing.T


def contains(mesh: Mesh, point: NDArray[np.float64]) -> bool:
    """Return whether a slanted ray from the point crosses a closed surface an odd number of times."""
    a, b, c = (mesh.points[mesh.triangles[:, k]] for k in range(3))
    along, across = b - a, c - a
    normal = np.cross(_SLANT, across)
    scale = np.einsum("ij,ij->i", along, normal)
    size = np.linalg.norm(along, axis=1) * np.linalg.norm(across, axis=1)
    seen = np.abs(scale) > _SMALLEST * size
    scale = np.where(seen, scale, 1.0)
    start = point - a
    u = np.einsum("ij,ij->i", start, normal) / scale
    turn = np.cross(start, along)
    v = turn @ _SLANT / scale
    distance = np.einsum("ij,ij->i", across, turn) / scale
    return bool(np.count_nonzero(seen & (u >= 0) & (v >= 0) & (u + v < 1) & (distance > 0)) % 2)

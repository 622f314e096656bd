"""Branching trees that fill a volume: airways and vessels, distances to them, and what they supply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice, Point, ScalarField
from .noise import uniform_numbers
from .organ import Inside

SHARE = 0.4  # of the way to the centroid of its points that a branch goes (Tawhai 2004)
LARGEST_ANGLE = 60.0  # degrees between a branch and its parent (Tawhai 2004)
WOBBLE = 0.3  # tangent of the largest random turn of a splitting plane
_SHARE_SPREAD = 0.1  # random part of SHARE, to either side
_DECIMALS = 6  # mm; nodes on a grid hide the last bits of a sum, which differ between processors
_TREE_STREAM, _POINT_STREAM = 11, 12
_CELLS_PER_LENGTH = 8  # of the lattice on which the supply is decided, per width of a territory
_NEIGHBORS = 8  # among the tips, for that width
_PROBE_CELLS = 60_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """Straight branches, parents before children: ends (m, 3) x y z in mm, radius (m,) in mm.

    ``generation`` (m,) counts from the root; ``parent`` (m,) is the row of the parent, -1 for a root. A tree may have
    several roots.
    """

    start: Floats
    end: Floats
    radius: Floats
    generation: Ints
    parent: Ints

    @property
    def size(self) -> int:
        """Number of branches."""
        return len(self.radius)

    def terminal(self) -> NDArray[np.bool_]:
        """Return which branches (m,) have no children."""
        leaf = np.ones(self.size, dtype=np.bool_)
        leaf[self.parent[self.parent >= 0]] = False
        return leaf

    def lengths(self) -> Floats:
        """Return the length of each branch (m,), mm."""
        return np.asarray(np.sqrt(np.square(self.end - self.start).sum(axis=1)))

    def scaled(self, scale: float) -> Tree:
        """Return the tree with every length and radius times ``scale``."""
        return Tree(scale * self.start, scale * self.end, scale * self.radius, self.generation, self.parent)

    def only(self, chosen: NDArray[np.bool_]) -> Tree:
        """Return the chosen branches (m,); a branch whose parent is not chosen becomes a root."""
        row = np.where(chosen, np.cumsum(chosen) - 1, -1)
        parent = np.where(self.parent >= 0, row[self.parent], -1)
        return Tree(
            self.start[chosen],
            self.end[chosen],
            self.radius[chosen],
            self.generation[chosen],
            np.asarray(parent[chosen], dtype=np.int64),
        )


def join_trees(trees: Sequence[Tree]) -> Tree:
    """Return one tree of all branches, in the order given; roots stay roots."""
    first = np.cumsum([0, *(tree.size for tree in trees)])
    parents = [
        np.where(tree.parent >= 0, tree.parent + int(offset), -1)
        for tree, offset in zip(trees, first[:-1], strict=True)
    ]
    return Tree(
        np.concatenate([tree.start for tree in trees]),
        np.concatenate([tree.end for tree in trees]),
        np.concatenate([tree.radius for tree in trees]),
        np.concatenate([tree.generation for tree in trees]),
        np.concatenate(parents).astype(np.int64),
    )


def demand_points(inside: Inside, lower: Point, upper: Point, count: int, seed: int) -> Floats:
    """Return about ``count`` points (k, 3) spread evenly over what is ``inside`` a box, shaken by seed.

    They sit near the centers of a lattice, at most a quarter of a cell aside. ValueError if nothing is inside.
    """
    share = float(inside(Lattice.of_cells(lower, upper, _PROBE_CELLS)).mean())
    if share == 0:
        raise ValueError(f"demand_points: nothing inside the box from {lower} to {upper}")
    lattice = Lattice.of_cells(lower, upper, max(round(count / share), 1))
    cells = np.argwhere(inside(lattice))
    shift = uniform_numbers(seed, _POINT_STREAM, 3 * int(np.prod(lattice.shape)))
    offset = shift.reshape(*lattice.shape, 3)[tuple(cells.T)]
    places = (cells[:, ::-1] + 0.25 + 0.5 * offset) * lattice.spacing + np.asarray(lattice.origin)
    return np.asarray(np.round(places, _DECIMALS), dtype=np.float64)


@dataclass(frozen=True)
class _Level:
    """The branches of one generation: where they end, their directions, and the points each has to reach."""

    end: Floats
    direction: Floats
    radius: Floats
    first_row: int
    owner: Ints  # branch of each point, -1 where the point is reached


def grow_tree(
    points: Floats,
    root: Point,
    direction: Point,
    seed: int,
    *,
    generations: int,
    radius: float,
    share: float = SHARE,
    largest_angle: float = LARGEST_ANGLE,
    wobble: float = WOBBLE,
    first_generation: int = 0,
) -> Tree:
    """Return a tree from ``root`` whose branches share out the demand points (k, 3), deterministic by seed.

    After Tawhai et al. (2004, J Appl Physiol 97:2310): each branch goes a ``share`` of the way to the centroid
    of its points, at most ``largest_angle`` degrees off its parent; a plane through the centroid, along the
    branch and across the widest spread of the points, parts them between two children. A branch with one point goes
    all the way. Radii (mm) keep Murray's law r^3 = r1^3 + r2^3, in proportion to the points supplied; the stem
    has ``radius``. ``generations`` levels follow the stem; ``first_generation`` is the stem's own number.
    ``wobble`` is the tangent of the largest random turn of a plane. ValueError for no points or no direction.
    """
    points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    stem = np.asarray([direction], dtype=np.float64)
    if not len(points) or not np.isfinite(points).all() or not np.square(stem).sum() > 0:
        raise ValueError("grow_tree: it needs finite demand points and a direction that is not zero")
    limit = radians(largest_angle)
    numbers = uniform_numbers(seed, _TREE_STREAM, 2 * (2 * len(points) + 2)).reshape(-1, 2)
    begin = np.asarray([root], dtype=np.float64)
    owner = np.zeros(len(points), dtype=np.int64)
    end, heading = _advance(begin, _unit(stem), points, owner, numbers[:1, 0], share, limit)
    rows = [(begin, end, np.array([float(radius)]), np.array([-1]))]
    level = _Level(end, heading, rows[0][2], 0, owner)
    for _ in range(generations):
        parent, owner = _split(points, level, numbers[level.first_row :, 1], wobble)
        if not len(parent):
            break
        begin, first = level.end[parent], level.first_row + len(level.end)
        spread = numbers[first : first + len(parent), 0]
        end, heading = _advance(begin, level.direction[parent], points, owner, spread, share, limit)
        mass = np.bincount(owner[owner >= 0], minlength=len(parent)).astype(np.float64)
        whole = np.bincount(parent, weights=mass, minlength=len(level.end))[parent]
        thickness = level.radius[parent] * np.cbrt(mass / whole)
        rows.append((begin, end, thickness, parent + level.first_row))
        level = _Level(end, heading, thickness, first, owner)
    return Tree(
        np.concatenate([row[0] for row in rows]),
        np.concatenate([row[1] for row in rows]),
        np.round(np.concatenate([row[2] for row in rows]), _DECIMALS),
        np.repeat(np.arange(len(rows)), [len(row[2]) for row in rows]) + first_generation,
        np.concatenate([row[3] for row in rows]).astype(np.int64),
    )


def _centroids(points: Floats, owner: Ints, count: int) -> tuple[Floats, Floats]:
    """Return the centroid (count, 3) and number (count,) of the points of each branch."""
    mine, held = owner[owner >= 0], points[owner >= 0]
    number = np.bincount(mine, minlength=count).astype(np.float64)
    total = np.stack([np.bincount(mine, weights=held[:, k], minlength=count) for k in range(3)], axis=1)
    return total / np.maximum(number, 1)[:, None], number


def _advance(
    begin: Floats, before: Floats, points: Floats, owner: Ints, spread: Floats, share: float, limit: float
) -> tuple[Floats, Floats]:
    """Return where branches from ``begin`` end and their directions; ``before`` is where their parents headed."""
    goal, number = _centroids(points, owner, len(begin))
    way = goal - begin
    part = np.where(number > 1, share * (1 + _SHARE_SPREAD * (2 * spread - 1)), 1.0)
    length = np.sqrt(np.square(way).sum(axis=1)) * part
    heading = _unit(way, otherwise=before)
    along = (heading * before).sum(axis=1)
    across = _unit(heading - along[:, None] * before, otherwise=_any_normal(before))
    bent = cos(limit) * before + sin(limit) * across
    heading = np.where((along < cos(limit))[:, None], bent, heading)
    return np.round(begin + length[:, None] * heading, _DECIMALS), heading


def _split(points: Floats, level: _Level, numbers: Floats, wobble: float) -> tuple[Ints, Ints]:
    """Return the parent (c,) of each child and the child of each point, -1 where its branch has no children."""
    count = len(level.end)
    center, _ = _centroids(points, level.owner, count)
    active = np.flatnonzero(level.owner >= 0)
    mine = level.owner[active]
    offset = points[active] - center[mine]
    first = _any_normal(level.direction)
    second = np.cross(level.direction, first)
    p, q = (offset * first[mine]).sum(axis=1), (offset * second[mine]).sum(axis=1)
    pp, qq, pq = (np.bincount(mine, weights=value, minlength=count) for value in (p * p, q * q, p * q))
    # principal axis of the spread across the branch, by half-angle formulas: no eigenvalue routine, same bits
    size = np.sqrt((0.5 * (pp - qq)) ** 2 + pq**2)
    double = 0.5 * (pp - qq) / np.where(size > 0, size, 1.0)
    u = np.sqrt(np.clip(0.5 * (1 + double), 0, 1))
    v = np.where(pq < 0, -1.0, 1.0) * np.sqrt(np.clip(0.5 * (1 - double), 0, 1))
    turn = wobble * (2 * numbers[:count] - 1)
    side = p * (u - turn * v)[mine] + q * (v + turn * u)[mine]
    flat = pp + qq <= 1e-9 * np.maximum(np.bincount(mine, minlength=count), 1)
    ahead = (offset * level.direction[mine]).sum(axis=1)
    side = np.where(flat[mine], ahead, side)  # points in line with the branch are parted by distance
    above = side > 1e-9
    split = np.ones(count, dtype=np.bool_)
    for part in (above, ~above):
        split &= np.bincount(mine[part], minlength=count) > 0
    children = np.repeat(np.flatnonzero(split), 2)
    number = np.cumsum(split) - 1
    owner = np.full(len(points), -1, dtype=np.int64)
    owner[active] = np.where(split[mine], 2 * number[mine] + above, -1)
    return children, owner


def _unit(vectors: Floats, otherwise: Floats | None = None) -> Floats:
    """Return vectors (m, 3) of length 1, ``otherwise`` where the length is zero."""
    length = np.sqrt(np.square(vectors).sum(axis=1))[:, None]
    unit = vectors / np.where(length > 1e-12, length, 1.0)
    return unit if otherwise is None else np.where(length > 1e-12, unit, otherwise)


def _any_normal(direction: Floats) -> Floats:
    """Return a unit vector (m, 3) at right angles to each direction: across the axis it follows least."""
    axis = np.eye(3)[np.argmin(np.abs(direction), axis=1)]
    return _unit(np.cross(direction, axis))


def distance_to_segments(tree: Tree, lattice: Lattice, limit: float, *, from_wall: bool = False) -> Floats:
    """Return the distance (z, y, x) in mm of lattice centers to the nearest branch, ``limit`` where farther.

    To the center line, or ``from_wall`` to the wall: the distance less the branch's radius, negative in the lumen
    (round ends). Exact.
    """
    from .tree_distance import least_distances  # brings a compiler along, which needs half a second

    nearest = np.full(lattice.shape, float(limit))
    radius = tree.radius if from_wall else np.zeros(tree.size)
    _compiled(least_distances, tree, lattice, nearest, radius, limit)
    return nearest


def in_segments(tree: Tree, lattice: Lattice, margin: float = 0.0) -> NDArray[np.bool_]:
    """Return which lattice centers (z, y, x) lie in the lumen of a branch, or less than ``margin`` mm beyond it."""
    from .tree_distance import closer_than

    inside = np.zeros(lattice.shape, dtype=np.bool_)
    _compiled(closer_than, tree, lattice, inside, tree.radius, margin)
    return inside


def _compiled(
    kernel: Callable[..., Any],
    tree: Tree,
    lattice: Lattice,
    result: NDArray[Any],
    radius: Floats,
    limit: float,
) -> None:
    """Call a compiled function on the centers and the branches' starts and ways (m, 3), all of them z, y, x."""
    axes = [np.ascontiguousarray(axis.ravel()) for axis in lattice.axes()]
    start, way = (np.ascontiguousarray(values[:, ::-1]) for values in (tree.start, tree.end - tree.start))
    kernel(result, *axes, start, way, radius, float(limit))


def relative_supply(trees: Tree | Sequence[Tree], lattice: Lattice) -> Floats:
    """Return the relative supply (z, y, x): exp(-d / l), 1 on a terminal branch, less towards watersheds.

    d is the distance to the nearest terminal branch of any tree, l the width of the tissue that one tip has for itself.
    The exponential is the pressure around a feeding vessel in a leaky porous capillary bed (multi-compartment Darcy
    perfusion: Michler et al. 2013, Int J Numer Method Biomed Eng 29:217); that its length is the width of a
    territory is an assumption: it leaves about half the supply where territories meet. Decided on a lattice
    of l / 8 and interpolated, so a place has the same value at every voxel size; not normalized.
    """
    tree = trees if isinstance(trees, Tree) else join_trees(trees)
    tips = tree.only(tree.terminal())
    length = _territory_width(tips.end)
    low = np.asarray(lattice.origin)
    high = low + np.asarray(lattice.shape[::-1]) * lattice.spacing
    step = length / _CELLS_PER_LENGTH
    corners = [(float(x), float(y), float(z)) for x, y, z in (low, high)]
    own = Lattice.covering(corners[0], corners[1], step).padded(1)
    distance = distance_to_segments(tips, own, 6 * length)
    return np.asarray(np.round(np.exp(-ScalarField(own, distance).on(lattice) / length), _DECIMALS))


def _territory_width(tips: Floats) -> float:
    """Return the side (mm) of the cube of tissue that one tip (k, 3) has for itself, the median over tips.

    A ball around a tip that reaches its eighth neighbor holds eight territories; siblings alone would be too close.
    """
    if len(tips) < 2:
        raise ValueError("relative_supply: a tree with at least two terminal branches is needed")
    rank = min(_NEIGHBORS, len(tips) - 1)
    squared = np.array([np.partition(np.square(tips - tip).sum(axis=1), rank)[rank] for tip in tips])
    return float(np.round(np.sqrt(np.median(squared)) * np.cbrt(4 / 3 * pi / rank), _DECIMALS))

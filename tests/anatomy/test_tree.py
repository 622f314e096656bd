"""Trees: they branch, thin and spread as stated, and distances to them are exact."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.tree import (
    Tree,
    demand_points,
    distance_to_segments,
    grow_tree,
    in_segments,
    join_trees,
    relative_supply,
)

LOWER, UPPER = (-30.0, -20.0, -25.0), (30.0, 20.0, 25.0)


def inside_ellipsoid(lattice: Lattice) -> np.ndarray:
    """Return which centers lie in an ellipsoid of half sizes 30, 20, 25 mm."""
    z, y, x = lattice.axes()
    return np.asarray((x / 30) ** 2 + (y / 20) ** 2 + (z / 25) ** 2 < 1)


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """Return about 1500 demand points of the ellipsoid."""
    return demand_points(inside_ellipsoid, LOWER, UPPER, 1500, seed=3)


@pytest.fixture(scope="module")
def tree(points: np.ndarray) -> Tree:
    """Return a tree of nine generations that enters the ellipsoid from the right end."""
    return grow_tree(points, (30.0, 0.0, 0.0), (-1.0, 0.0, 0.0), 1, generations=9, radius=3.0)


def slow_distance(tree: Tree, places: np.ndarray, from_wall: bool) -> np.ndarray:
    """Return the distances of places (k, 3) to all branches, one branch at a time."""
    nearest = np.full(len(places), np.inf)
    for a, b, radius in zip(tree.start, tree.end, tree.radius, strict=True):
        along = np.clip((places - a) @ (b - a) / max((b - a) @ (b - a), 1e-300), 0, 1)
        distance = np.linalg.norm(places - a - along[:, None] * (b - a), axis=1)
        nearest = np.minimum(nearest, distance - (radius if from_wall else 0.0))
    return nearest


def places_of(lattice: Lattice) -> np.ndarray:
    """Return the centers (z y x order, 3) of a lattice."""
    z, y, x = np.broadcast_arrays(*lattice.axes())
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)


def test_demand_points_fill_the_shape_evenly(points: np.ndarray) -> None:
    """Claim: about as many as asked, all in the shape but for a shake, their centroid and spread those of it."""
    assert len(points) == pytest.approx(1500, rel=0.1)
    reach = (points / [30, 20, 25]) ** 2
    assert reach.sum(axis=1).max() < 1.1
    assert np.abs(points.mean(axis=0)).max() < 0.5
    assert reach.mean(axis=0) == pytest.approx([0.2, 0.2, 0.2], abs=0.01)


def test_every_branch_begins_where_its_parent_ends(tree: Tree) -> None:
    """Claim: one root, parents before children, no gap, a generation one above the parent's, two children each."""
    child = tree.parent >= 0
    assert np.count_nonzero(~child) == 1
    assert (tree.parent < np.arange(tree.size)).all()
    assert np.array_equal(tree.start[child], tree.end[tree.parent[child]])
    assert np.array_equal(tree.generation[child], tree.generation[tree.parent[child]] + 1)
    assert set(np.bincount(tree.parent[child], minlength=tree.size)) == {0, 2}
    assert tree.generation.max() == 9


def test_murrays_law_holds_at_every_fork(tree: Tree) -> None:
    """Claim: the cube of a parent's radius is the sum of its children's cubes, to the rounding of 1e-6 mm."""
    child = tree.parent >= 0
    cubes = np.bincount(tree.parent[child], weights=tree.radius[child] ** 3, minlength=tree.size)
    forked = ~tree.terminal()
    assert cubes[forked] == pytest.approx(tree.radius[forked] ** 3, rel=1e-4)


def test_no_branch_turns_more_than_sixty_degrees(tree: Tree) -> None:
    """Claim: angles between parent and child stay within 60 degrees, and forks do open."""
    child = tree.parent >= 0
    way = (tree.end - tree.start) / np.maximum(tree.lengths(), 1e-12)[:, None]
    cosine = (way[child] * way[tree.parent[child]]).sum(axis=1)
    assert cosine.min() > 0.5 - 1e-4
    assert 20 < np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 50


def test_tips_reach_every_part_of_the_shape(tree: Tree) -> None:
    """Claim: 95 % of the shape is within 6 mm of a terminal branch, though it enters at one end."""
    lattice = Lattice.covering(LOWER, UPPER, 2.0)
    distance = distance_to_segments(tree.only(tree.terminal()), lattice, 40.0)[inside_ellipsoid(lattice)]
    assert np.quantile(distance, 0.95) < 6.0


def test_enough_generations_reach_every_point() -> None:
    """Claim: with generations to spare each of 60 points is the tip of one branch, to a millionth of a mm."""
    points = demand_points(inside_ellipsoid, LOWER, UPPER, 60, seed=1)
    tree = grow_tree(
        points, (30.0, 0.0, 0.0), (-1.0, 0.0, 0.0), 1, generations=30, radius=3.0, largest_angle=180.0
    )
    tips = tree.end[tree.terminal()]
    assert len(tips) == len(points)
    gap = np.linalg.norm(points[:, None] - tips[None], axis=2)
    assert gap.min(axis=1).max() < 1e-5
    assert (tree.radius[tree.terminal()] ** 3).sum() == pytest.approx(27, rel=1e-3)


def test_points_in_line_and_points_that_coincide() -> None:
    """Claim: points straight ahead are parted by distance; coinciding points share one branch; all stay on the line."""
    line = np.array([[10.0, 0, 0], [20.0, 0, 0], [30.0, 0, 0], [30.0, 0, 0]])
    tree = grow_tree(
        line, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 1, generations=12, radius=1.0, largest_angle=180.0
    )
    assert np.isfinite(tree.end).all()
    assert np.count_nonzero(tree.terminal()) == 3
    assert np.abs(tree.end[:, 1:]).max() < 1e-6


def test_same_seed_same_tree_other_seed_another(points: np.ndarray, tree: Tree) -> None:
    """Claim: the tree is a function of its arguments; the seed turns planes and lengths."""
    again, other = (
        grow_tree(points, (30.0, 0.0, 0.0), (-1.0, 0.0, 0.0), seed, generations=9, radius=3.0)
        for seed in (1, 2)
    )
    assert np.array_equal(tree.end, again.end)
    assert np.array_equal(tree.radius, again.radius)
    assert not np.array_equal(tree.end, other.end)


@pytest.mark.parametrize("from_wall", [False, True])
@pytest.mark.parametrize("limit", [3.0, 60.0])
def test_distances_are_exact(tree: Tree, limit: float, from_wall: bool) -> None:
    """Claim: distances in blocks equal those to every branch, cut at the limit; sizes need not fit the blocks."""
    lattice = Lattice.covering((-37.0, -21.0, -26.0), UPPER, 2.3)
    fast = distance_to_segments(tree, lattice, limit, from_wall=from_wall)
    slow = np.minimum(slow_distance(tree, places_of(lattice), from_wall), limit).reshape(lattice.shape)
    assert np.abs(fast - slow).max() < 1e-9
    assert fast.max() <= limit


def test_the_lumen_is_where_the_distance_to_the_wall_is_negative(tree: Tree) -> None:
    """Claim: in_segments agrees with distances from the wall, with and without a margin around the branches."""
    lattice = Lattice.covering(LOWER, UPPER, 1.0)
    distance = distance_to_segments(tree, lattice, 5.0, from_wall=True)
    assert np.array_equal(in_segments(tree, lattice), distance < 0)
    assert np.array_equal(in_segments(tree, lattice, 1.5), distance < 1.5)
    assert 0 < np.count_nonzero(distance < 0) < np.count_nonzero(distance < 1.5)


def test_volume_of_one_branch_is_that_of_a_capsule() -> None:
    """Claim: a slanted branch of radius 4 and length 20 holds pi r^2 (l + 4 r / 3) to 1 % at 0.5 mm."""
    end = 20 / np.sqrt(3.0)
    branch = Tree(
        np.zeros((1, 3)), np.full((1, 3), end), np.array([4.0]), np.zeros(1, np.int64), -np.ones(1, np.int64)
    )
    lattice = Lattice.covering((-5.0, -5.0, -5.0), (17.0, 17.0, 17.0), 0.5)
    volume = np.count_nonzero(in_segments(branch, lattice)) * 0.5**3
    assert volume == pytest.approx(np.pi * 16 * (20 + 16 / 3), rel=0.01)


def test_joined_trees_keep_their_branches(tree: Tree) -> None:
    """Claim: joining shifts parents, keeps roots, and picking one part gives back that tree."""
    both = join_trees([tree, tree])
    assert both.size == 2 * tree.size
    assert np.count_nonzero(both.parent < 0) == 2
    second = both.only(np.arange(both.size) >= tree.size)
    assert np.array_equal(second.parent, tree.parent)
    assert np.array_equal(second.end, tree.end)


def test_supply_is_highest_on_terminal_branches_and_fades_to_the_watersheds(tree: Tree) -> None:
    """Claim: within 0.5 mm of a terminal branch above 0.8; it falls with distance; mean between 0.4 and 0.8."""
    lattice = Lattice.covering(LOWER, UPPER, 1.0)
    supply = relative_supply(tree, lattice)
    distance = distance_to_segments(tree.only(tree.terminal()), lattice, 40.0)
    inside = inside_ellipsoid(lattice)
    assert supply.min() > 0
    assert supply.max() <= 1
    assert supply[inside & (distance < 0.5)].min() > 0.8
    assert np.corrcoef(supply[inside], -distance[inside])[0, 1] > 0.95
    assert 0.4 < supply[inside].mean() < 0.8


def test_supply_belongs_to_places_not_voxels(tree: Tree) -> None:
    """Claim: centers shared by lattices of 1 mm and 3 mm have one supply to 1e-6 (the rounding)."""
    fine = relative_supply(tree, Lattice.covering(LOWER, UPPER, 1.0))
    coarse_lattice = Lattice.covering(LOWER, UPPER, 3.0)
    coarse = relative_supply(tree, coarse_lattice)
    first = np.rint((np.asarray(coarse_lattice.origin) - np.floor(LOWER)) + 1).astype(int)[::-1]
    kept = [np.arange(size) * 3 + begin for size, begin in zip(coarse.shape, first, strict=True)]
    valid = [np.flatnonzero((row >= 0) & (row < size)) for row, size in zip(kept, fine.shape, strict=True)]
    shared = fine[np.ix_(*[row[ok] for row, ok in zip(kept, valid, strict=True)])]
    assert np.abs(shared - coarse[np.ix_(*valid)]).max() <= 2e-6


@pytest.mark.parametrize(
    ("points", "direction"),
    [
        (np.zeros((0, 3)), (1.0, 0.0, 0.0)),
        (np.ones((4, 3)), (0.0, 0.0, 0.0)),
        (np.full((4, 3), np.nan), (1.0, 0.0, 0.0)),
    ],
)
def test_refuses_what_cannot_grow(points: np.ndarray, direction: tuple[float, float, float]) -> None:
    """Claim: no points, no direction, or points that are no numbers are an error, not an empty tree."""
    with pytest.raises(ValueError, match="finite demand points"):
        grow_tree(points, (0.0, 0.0, 0.0), direction, 1, generations=3, radius=1.0)


def test_refuses_a_shape_without_inside_and_supply_without_tips() -> None:
    """Claim: nothing inside, or fewer than two tips, are errors that say so."""
    with pytest.raises(ValueError, match="nothing inside"):
        demand_points(lambda lattice: np.zeros(lattice.shape, bool), LOWER, UPPER, 10, 1)
    twig = grow_tree(np.ones((1, 3)), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 1, generations=3, radius=1.0)
    with pytest.raises(ValueError, match="two terminal branches"):
        relative_supply(twig, Lattice.covering(LOWER, UPPER, 5.0))

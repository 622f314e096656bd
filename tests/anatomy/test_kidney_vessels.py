"""Arteries of the built-in kidney and the blood they bring."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.distance import distance_to
from tissuesim.anatomy.kidney import kidney, kidney_arteries
from tissuesim.anatomy.organ import make_atlas
from tissuesim.anatomy.tree import Tree
from tissuesim.anatomy.tree_flow import (
    BED,
    end_flows,
    graft,
    normal_by_rank,
    smoothed_supply,
    with_murray_radii,
)
from tissuesim.anatomy.vasculature import WIDTH


def test_the_tree_enters_at_the_hilum_and_ends_in_the_cortex() -> None:
    """Claim: one root, outside the organ at the hilum and heading inwards; ends lie in or at the cortex."""
    tree, organ = kidney_arteries(1), kidney()
    assert np.count_nonzero(tree.parent < 0) == 1
    root = tree.start[tree.parent < 0][0]
    assert root[0] > 35 and abs(root[1]) < 5 and abs(root[2]) < 5
    assert (tree.end - tree.start)[tree.parent < 0][0, 0] < 0
    assert tree.radius.max() == tree.radius[tree.parent < 0][0] == 2.75
    atlas = make_atlas(organ)
    ends = tree.end[tree.terminal()]
    assert len(ends) > 1000
    to_cortex = distance_to(atlas.in_regions([0]), atlas.lattice.spacing, limit=5.0)
    cell = np.floor((ends - np.asarray(atlas.lattice.origin)) / atlas.lattice.spacing).astype(int)
    distance = to_cortex[cell[:, 2], cell[:, 1], cell[:, 0]]
    assert distance.max() < 2.1  # demand points are shaken by a quarter of their cell
    assert np.mean(distance == 0) > 0.85


def test_every_branch_starts_where_its_parent_ends() -> None:
    """Claim: the grafted tree hangs together; Murray's law holds: r^3 is the sum over the daughters."""
    tree = kidney_arteries(1)
    child = tree.parent >= 0
    assert np.array_equal(tree.start[child], tree.end[tree.parent[child]])
    cubes = np.bincount(tree.parent[child], weights=tree.radius[child] ** 3, minlength=tree.size)
    forks = ~tree.terminal()
    assert np.allclose(cubes[forks], tree.radius[forks] ** 3, rtol=1e-4)


def test_arteries_reach_the_cortex_between_the_pyramids() -> None:
    """Claim: of the interlobar arteries less than a tenth of the way lies in medulla."""
    tree, organ = kidney_arteries(1), kidney()
    atlas = make_atlas(organ)
    shares = np.linspace(0, 1, 50)[:, None]
    places = np.concatenate(
        [
            tree.start[row] + shares * (tree.end[row] - tree.start[row])
            for row in np.flatnonzero(tree.generation == 3)
        ]
    )
    cell = np.floor((places - np.asarray(atlas.lattice.origin)) / atlas.lattice.spacing).astype(int)
    assert np.mean(atlas.region[cell[:, 2], cell[:, 1], cell[:, 0]] == 1) < 0.1
    assert np.mean(atlas.inside[cell[:, 2], cell[:, 1], cell[:, 0]]) > 0.9


def test_flow_of_a_fork_is_poiseuille() -> None:
    """Claim: flows to the ends of two forks are those of the resistor network solved as a linear system."""
    start = np.array([[0, 0, 0], [10, 0, 0], [10, 0, 0], [10, 8, 0], [10, 8, 0]], dtype=float)
    end = np.array([[10, 0, 0], [10, 8, 0], [10, -3, 0], [10, 9, 0], [10, 14, 0]], dtype=float)
    tree = with_murray_radii(
        Tree(start, end, np.ones(5), np.array([0, 1, 1, 2, 2]), np.array([-1, 0, 0, 1, 1])), 2.0
    )
    resistance = tree.lengths() / tree.radius**4
    below = np.array([3, 2, 1, 1, 1])
    lost = resistance * below
    bed = BED * np.mean([lost[0] + lost[2], lost[0] + lost[1] + lost[3], lost[0] + lost[1] + lost[4]])
    matrix, right = np.zeros((5, 5)), np.zeros(5)  # pressures at the ends of the branches, Kirchhoff at each
    for row, parent in enumerate(tree.parent):
        conductance = 1 / resistance[row]
        matrix[row, row] += conductance
        if parent >= 0:
            matrix[row, parent] -= conductance
            matrix[parent, parent] += conductance
            matrix[parent, row] -= conductance
        else:
            right[row] += conductance
    for row in (2, 3, 4):
        matrix[row, row] += 1 / bed
    flow = np.linalg.solve(matrix, right)[[2, 3, 4]]
    assert np.allclose(end_flows(tree, 1, spread=0.0), flow / flow.mean(), rtol=1e-12)
    assert flow[0] > flow[1] > flow[2]  # the longer the way, the less blood


def test_flows_differ_by_seed_and_average_one() -> None:
    """Claim: mean 1, all positive; the same seed gives the same flows, another seed others."""
    tree = kidney_arteries(1)
    flow = end_flows(tree, 1)
    assert flow.mean() == pytest.approx(1, rel=1e-12) and flow.min() > 0
    assert np.array_equal(flow, end_flows(tree, 1))
    assert not np.array_equal(flow, end_flows(tree, 2))


def test_grafting_keeps_branches_in_order() -> None:
    """Claim: roots of the branches become children of the named rows, parents stand before children."""
    trunk = Tree(np.zeros((2, 3)), np.ones((2, 3)), np.ones(2), np.array([0, 1]), np.array([-1, 0]))
    branch = Tree(np.ones((2, 3)), 2 * np.ones((2, 3)), np.ones(2), np.array([2, 3]), np.array([-1, 0]))
    whole = graft(trunk, [(1, branch), (0, branch)])
    assert whole.parent.tolist() == [-1, 0, 1, 2, 0, 4]


def test_ranks_become_normal_and_keep_their_order() -> None:
    """Claim: a skewed sample gets mean 0 and deviation 1; the map is monotone and ends beyond the sample."""
    sample = np.random.default_rng(1).gamma(0.5, size=20_000)
    normal = normal_by_rank(sample, sample)
    assert abs(normal.mean()) < 0.01 and normal.std() == pytest.approx(1, abs=0.01)
    order = np.argsort(sample)
    assert (np.diff(normal[order]) >= 0).all()
    assert np.array_equal(normal_by_rank(np.array([-1.0, 1e9]), sample), [normal.min(), normal.max()])


def test_supply_of_one_end_is_its_flow_everywhere() -> None:
    """Claim: the mean over ends is a mean: with equal flows it is their log wherever an end is near."""
    tree = kidney_arteries(1)
    flow = np.full(int(tree.terminal().sum()), 1.7)
    organ = kidney()
    supply = smoothed_supply(tree, flow, organ.lower, organ.upper, WIDTH)
    near = supply.values != 0
    assert near.mean() > 0.5
    assert np.allclose(supply.values[near], np.log(1.7), atol=1e-6)


def test_density_has_the_calibrated_correlation() -> None:
    """Claim: over five seeds the log density of the cortex correlates as exp(-(r/8 mm)^2) to 0.1 at 4, 8 and 12 mm.

    That is the field on which the disease model was calibrated.
    """
    found: dict[int, list[float]] = {4: [], 8: [], 12: []}
    for seed in range(1, 6):
        tissue = build_tissue("kidney", "kidney", 2.0, seed=seed)
        cortex = tissue.scatter(tissue.in_regions(["cortex"]).astype(float), 0.0) > 0
        field = tissue.scatter(np.log(tissue.maps["vascular_density"]), 0.0)
        for distance, correlations in found.items():
            for axis in range(3):
                lead = tuple(slice(None, -distance // 2) if k == axis else slice(None) for k in range(3))
                lag = tuple(slice(distance // 2, None) if k == axis else slice(None) for k in range(3))
                both = cortex[lead] & cortex[lag]
                correlations.append(float(np.corrcoef(field[lead][both], field[lag][both])[0, 1]))
    for distance, correlations in found.items():
        assert np.mean(correlations) == pytest.approx(np.exp(-((distance / 8) ** 2)), abs=0.1)


def test_scaled_kidney_is_the_same_kidney() -> None:
    """Claim: a kidney of scale 0.9 has 0.729 of the volume and, in voxels 0.9 times as large, the same regions."""
    organ = kidney(0.9)
    assert organ.arteries is not None
    assert np.allclose(organ.arteries(1).end, 0.9 * kidney_arteries(1).end)
    small, large = make_atlas(organ), make_atlas(kidney())
    assert np.mean(small.region == large.region) > 0.999

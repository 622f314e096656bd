"""What a branching tree delivers: radii by Murray's law, blood flow by Poiseuille's, and its ranks made normal."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice, Point, ScalarField
from .noise import uniform_numbers
from .tree import Tree, join_trees

BED = 2.0  # resistance of arterioles and capillaries over that of the arteries before them; assumed
RADIUS_SPREAD = 0.1  # coefficient of variation of a branch's radius about Murray's; assumed
_FLOW_STREAM = 13
_QUANTILES = 512
_REACH = 3.0  # widths of the kernel after which it is cut
_CELLS_PER_WIDTH = 3  # of the lattice on which the supply is decided
_DECIMALS = 6  # the last bits of exp differ between processors; six decimals do not

Floats = NDArray[np.float64]


def graft(trunk: Tree, branches: Sequence[tuple[int, Tree]]) -> Tree:
    """Return one tree: each branch's root becomes a child of the given row of the trunk."""
    whole = join_trees([trunk, *(branch for _, branch in branches)])
    parent = whole.parent.copy()
    first = trunk.size
    for row, branch in branches:
        own = parent[first : first + branch.size]
        own[branch.parent < 0] = row
        first += branch.size
    return Tree(whole.start, whole.end, whole.radius, whole.generation, parent)


def with_murray_radii(tree: Tree, root: float) -> Tree:
    """Return the tree with r^3 in proportion to the ends a branch supplies; a root that feeds all has ``root`` mm."""
    ends = _ends_below(tree)
    radius = np.round(root * np.cbrt(ends / tree.terminal().sum()), _DECIMALS)
    return Tree(tree.start, tree.end, radius, tree.generation, tree.parent)


def end_flows(tree: Tree, seed: int, spread: float = RADIUS_SPREAD) -> Floats:
    """Return the flow (k,) to each terminal branch over the mean, in the order of the rows.

    Poiseuille: the resistance of a branch is L/r^4; every end drains to the same pressure through arterioles and
    capillaries, `BED` times as resistant as the way to an end on average. Radii, those of the bed too, differ from
    the tree's by lognormal factors of standard deviation ``spread``, drawn by seed: vessels of one order are not alike.
    """
    draws = uniform_numbers(seed, _FLOW_STREAM, 24 * tree.size).reshape(2, -1, 12)
    factor = np.exp(
        spread * (draws.sum(axis=2) - 6.0)
    )  # twelve uniform numbers: close to normal, the same bits
    resistance = tree.lengths() / (tree.radius * factor[0]) ** 4
    terminal = tree.terminal()
    way = _summed_from_root(tree, resistance * _ends_below(tree))  # pressure lost where every end takes one
    bed = BED * float(way[terminal].mean()) / factor[1] ** 4
    conductance = np.zeros(tree.size)  # of a branch with all that it feeds
    below = np.where(terminal, 1.0 / bed, 0.0)
    for row in range(tree.size - 1, -1, -1):  # children stand behind their parents
        conductance[row] = 1.0 / (resistance[row] + 1.0 / below[row])
        if tree.parent[row] >= 0:
            below[tree.parent[row]] += conductance[row]
    pressure = np.zeros(tree.size)  # at the end of a branch
    for row in range(tree.size):
        before = pressure[tree.parent[row]] if tree.parent[row] >= 0 else 1.0
        pressure[row] = before * conductance[row] / below[row]
    flow = (pressure / bed)[terminal]
    return np.asarray(flow / flow.mean())


def smoothed_supply(tree: Tree, flow: Floats, lower: Point, upper: Point, width: float) -> ScalarField:
    """Return the log flow per end, averaged over ends around a place with Gaussian weights of ``width`` mm.

    On a lattice of its own over the box (mm), so a place has the same value at every voxel size.
    """
    step = width / _CELLS_PER_WIDTH
    lattice = Lattice.covering(lower, upper, step).padded(1)
    ends = tree.end[tree.terminal()]
    cell = np.floor((ends - np.asarray(lattice.origin)) / step).astype(np.int64)[:, ::-1]
    cell = np.clip(cell, 0, np.asarray(lattice.shape) - 1)
    index = np.ravel_multi_index(tuple(cell.T), lattice.shape)
    cells = int(np.prod(lattice.shape))
    weight, total = (
        _smoothed(
            np.bincount(index, values, cells).astype(np.float64).reshape(lattice.shape), _CELLS_PER_WIDTH
        )
        for values in (np.ones(len(ends)), np.log(flow))
    )
    mean: Floats = np.zeros(lattice.shape)
    np.divide(total, weight, out=mean, where=weight > 0)
    return ScalarField(lattice, np.asarray(np.round(mean, _DECIMALS)))


def normal_by_rank(values: Floats, sample: Floats) -> Floats:
    """Return the standard normal numbers that have the ranks of ``values`` among the ``sample`` (k,).

    A monotone map: the pattern stays, and the sample's distribution becomes normal; beyond the sample it ends.
    """
    shares = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    normal = np.array([NormalDist().inv_cdf(float(share)) for share in shares])
    ordered = np.sort(sample)
    place = shares * len(ordered) - 0.5
    levels = np.interp(place, np.arange(len(ordered)), ordered)
    return np.asarray(np.interp(values, levels, normal))


def _smoothed(values: Floats, width: float) -> Floats:
    """Return sums of values (z, y, x) with Gaussian weights, ``width`` in cells; cells beyond the box are empty."""
    reach = int(np.ceil(_REACH * width))
    for axis in range(3):
        size = values.shape[axis]
        padded = np.pad(values, [(reach, reach) if k == axis else (0, 0) for k in range(3)])
        total = np.zeros(values.shape)
        for offset in range(-reach, reach + 1):
            part = padded.take(range(reach + offset, reach + offset + size), axis)
            total += float(np.exp(-0.5 * (offset / width) ** 2)) * part
        values = total
    return values


def _ends_below(tree: Tree) -> Floats:
    """Return how many terminal branches each branch feeds, itself included."""
    ends = tree.terminal().astype(np.float64)
    for row in range(tree.size - 1, -1, -1):
        if tree.parent[row] >= 0:
            ends[tree.parent[row]] += ends[row]
    return ends


def _summed_from_root(tree: Tree, values: Floats) -> Floats:
    """Return the sum of values (m,) over a branch and all that stand before it."""
    total = values.copy()
    for row in range(tree.size):
        if tree.parent[row] >= 0:
            total[row] += total[tree.parent[row]]
    return total

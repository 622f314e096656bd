"""Smooth random fields that belong to places, not to voxels: the same at any spacing and storage order."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice, Point

_NODES_PER_WIDTH = 2  # lattice nodes per standard deviation of the smoothing kernel
_REACH = 4  # standard deviations after which the kernel is cut


def random_words(seed: int, stream: int, count: int) -> NDArray[np.uint64]:
    """Return 64-bit words of Philox4x64 keyed by (seed, stream); the bits stay the same in every version."""
    key = np.array([seed & (2**64 - 1), stream], dtype=np.uint64)
    return np.asarray(np.random.Philox(key=key).random_raw(count), dtype=np.uint64)


def uniform_numbers(seed: int, stream: int, count: int) -> NDArray[np.float64]:
    """Return numbers in [0, 1) from the upper 53 bits of `random_words`."""
    return (random_words(seed, stream, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def smooth_normal(
    target: Lattice, lower: Point, upper: Point, correlation: float, seed: int, stream: int
) -> NDArray[np.float64]:
    """Return a standard normal field at the centers of ``target`` with correlation exp(-(r/correlation)^2).

    Uniform numbers of unit variance sit on nodes that cover ``lower`` to ``upper`` (mm, the organ's own
    box); the field is their sum with Gaussian weights of standard deviation s = correlation / 2, over the
    root of the summed squared weights. Some hundred nodes weigh in, so the field is close to normal.
    """
    width = correlation / 2
    step = width / _NODES_PER_WIDTH
    first = [floor(low / step) - _REACH * _NODES_PER_WIDTH for low in lower]
    count = [
        ceil(high / step) + _REACH * _NODES_PER_WIDTH + 1 - begin
        for high, begin in zip(upper, first, strict=True)
    ]
    nodes = uniform_numbers(seed, stream, count[0] * count[1] * count[2])
    field = ((nodes - 0.5) * np.sqrt(12.0)).reshape(count[2], count[1], count[0])
    for axis, centers in enumerate(target.axes()):
        field = _smooth_along(field, axis, centers.ravel() / step - first[2 - axis])
    return np.asarray(field)


def _smooth_along(
    field: NDArray[np.float64], axis: int, position: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the smoothed, normalized field at ``position`` (in nodes) along an axis; sums in fixed order."""
    from .smoothing import weighted_sums

    reach = _REACH * _NODES_PER_WIDTH
    nodes = np.rint(position).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    distance = (position[:, None] - nodes) / _NODES_PER_WIDTH  # in standard deviations
    within = (nodes >= 0) & (nodes < field.shape[axis])
    weights = np.where(within, np.exp(-0.5 * distance**2), 0.0)
    squares = np.zeros(position.size)
    for k in range(weights.shape[1]):
        squares += weights[:, k] ** 2
    nodes = np.clip(nodes, 0, field.shape[axis] - 1)
    before, behind = (int(np.prod(sizes)) for sizes in (field.shape[:axis], field.shape[axis + 1 :]))
    total = weighted_sums(field.reshape(before, field.shape[axis], behind), nodes, weights)
    total /= np.sqrt(squares)[:, None]
    return np.asarray(total.reshape(*field.shape[:axis], position.size, *field.shape[axis + 1 :]))


def placed_normal(target: Lattice, correlation: float, seed: int, stream: int) -> NDArray[np.float64]:
    """Return a field like `smooth_normal` that needs no box: each node's number follows from its own place.

    So a tissue of any spacing, and any part of one, sees the same field.
    """
    step = correlation / 2 / _NODES_PER_WIDTH
    margin = _REACH * _NODES_PER_WIDTH + 1
    ranges = []
    for centers in target.axes():
        first, last = floor(float(centers.min()) / step) - margin, ceil(float(centers.max()) / step) + margin
        first -= first % 2  # a center halfway between two nodes takes the even one, whichever box it is in
        ranges.append(np.arange(first, last + 1))
    field = (_numbers_of_nodes(ranges, seed, stream) - 0.5) * np.sqrt(12.0)
    for axis, (centers, nodes) in enumerate(zip(target.axes(), ranges, strict=True)):
        field = _smooth_along(field, axis, centers.ravel() / step - nodes[0])
    return np.asarray(field)


def _numbers_of_nodes(ranges: list[NDArray[np.int64]], seed: int, stream: int) -> NDArray[np.float64]:
    """Return a uniform number in [0, 1) for each node of a box, made from its coordinates, seed and stream."""
    words = _mixed(np.array([(seed + stream * _STEP) % 2**64], dtype=np.uint64))
    for axis, nodes in enumerate(ranges):
        along = nodes.astype(np.uint64).reshape([-1 if k == axis else 1 for k in range(3)])
        words = _mixed(words ^ _mixed(along + np.array([(axis + 1) * _STEP % 2**64], dtype=np.uint64)))
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


_STEP = 0x9E3779B97F4A7C15


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the finalizer of SplitMix64 (Steele, Lea and Flood 2014): every bit in changes half of the bits out."""
    words = words + np.uint64(_STEP)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> np.uint64(31)))

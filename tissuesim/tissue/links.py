"""Links between control volumes, compiled: who is whose neighbor, what a face conducts, what hangs together.

Every value is a copy, a minimum or a product, so that the bits are those of NumPy.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = Any  # to the compiler the annotations say nothing

SOUND, THROUGH_A_WALL, UNSEEN, ASYMMETRIC = range(4)


@njit(cache=True, error_model="numpy", nogil=True)
def number_neighbors(box_index: Array, depth: int, height: int, width: int) -> Array:
    """Return (n, 6) the voxel through each face -x +x -y +y -z +z of a box (z, y, x), itself where there is none."""
    wide, layer = width + 2, (height + 2) * (width + 2)
    numbers = np.full((depth + 2) * layer, -1, dtype=np.int32)
    n = len(box_index)
    place = np.empty(n, dtype=np.int64)
    for own in range(n):
        line, x = divmod(box_index[own], width)
        z, y = divmod(line, height)
        place[own] = (z + 1) * layer + (y + 1) * wide + x + 1
        numbers[place[own]] = own
    neighbors = np.empty((n, 6), dtype=np.int32)
    for own in range(n):
        here = place[own]
        for axis, step in enumerate((1, wide, layer)):
            low, high = numbers[here - step], numbers[here + step]
            neighbors[own, 2 * axis] = own if low < 0 else low
            neighbors[own, 2 * axis + 1] = own if high < 0 else high
    return neighbors


@njit(cache=True, error_model="numpy", nogil=True)
def shared_faces(fraction: Array, neighbors: Array, spacing: float) -> Array:
    """Return (n, k) min(fraction_i, fraction_j) times the spacing, 0 where a voxel is its own neighbor."""
    n, faces = neighbors.shape
    shared = np.zeros((n, faces))
    for own in range(n):
        for face in range(faces):
            other = neighbors[own, face]
            if other != own:
                shared[own, face] = min(fraction[own], fraction[other]) * spacing
    return shared


@njit(cache=True, error_model="numpy", nogil=True)
def smallest_linked(neighbors: Array) -> Array:
    """Return (n,) the smallest number of the volumes that hang together with each one."""
    n, faces = neighbors.shape
    label = np.arange(n).astype(np.int32)
    for own in range(n):
        for face in range(faces):
            a, b = _root(label, own), _root(label, neighbors[own, face])
            if a < b:
                label[b] = a
            else:
                label[a] = b
    for own in range(n):  # a label is at most its own number: those before have their last label
        label[own] = label[label[own]]
    return label


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _root(label: Array, number: int) -> int:
    """Return the number that is its own label, and halve the way to it."""
    while label[number] != number:
        label[number] = label[label[number]]
        number = label[number]
    return number


@njit(cache=True, error_model="numpy", nogil=True)
def find_fault(neighbors: Array, conductance: Array) -> tuple[int, int]:
    """Return the first fault of a face and which face it is; SOUND where every link is the same from both sides."""
    n, faces = neighbors.shape
    for face in range(faces):
        fault, back = SOUND, face ^ 1
        for own in range(n):
            other = neighbors[own, face]
            if other == own:
                found = THROUGH_A_WALL if conductance[own, face] != 0 else SOUND
            elif neighbors[other, back] != own:
                found = UNSEEN
            elif conductance[other, back] != conductance[own, face]:
                found = ASYMMETRIC
            else:
                continue
            if found != SOUND and (fault == SOUND or found < fault):
                fault = found
        if fault != SOUND:
            return fault, face
    return SOUND, 0

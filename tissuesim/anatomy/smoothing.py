"""Weighted sums along an axis, compiled: a field of millions of places from some thousand nodes."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = Any  # to the compiler the annotations say nothing


@njit(cache=True, error_model="numpy", nogil=True)
def weighted_sums(values: Array, nodes: Array, weights: Array) -> Array:
    """Return (before, places, behind): of values (before, nodes, behind) the sums over ``nodes`` (places, k).

    The sum runs in the order of k, whatever the machine.
    """
    before, _, behind = values.shape
    places, terms = nodes.shape
    total = np.zeros((before, places, behind))
    for row in range(before):
        for place in range(places):
            if behind == 1:
                sum_of_row = 0.0
                for term in range(terms):
                    sum_of_row += weights[place, term] * values[row, nodes[place, term], 0]
                total[row, place, 0] = sum_of_row
            else:
                for term in range(terms):
                    node, weight = nodes[place, term], weights[place, term]
                    for column in range(behind):
                        total[row, place, column] += weight * values[row, node, column]
    return total

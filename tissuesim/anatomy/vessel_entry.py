"""Where vessels enter an organ from a file, and the tree that grows from there by the code of the built-in organs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError
from tissuesim.tissue.graph import connected_components, find_neighbors

from .distance import depth_below_surface
from .kidney import CORTEX, PELVIS, REGIONS, glomeruli_of
from .kidney_vessels import arteries_from
from .lattice import Lattice, Point
from .organ import Organ
from .solid import reached_from_border

_CELLS = 60_000  # of the lattice on which the entry is looked for
_LEAST_CELLS = 100  # in which a tree can grow
_LEAST_PIECE = 0.05  # share of the volume from which a piece has an entry of its own
_FARTHEST = 0.25  # of the longest side: so far may a given entry be from the tissue

Points = NDArray[np.float64]


def with_vessels(organ: Organ, entries: Sequence[Point] = ()) -> Organ:
    """Return an imported organ with the places where its vessels enter; ``entries`` (mm, the file's axes) choose them.

    Without them: a kidney into which the built-in one is fitted has that one's arteries. Vessels of another kidney
    enter at the hilum, the place on the surface that is nearest to the middle of the pelvis; those of any other organ
    at the place on the outer surface nearest to the middle of each of its pieces. A kidney's arteries end in its
    cortex.
    An organ too thin for the lattice on which this is decided has none. InputError for an entry far from the organ.
    """
    if organ.arteries is not None and not entries:
        return organ
    lattice = Lattice.of_cells(organ.lower, organ.upper, _CELLS).padded(1)
    inside = organ.inside(lattice)
    region = organ.region_at(lattice, depth_below_surface(inside, lattice.spacing))
    renal = organ.region_names == REGIONS and organ.reference_region == REGIONS[CORTEX]
    if np.count_nonzero(inside & (region == CORTEX) if renal else inside) < _LEAST_CELLS:
        return organ
    middles = _middles(lattice, inside, inside & (region == PELVIS) if renal else None)
    surface = _points(lattice, inside & _beside(reached_from_border(~inside)))
    if entries:
        tissue = _points(lattice, inside)
        for entry in entries:
            _check(entry, tissue, lattice)
        told, words = (
            [np.asarray(entry, dtype=np.float64) for entry in entries],
            "as chosen by `vessel_entries`",
        )
    else:
        told = [_nearest(surface, middle) for middle in middles]
        words = (
            "at the hilum, nearest to the pelvis"
            if renal
            else "on the surface, nearest to the middle of each piece"
        )
    roots = tuple((_place(point), _inwards(point, middles)) for point in told)
    report = {
        **organ.report,
        "vessels_enter": words,
        "vessels_enter_mm": [[round(value, 3) for value in point] for point, _ in roots],
    }
    if renal:
        return replace(
            organ, report=report, arteries=lambda seed: arteries_from(glomeruli_of(organ, seed), roots, seed)
        )
    return replace(organ, report=report, vessel_roots=roots)


def _middles(lattice: Lattice, inside: NDArray[np.bool_], target: NDArray[np.bool_] | None) -> list[Points]:
    """Return the middle of the target, or of each piece of the organ that is no crumb, largest first."""
    if target is not None and target.any():
        return [_points(lattice, target).mean(axis=0)]
    index = np.flatnonzero(inside)
    component = connected_components(find_neighbors(index, lattice.shape))
    count = np.bincount(component)
    pieces = [
        int(label) for label in np.argsort(-count, kind="stable") if count[label] >= _LEAST_PIECE * len(index)
    ]
    places = _points(lattice, inside)
    return [places[component == label].mean(axis=0) for label in pieces]


def _beside(outside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the cells with a face to the outside; the border of the box is outside."""
    near = np.zeros(outside.shape, dtype=np.bool_)
    for axis in range(3):
        here, there = (np.moveaxis(values, axis, 0) for values in (near, outside))
        here[1:] |= there[:-1]
        here[:-1] |= there[1:]
    return near


def _points(lattice: Lattice, mask: NDArray[np.bool_]) -> Points:
    """Return the centers (k, 3) x, y, z of the cells of a mask."""
    return np.asarray((np.argwhere(mask)[:, ::-1] + 0.5) * lattice.spacing + np.asarray(lattice.origin))


def _nearest(places: Points, point: Points) -> Points:
    return np.asarray(places[np.argmin(np.square(places - point).sum(axis=1))])


def _inwards(point: Points, middles: Sequence[Points]) -> Point:
    """Return the direction to the nearest middle, upwards if that is the place itself."""
    way = min((middle - point for middle in middles), key=lambda way: float(way @ way))
    length = float(np.sqrt(way @ way))
    return _place(way / length) if length > 0 else (0.0, 0.0, 1.0)


def _place(values: Points) -> Point:
    x, y, z = (float(value) for value in np.round(values, 6))
    return x, y, z


def _check(entry: Point, tissue: Points, lattice: Lattice) -> None:
    apart = float(np.sqrt(np.square(tissue - np.asarray(entry)).sum(axis=1).min()))
    if not apart <= _FARTHEST * max(lattice.shape) * lattice.spacing:
        low, high = tissue.min(axis=0), tissue.max(axis=0)
        box = ", ".join(f"{axis} {a:.4g} to {b:.4g}" for axis, a, b in zip("xyz", low, high, strict=True))
        raise InputError(
            f"vessel_entries: ({', '.join(f'{value:g}' for value in entry)}) mm is {apart:.3g} mm from the tissue, "
            f"which lies at {box} mm in the axes of the file"
        )

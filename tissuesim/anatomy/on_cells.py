"""An organ on the tetrahedra of its own mesh: regions of the cells, maps from the voxels that hold their middles."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tissuesim.tissue import Tissue, build_tetrahedra

from .selection import ImportOptions
from .tetrahedra import tetrahedra_of

REACH = 2  # voxels around a cell's middle in which the nearest voxel of tissue is looked for


def tissue_on_cells(path: Path, voxels: Tissue, options: ImportOptions) -> Tissue:
    """Return the tissue of a tetrahedral mesh; ``voxels`` is the same file in voxels and gives the maps.

    InputError if the file has other cells, or its mesh is far from Delaunay.
    """
    points, cells, region, names = tetrahedra_of(path, options)
    middles = points[cells].mean(axis=1)
    row = nearest_voxel(voxels, middles)
    maps = {name: values[row] for name, values in voxels.maps.items()}
    # the centers of the control volumes are those of circumspheres, which may lie far outside flat cells
    maps |= {f"middle_{axis}": middles[:, k] for k, axis in enumerate("xyz")}
    told = ("anatomy", "file", "units", "seed")
    report: dict[str, object] = {key: value for key, value in voxels.report.items() if key in told}
    reference = voxels.report.get("reference_volume_ml")
    tissue = build_tetrahedra(
        voxels.name,
        points,
        cells,
        region,
        names,
        maps,
        {**report, "reference_volume_ml": reference, "volume_reference": "sum of the cells' volumes"},
    )
    if isinstance(reference, float):
        tissue.report["volume_error"] = float(tissue.volume.sum()) / 1000 / reference - 1
    return tissue


def nearest_voxel(voxels: Tissue, places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the row of the voxel that holds each place (m, 3), or of the nearest one within two voxels; else row 0."""
    rows = voxels.scatter(np.arange(voxels.n), fill=-1).astype(np.int64)
    cell = np.floor((places - np.asarray(voxels.origin)) / voxels.spacing).astype(np.int64)
    steps = sorted(product(range(-REACH, REACH + 1), repeat=3), key=lambda step: sum(k * k for k in step))
    found = np.full(len(places), -1, np.int64)
    for step in steps:
        open_places = np.flatnonzero(found < 0)
        if not len(open_places):
            break
        x, y, z = (cell[open_places] + step).T
        inside = np.ones(len(open_places), np.bool_)
        for axis, size in zip((z, y, x), rows.shape, strict=True):
            inside &= (axis >= 0) & (axis < size)
        found[open_places[inside]] = rows[z[inside], y[inside], x[inside]]
    return np.maximum(found, 0)

"""An organ as data of a page: its surface, its fields as small boxes of bytes, its cells as dots, day by day.

The viewer of the page (`templates/viewer.js`) draws them with WebGL. Numbers are bytes (fields) or 16 bits (places),
and packed with zlib and base64: enough for the eye, and small.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..frames import Pictures, read_pictures, written_frames
from ..grid import BORDER, PASS_BAND, SMOOTHING, extended
from ..plots.catalogue import organ_text
from ..style import DOT_COLORS, color_table, count_text, split_label, unit_text

if TYPE_CHECKING:
    from tissuesim.run import Run

FIELDS = ("inflammation", "damage", "fibrosis", "killing_integral")
MOST_VOXELS = 160_000  # of one field on one day, over all organs together
MOST_TRIANGLES = 24_000  # over all organs together
MOST_DOTS = 2_500  # of one kind of cells on one day
DEPTH = 4.0  # mm before the cut within which cells are drawn
DAYS = (-120.0, -5.0, 3.0, 7.0, 9.0, 14.0, 28.0, 60.0, 90.0, 180.0, 365.0, 730.0)


def scenes(run: Run, organs: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the viewer needs for each of ``organs``; those on the cells of a mesh are left out."""
    shown = [organ for organ in organs if "center" not in run[organ]]
    return [scene(run, organ, 1.0 / len(shown)) for organ in shown]


def scene(run: Run, organ: str, share: float = 1.0) -> dict[str, Any]:
    """Return one organ: ``share`` of the voxels and triangles that a page may have."""
    names = [name for name in FIELDS if name in run[organ]]
    end = float(run[organ]["time"][written_frames(run, organ)[-1]])
    begin = float(run[organ]["time"][0])
    shown = [day for day in DAYS if begin <= day <= end] or [end]
    first = read_pictures(run, organ, shown, names[0] if names else _any_field(run, organ))
    factor = coarsening(first.fraction.shape, MOST_VOXELS * share)
    tissue = blocks(np.pad(first.fraction, BORDER), factor)
    spacing = first.spacing * factor
    low = first.origin - BORDER * first.spacing
    size = np.array(tissue.shape[::-1]) * spacing
    days = [round(frame.day, 2) for frame in first.frames]
    fields = [_field(first, factor)]
    fields += [_field(read_pictures(run, organ, shown, name), factor) for name in names[1:]]
    return {
        "name": organ_text(organ),
        "days": days,
        "start": max((number for number, day in enumerate(days) if day <= run.baseline_day), default=0),
        "shape": list(tissue.shape[::-1]),
        "boxLow": low.tolist(),
        "boxSize": size.tolist(),
        "depth": DEPTH,
        "tissue": packed(np.round(255 * np.clip(tissue, 0.0, 1.0)).astype(np.uint8)),
        "mesh": surface(first, int(MOST_TRIANGLES * share)),
        "fields": fields,
        "dots": _dots(first, low, size),
    }


def _any_field(run: Run, organ: str) -> str:
    return next(
        str(name)
        for name, array in run[organ].data_vars.items()
        if "time" in array.dims and "z" in array.dims
    )


def coarsening(shape: tuple[int, ...], most: float) -> int:
    """Return by how much to coarsen a box of ``shape`` so that it has at most ``most`` voxels, border included."""
    factor = 1
    while np.prod([np.ceil((extent + 2 * BORDER) / factor) for extent in shape]) > most:
        factor += 1
    return factor


def blocks(box: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """Return the means of blocks of ``factor`` voxels along each axis; what is missing at the end counts as zero."""
    missing = [(0, -extent % factor) for extent in box.shape]
    padded = np.pad(box, missing)
    z, y, x = (extent // factor for extent in padded.shape)
    return np.asarray(padded.reshape(z, factor, y, factor, x, factor).mean(axis=(1, 3, 5)))


def _field(pictures: Pictures, factor: int) -> dict[str, Any]:
    """Return one field on every day as bytes, 255 at the top of its scale, continued beyond the organ."""
    frames = []
    for frame in pictures.frames:
        padded = np.pad(frame.values, BORDER, constant_values=np.nan)
        values = blocks(extended(padded, np.isfinite(padded)).astype(np.float64), factor)
        frames.append(packed(np.round(255 * np.clip(values / pictures.top, 0.0, 1.0)).astype(np.uint8)))
    label = split_label(pictures.label)
    return {
        "label": label.name,
        "unit": unit_text(pictures.unit),
        "top": f"{pictures.top:g}",
        "colors": color_table(pictures.kind).tobytes().hex(),
        "frames": frames,
    }


def _dots(pictures: Pictures, low: NDArray[np.float64], size: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return the cells of every kind and day as places in the box, 16 bits per coordinate."""
    layers = []
    for number, layer in enumerate(pictures.frames[0].layers):
        of_days = [frame.layers[number] for frame in pictures.frames]
        most = max(len(one.positions) for one in of_days)
        every = max(1, int(np.ceil(most / MOST_DOTS)))
        places = [np.clip((one.positions[::every] - low) / size, 0.0, 1.0) for one in of_days]
        layers.append(
            {
                "name": layer.name,
                "color": DOT_COLORS[layer.key],
                "per_dot": count_text(layer.per_dot * every),
                "totals": [count_text(one.total) for one in of_days],
                "frames": [packed(np.round(65535 * place).astype(np.uint16)) for place in places],
            }
        )
    return layers


def surface(pictures: Pictures, triangles: int) -> dict[str, Any]:
    """Return the smoothed surface with at most about ``triangles`` triangles: places, normals, corners."""
    import pyvista

    fraction = np.pad(pictures.fraction, BORDER)
    grid: Any = pyvista.ImageData(
        dimensions=fraction.shape[::-1],
        spacing=(pictures.spacing,) * 3,
        origin=tuple(pictures.origin + (0.5 - BORDER) * pictures.spacing),
    )
    grid.point_data["fraction"] = fraction.reshape(-1).astype(np.float32)
    mesh = grid.contour([0.5], scalars="fraction", method="flying_edges")
    mesh = mesh.smooth_taubin(n_iter=SMOOTHING, pass_band=PASS_BAND)
    if mesh.n_cells > triangles:
        mesh = mesh.decimate(1.0 - triangles / mesh.n_cells)
    mesh = mesh.compute_normals(auto_orient_normals=True, split_vertices=False, cell_normals=False)
    points = np.asarray(mesh.points, dtype=np.float64)
    low, size = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-6)
    corners = np.asarray(mesh.faces).reshape(-1, 4)[:, 1:]
    return {
        "low": low.tolist(),
        "size": size.tolist(),
        "positions": packed(np.round(65535 * (points - low) / size).astype(np.uint16)),
        "normals": packed(np.round(127 * np.asarray(mesh.point_data["Normals"])).astype(np.int8)),
        "indices": packed(corners.astype(np.uint32)),
    }


def packed(values: NDArray[Any]) -> str:
    """Return the bytes of ``values`` (little-endian) packed with zlib, as base64."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return base64.b64encode(zlib.compress(little.tobytes(), 9)).decode()

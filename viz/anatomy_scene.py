"""The 3D picture of an anatomy, in a process of its own so that a graphics driver takes nothing with it.

``python -m tissuesim.viz.anatomy_scene JOB.npz`` writes ``scene.png`` beside the job: the surface colored by
region, a part cut away, the regions on the cut faces. An organ loses its upper front half, a block of tissue
its upper front corner.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .region_box import NOTHING, RegionBox, colors_of

BORDER = 2  # empty voxels around the box, so that its surface closes
SMOOTHING, PASS_BAND = 20, 0.1
FACE_PIXELS = 900  # of the longer side of a cut face
UNDER = 0.6  # voxels below the surface where its region is read
COAT_SURFACE, COAT_VOLUME, COAT_DEPTHS = (
    0.5,
    0.25,
    (1.5, 2.5, 3.5, 4.5),
)  # see `_under_a_coat`; depths in voxels


def main(job_path: str) -> None:
    """Draw the job at ``job_path`` (written by `anatomy.draw_anatomy`)."""
    import pyvista

    job_file = Path(job_path)
    with np.load(job_file, allow_pickle=False) as stored:
        job = {name: stored[name] for name in stored.files}
    box = RegionBox(job["fraction"], job["region"], float(job["spacing"]), job["origin"])
    plotter: Any = pyvista.Plotter(off_screen=True, window_size=[int(job["width"]), int(job["height"])])
    plotter.set_background(str(job["ground"]))
    cuts = job["cuts"]  # (k, 2, 3): normal and point; what lies before all of them is gone
    light = {"smooth_shading": False, "ambient": 0.5, "diffuse": 0.65, "specular": 0.1}
    for part in cut_away(_surface(box, job["table"], smooth=not bool(job["block"])), cuts):
        plotter.add_mesh(part, scalars="color", rgb=True, **light)
    for number in range(len(cuts)):
        face = cut_face(box, job["table"], cuts, number)
        if face.n_cells:
            plotter.add_mesh(face, scalars="color", rgb=True, lighting=False)
    _place_camera(plotter, job)
    plotter.enable_anti_aliasing("ssaa")
    plotter.screenshot(str(job_file.with_name("scene.png")))
    plotter.close()


def _surface(box: RegionBox, table: NDArray[np.uint8], *, smooth: bool) -> Any:
    """Return the surface of the tissue with a color per point."""
    import pyvista

    fraction = np.pad(box.fraction, BORDER)
    grid: Any = pyvista.ImageData(
        dimensions=fraction.shape[::-1],
        spacing=(box.spacing,) * 3,
        origin=tuple(box.origin + (0.5 - BORDER) * box.spacing),
    )
    grid.point_data["fraction"] = fraction.reshape(-1).astype(np.float32)
    surface = grid.contour([level_of(box)], scalars="fraction", method="flying_edges")
    if smooth:
        surface = surface.smooth_taubin(n_iter=SMOOTHING, pass_band=PASS_BAND)
    surface = surface.compute_normals(auto_orient_normals=False, split_vertices=False)
    outward = np.asarray(surface.point_data["Normals"])
    points = np.asarray(surface.points, dtype=np.float64)
    region = np.full(len(points), NOTHING, dtype=np.uint8)
    for depth in (UNDER, -UNDER, 0.0):  # whichever way the normals point, one side is tissue
        _, found = box.sample(points - depth * box.spacing * outward)
        region = np.where(region == NOTHING, found, region)
    region = _under_a_coat(box, region, points, outward)
    surface.point_data["color"] = colors_of(region, table)
    return surface


def _under_a_coat(
    box: RegionBox, region: NDArray[np.uint8], points: NDArray[np.float64], outward: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return the regions of surface points with what lies under a coat, so that lobes are seen through a pleura.

    A coat is a region of most of the surface and little of the volume. Where it is thick it stays.
    """
    tissue = box.region != NOTHING
    for label in np.unique(region[region != NOTHING]):
        volume = box.fraction[tissue & (box.region == label)].sum() / box.fraction[tissue].sum()
        if np.mean(region == label) < COAT_SURFACE or volume > COAT_VOLUME:
            continue
        for depth in COAT_DEPTHS:
            under = np.flatnonzero(region == label)
            for side in (depth, -depth):  # normals may point either way; one side has tissue
                _, found = box.sample(points[under] - side * box.spacing * outward[under])
                seen = (found != NOTHING) & (found != label)
                region[under[seen]] = found[seen]
                under = under[~seen]
    return region


def level_of(box: RegionBox) -> float:
    """Return the tissue share that counts as surface: a half, less where walls are thinner than a voxel."""
    return 0.5 * min(1.0, float(np.median(box.fraction[box.region != NOTHING])))


def cut_away(surface: Any, cuts: NDArray[np.float64]) -> list[Any]:
    """Return the parts of ``surface`` that do not lie before all of the planes ``cuts`` (k, 2, 3)."""
    parts, before = [], surface
    for normal, point in cuts:
        parts.append(before.clip(normal=-normal, origin=point, invert=False))
        before = before.clip(normal=normal, origin=point, invert=False)
    return [part for part in parts if part.n_cells]


def cut_face(box: RegionBox, table: NDArray[np.uint8], cuts: NDArray[np.float64], number: int) -> Any:
    """Return the part of plane ``number`` that the cut lays open, colored by region."""
    import pyvista

    normal, point = cuts[number]
    axis = int(np.argmax(np.abs(normal)))
    first, second = (k for k in range(3) if k != axis)
    step = float(max(box.size[first], box.size[second])) / FACE_PIXELS
    counts = [max(2, round(float(box.size[k]) / step) + 1) for k in (first, second)]
    lines = [
        box.origin[k] + np.linspace(0.0, box.size[k], n) for k, n in zip((first, second), counts, strict=True)
    ]
    points = np.empty((*counts, 1, 3))
    points[..., axis] = point[axis]
    points[..., first], points[..., second] = lines[0][:, None, None], lines[1][None, :, None]
    share, region = box.sample(points)
    seen = share >= level_of(box)
    for other, (away, place) in enumerate(cuts):
        if other != number:
            seen &= (points - place) @ away >= -1e-9
    grid: Any = pyvista.StructuredGrid(points[..., 0], points[..., 1], points[..., 2])
    grid.point_data["color"] = colors_of(region, table).transpose(2, 1, 0, 3).reshape(-1, 3)
    grid.point_data["seen"] = seen.transpose(2, 1, 0).reshape(-1).astype(np.uint8)
    return grid.threshold(0.5, scalars="seen", all_scalars=True)


def _place_camera(plotter: Any, job: dict[str, NDArray[Any]]) -> None:
    plotter.enable_parallel_projection()
    camera = plotter.camera
    camera.focal_point = tuple(job["focus"])
    camera.position = tuple(job["focus"] + 10.0 * float(job["half_height"]) * job["toward_camera"])
    camera.up = tuple(job["screen_up"])
    camera.parallel_scale = float(job["half_height"])
    plotter.reset_camera_clipping_range()


if __name__ == "__main__":
    main(sys.argv[1])

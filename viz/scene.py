"""The 3D scene of one organ. Runs as its own process, so that a graphics driver cannot take a run with it.

``python -m tissuesim.viz.scene JOB.npz`` draws each frame of the job into ``frame_000.png`` and so on beside
it. The lower part of the organ stands solid, colored by the field at its surface; of the upper part the front
quarter is cut away: the field is seen on the cut faces, the surface stays as glass and the cells as dots.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RIM, GLASS, RIM_POWER = 0.55, 0.05, 2.5  # opacity of the glass at its rim and face on; how fast it falls
GLASS_COLOR = np.array([214, 226, 240])
LINE_COLOR = "#F4F5F7"
LIFT = 0.3  # mm, by which lines and glass stand before what they lie on
DOT_SIZE = 0.85  # mm
SMOOTHING, PASS_BAND = 30, 0.08
BORDER = 3  # voxels by which a field is continued beyond the organ, for clean colors at its surface


def main(job_path: str) -> None:
    """Draw every frame of the job at ``job_path`` (see `offscreen.write_job`)."""
    job_file = Path(job_path)
    with np.load(job_file, allow_pickle=False) as stored:
        job = {name: stored[name] for name in stored.files}
    organ = _Organ(job)
    for number in range(int(job["frames"])):
        draw(organ, job, number, job_file.with_name(f"frame_{number:03d}.png"))


def draw(organ: _Organ, job: dict[str, NDArray[Any]], number: int, path: Path) -> None:
    """Draw one frame of the job into ``path``."""
    import pyvista

    plotter: Any = pyvista.Plotter(off_screen=True, window_size=[int(job["width"]), int(job["height"])])
    plotter.set_background(str(job["ground"]))
    organ.show(plotter, job[f"values_{number}"])
    pixels_per_mm = float(job["height"]) / (2.0 * float(job["half_height"]))
    for layer, color in enumerate(job["dot_colors"]):
        dots = job[f"dots_{number}_{layer}"]
        if len(dots):
            plotter.add_mesh(
                pyvista.PolyData(dots),
                color=str(color),
                point_size=DOT_SIZE * pixels_per_mm,
                render_points_as_spheres=True,
                ambient=0.35,
            )
    _place_camera(plotter, job)
    plotter.screenshot(str(path))
    plotter.close()


class _Organ:
    """The geometry that all frames share: solid body, cut faces, glass."""

    def __init__(self, job: dict[str, NDArray[Any]]) -> None:
        import pyvista

        self.job = job
        fraction = np.pad(job["fraction"], BORDER)
        self.grid: Any = pyvista.ImageData(
            dimensions=fraction.shape[::-1],
            spacing=(float(job["spacing"]),) * 3,
            origin=tuple(job["origin"] + (0.5 - BORDER) * float(job["spacing"])),
        )
        self.grid.point_data["fraction"] = fraction.reshape(-1).astype(np.float32)
        region = np.pad(job["region"].astype(np.float32), BORDER, constant_values=255.0)
        self.tissue = region != 255.0
        for label in self.job["border_labels"]:
            share = extended((region == label).astype(np.float64), self.tissue)
            self.grid.point_data[f"region {label}"] = blurred(share).reshape(-1)

        surface = self.grid.contour([0.5], scalars="fraction", method="flying_edges")
        surface = surface.smooth_taubin(n_iter=SMOOTHING, pass_band=PASS_BAND)
        surface = surface.compute_normals(auto_orient_normals=True, split_vertices=False)
        front, up, center, shelf = (job[name] for name in ("front", "up", "center", "shelf"))
        back = surface.clip(normal=-front, origin=center, invert=False)
        before = surface.clip(normal=front, origin=center, invert=False)
        self.body = back.merge(before.clip(normal=-up, origin=shelf, invert=False))
        self.glass = (
            surface.copy()
        )  # also around the solid part, or a dark, healed organ would have no outline
        self.glass.points = self.glass.points + LIFT * np.asarray(surface.point_data["Normals"])
        self.faces = [
            self._face(front, center).clip(normal=up, origin=shelf, invert=False),
            self._face(up, shelf).clip(normal=front, origin=center, invert=False),
        ]
        self.lines = [line for face in self.faces for line in _borders(face, job)]

    def _face(self, normal: NDArray[np.float64], origin: NDArray[np.float64]) -> Any:
        plane = self.grid.slice(normal=normal, origin=origin)
        return plane.clip_scalar(scalars="fraction", value=0.5, invert=False)

    def show(self, plotter: Any, values: NDArray[np.float64]) -> None:
        """Add body, cut faces, region borders and glass for the field ``values`` (z, y, x)."""
        import pyvista

        padded = np.pad(values, BORDER, constant_values=np.nan)
        self.grid.point_data["field"] = extended(padded, np.isfinite(padded)).reshape(-1).astype(np.float32)
        table: Any = pyvista.LookupTable(scalar_range=(0.0, float(self.job["top"])))
        colors = self.job["colors"]
        table.values = np.concatenate([colors, np.full((len(colors), 1), 255, dtype=np.uint8)], axis=1)
        solid = {"scalars": "field", "cmap": table, "show_scalar_bar": False}
        plotter.add_mesh(
            self.body.sample(self.grid),
            smooth_shading=True,
            ambient=0.45,
            diffuse=0.6,
            specular=0.12,
            **solid,
        )
        for face in self.faces:
            if face.n_points:
                plotter.add_mesh(face.sample(self.grid), lighting=False, **solid)
        for line in self.lines:
            plotter.add_mesh(line, color=LINE_COLOR, line_width=1.6, opacity=0.75, lighting=False)
        rim = _glass_colors(self.glass, self.job["toward_camera"])
        plotter.add_mesh(self.glass, scalars=rim, rgb=True, lighting=False, culling="back")


def extended(values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """Return ``values`` (z, y, x) continued ``BORDER`` voxels beyond ``known`` by means of neighbors.

    Zero elsewhere. The box must have a border of ``BORDER`` unknown voxels, or values would wrap around.
    """
    values, known = np.where(known, values, 0.0), known.copy()
    for _ in range(BORDER):
        total, weight = np.zeros(values.shape), np.zeros(values.shape)
        for axis in range(3):
            for step in (1, -1):
                total += np.roll(values, step, axis)
                weight += np.roll(known, step, axis)
        new = ~known & (weight > 0.0)
        values[new] = total[new] / weight[new]
        known |= new
    return np.asarray(values)


def blurred(values: NDArray[np.float64], rounds: int = 2) -> NDArray[np.float64]:
    """Return ``values`` (z, y, x) averaged with their six neighbors ``rounds`` times (smooth lines)."""
    for _ in range(rounds):
        neighbors = [np.roll(values, step, axis) for axis in range(3) for step in (1, -1)]
        values = (2.0 * values + np.sum(neighbors, axis=0)) / 8.0
    return values


def _glass_colors(glass: Any, toward_camera: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return colors (k, 4): clear face on, bright where the surface turns away, as thin glass is."""
    facing = np.abs(np.asarray(glass.point_data["Normals"]) @ toward_camera)
    opacity = GLASS + (RIM - GLASS) * (1.0 - np.clip(facing, 0.0, 1.0)) ** RIM_POWER
    colors = np.empty((glass.n_points, 4), dtype=np.uint8)
    colors[:, :3] = GLASS_COLOR
    colors[:, 3] = np.round(255 * opacity)
    return colors


def _borders(face: Any, job: dict[str, NDArray[Any]]) -> list[Any]:
    """Return the borders between the regions on a cut face, as lines a little before it."""
    lines = [
        face.contour([0.5], scalars=f"region {label}") for label in job["border_labels"] if face.n_points
    ]
    return [line.translate(LIFT * job["toward_camera"]) for line in lines if line.n_points]


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

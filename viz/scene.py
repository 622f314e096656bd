"""The 3D scene of organs. Runs as its own process, so that a graphics driver cannot take a run with it.

``python -m tissuesim.viz.scene JOB.npz ...`` draws each frame of each job into ``JOB_000.png`` and so on beside it,
and, where the job asks for it, writes ``JOB.html``, a scene that a reader can turn.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .scene_organs import KINDS

BODY_COLOR, BODY_LINE = "#2B303B", "#454D5C"
Job = Mapping[str, NDArray[Any]]


def main(files: list[str]) -> None:
    """Draw every frame of every job (see `offscreen.write_job`)."""
    import pyvista

    for file in files:
        path = Path(file)
        with np.load(path, allow_pickle=False) as stored:
            job = {name: stored[name] for name in stored.files}
        size = [int(job["width"]), int(job["height"])]
        plotter: Any = pyvista.Plotter(off_screen=True, window_size=size)
        scene = Scene(job, plotter)
        for number in range(int(job["frames"])):
            scene.show(number)
            plotter.render()
            plotter.screenshot(str(path.with_name(f"{path.stem}_{number:03d}.png")))
        if bool(job["as_html"]):
            write_html(plotter, path.with_suffix(".html"))
        plotter.close()


class Scene:
    """All organs of a job in one plotter; the geometry is made once and serves every frame."""

    def __init__(self, job: Job, plotter: Any) -> None:
        """Build the organs of ``job``."""
        self.job, self.plotter = job, plotter
        plotter.set_background(str(job["ground"]))
        plotter.enable_parallel_projection()
        kind = KINDS[str(job["kind"])]
        self.organs = [kind(_part(job, number)) for number in range(int(job["organs"]))]
        self._body()

    def show(self, number: int) -> None:
        """Put frame ``number`` into the scene: fields, cells and camera."""
        job, toward = self.job, self.job["toward_camera"][number]
        for place, organ in enumerate(self.organs):
            organ.show(self.plotter, job[f"{place}/values/{number}"], toward, str(place))
            self._dots(place, number)
        self._camera(number)

    def _dots(self, place: int, number: int) -> None:
        import pyvista

        for layer, color in enumerate(self.job["dot_colors"]):
            name = f"{place} dots {layer}"
            self.plotter.remove_actor(name, render=False)
            dots = self.job[f"{place}/dots/{number}/{layer}"]
            if len(dots):
                style = {"color": str(color), "point_size": float(self.job["dot_size"]), "ambient": 0.35}
                self.plotter.add_mesh(
                    pyvista.PolyData(dots), render_points_as_spheres=True, name=name, render=False, **style
                )

    def _body(self) -> None:
        """Put the outline of the body behind the organs, if the job has one."""
        import pyvista

        outline = self.job["body"]
        if not len(outline):
            return
        loop = np.append(np.arange(len(outline)), 0)
        flat = pyvista.PolyData(outline, faces=np.append(len(outline), np.arange(len(outline))))
        self.plotter.add_mesh(flat.triangulate(), color=BODY_COLOR, lighting=False)
        line = pyvista.PolyData(outline, lines=np.append(len(loop), loop))
        self.plotter.add_mesh(line, color=BODY_LINE, line_width=2.0, lighting=False)

    def _camera(self, number: int) -> None:
        job, camera = self.job, self.plotter.camera
        half, focus, toward = float(job["half_height"]), job["focus"][number], job["toward_camera"][number]
        camera.focal_point = tuple(focus)
        camera.position = tuple(focus + 10.0 * half * toward)
        camera.up = tuple(job["screen_up"][number])
        camera.parallel_scale = half
        self.plotter.reset_camera_clipping_range()


def _part(job: Job, number: int) -> dict[str, NDArray[Any]]:
    """Return what concerns organ ``number`` of a job, with what all organs share."""
    prefix = f"{number}/"
    own = {name.removeprefix(prefix): value for name, value in job.items() if name.startswith(prefix)}
    return {"colors": job["colors"], "top": job["top"], "lift_toward": job["toward_camera"][0], **own}


def write_html(plotter: Any, path: Path) -> None:
    """Write the scene as one HTML page that needs no network, drawn by vtk.js."""
    raise NotImplementedError


if __name__ == "__main__":
    main(sys.argv[1:])

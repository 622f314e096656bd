"""The 3D scene of organs. Runs as its own process, so that a graphics driver cannot take a run with it.

``python -m tissuesim.viz.scene`` reads the names of jobs, one a line, and draws each frame of each into
``JOB_000.npy`` and so on beside it, images (height, width, 3); where a job asks for it, it writes ``JOB.html``, a scene
that a reader can turn.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .html_scene import write_html
from .scene_organs import KINDS

BODY_COLOR, BODY_LINE = "#2B303B", "#454D5C"
Job = Mapping[str, NDArray[Any]]


def main(names: Iterable[str], hands: int = 1) -> None:
    """Draw every frame of every job (see `offscreen.write_job`), up to ``hands`` jobs at a time."""
    import pyvista.plotting  # noqa: F401  # the slow part, done while the jobs are written

    paths = [Path(name.strip()) for name in names]
    parts = (
        np.array_split(np.arange(len(paths)), max(1, min(hands, len(paths)))) if hasattr(os, "fork") else []
    )
    helpers = []
    for part in parts[1:]:  # before the driver is loaded: each has one of its own
        helper = os.fork()
        if helper == 0:
            _draw([paths[number] for number in part])
            os._exit(0)
        helpers.append(helper)
    _draw([paths[number] for number in parts[0]] if parts else paths)
    for helper in helpers:
        _follow(os.waitpid(helper, 0)[1])


def _follow(status: int) -> None:
    """End as a helper did, if it did not end well."""
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    if os.waitstatus_to_exitcode(status):
        sys.exit(1)  # it has said why


def _draw(paths: Sequence[Path]) -> None:
    """Draw every frame of the jobs in ``paths``."""
    import pyvista

    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            job = {key: stored[key] for key in stored.files}
        size = [int(job["width"]), int(job["height"])]
        plotter: Any = pyvista.Plotter(off_screen=True, window_size=size)
        scene = Scene(job, plotter)
        for number in range(int(job["frames"])):
            scene.show(number)
            plotter.render()
            np.save(path.with_name(f"{path.stem}_{number:03d}.npy"), plotter.screenshot(return_img=True))
        if bool(job["as_html"]):
            write_html(plotter, path.with_suffix(".html"))
        plotter.close()


class Scene:
    """All organs of a job in one plotter; the geometry is made once and serves every frame."""

    def __init__(self, job: Job, plotter: Any) -> None:
        """Build the organs of ``job``."""
        self.job, self.plotter = job, plotter
        self._mm_per_pixel = 2.0 * float(job["half_height"]) / float(job["height"])
        plotter.set_background(str(job["ground"]))
        if not bool(job["as_html"]):  # vtk.js knows perspective alone
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
                style = {"color": str(color), "ambient": 0.35, "name": name, "render": False}
                size = float(self.job["dot_size"])
                if bool(self.job["as_html"]):  # vtk.js draws points as squares
                    ball = pyvista.Sphere(size * self._mm_per_pixel / 2, theta_resolution=6, phi_resolution=5)
                    cells = pyvista.PolyData(dots).glyph(geom=ball, scale=False, orient=False)
                    self.plotter.add_mesh(cells, **style)
                else:
                    balls = {"point_size": size, "render_points_as_spheres": True}
                    self.plotter.add_mesh(pyvista.PolyData(dots), **balls, **style)

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
        distance = half / np.tan(np.deg2rad(camera.view_angle / 2)) if bool(job["as_html"]) else 10.0 * half
        camera.position = tuple(focus + distance * toward)
        camera.up = tuple(job["screen_up"][number])
        camera.parallel_scale = half
        self.plotter.reset_camera_clipping_range()


def _part(job: Job, number: int) -> dict[str, NDArray[Any]]:
    """Return what concerns organ ``number`` of a job, with what all organs share."""
    prefix = f"{number}/"
    own = {name.removeprefix(prefix): value for name, value in job.items() if name.startswith(prefix)}
    return {"colors": job["colors"], "top": job["top"], "lift_toward": job["toward_camera"][0], **own}


if __name__ == "__main__":
    main(sys.stdin, int(sys.argv[1]) if len(sys.argv) > 1 else 1)

"""Frames to pixels: 3D scenes in processes of their own, or sections if no renderer works here."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .explode import Exploded
from .frames import Frame, Pictures
from .sections import section_image
from .style import DOT_COLORS, GROUND, color_table
from .view import View, organ_view

Image = NDArray[np.uint8]
SECONDS_TO_START, SECONDS_PER_FRAME = 60.0, 30.0
DOT_SIZE = 0.007  # of the height of the picture


@dataclass(frozen=True)
class Shot:
    """One organ of a scene and where it is cut: ``cut`` is the view that holds the cut planes."""

    pictures: Pictures
    cut: View
    exploded: Exploded | None = None

    def dots(self, frame: Frame, kind: str) -> list[NDArray[np.float32]]:
        """Return the places (k, 3) of the cells that the scene shows, one array per layer."""
        places = []
        for layer in frame.layers:
            dots = layer.positions
            if kind == "cut":
                dots = dots[self.cut.near_cut(dots)]
            elif self.exploded is not None:
                dots = self.exploded.moved(dots, self.pictures)
            places.append(dots.astype(np.float32))
        return places


@dataclass(frozen=True)
class Scene:
    """What one process draws into one series of images: organs, a way to show them, a camera per frame.

    All organs have the same number of frames, and so many cameras there are. ``body`` (k, 3) is an outline
    that is drawn behind the organs.
    """

    kind: str  # cut, iso or explode
    shots: tuple[Shot, ...]
    cameras: tuple[View, ...]
    body: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    dot_size: float = DOT_SIZE  # of the height of the picture
    as_html: bool = False


def draw_frames(pictures: Pictures, kind: str = "cut") -> tuple[list[Image], View]:
    """Return one image (height, width, 3) per frame of one organ and the view they were drawn in."""
    view = organ_view(pictures.points(), stance=pictures.stance())
    (images,), views = draw_scenes([Scene(kind, (Shot(pictures, view),), (view,) * len(pictures.frames))])
    return images, views[0]


def draw_scenes(
    scenes: Sequence[Scene], renderer: Renderer | None = None
) -> tuple[list[list[Image]], list[View]]:
    """Return the images (height, width, 3) of each scene and the first view of each.

    ``renderer`` may have been started before the scenes were there. If it cannot be used (no OpenGL of any kind, a
    driver that crashes), one line on stderr says so and flat sections are returned instead, so that a run never
    lacks its pictures.
    """
    images, trouble = render_scenes(scenes, renderer)
    if trouble is None:
        return images, [scene.cameras[0] for scene in scenes]
    tell_trouble(trouble)
    flat = [flat_images(scene) for scene in scenes]
    return [images for images, _ in flat], [view for _, view in flat]


def tell_trouble(trouble: str) -> None:
    """Say in one line on stderr why there are no 3D pictures."""
    print(f"3D pictures are not possible here ({trouble}); drawing flat sections instead.", file=sys.stderr)


def flat_images(scene: Scene) -> tuple[list[Image], View]:
    """Return the frames of a scene as sections through the middle of each organ, and their view."""
    view = scene.cameras[0]
    if len(scene.shots) == 1:
        pictures = scene.shots[0].pictures
        view = organ_view(pictures.points(), tilted=False, height=view.height, stance=pictures.stance())
    colors = color_table(scene.shots[0].pictures.kind)
    images = []
    for number in range(len(scene.cameras)):
        image = None
        for shot in scene.shots:
            frame = shot.pictures.frames[number]
            image = section_image(shot.pictures, frame, view, colors, DOT_COLORS, image)
        assert image is not None
        images.append(image)
    return images, view


def render_scenes(
    scenes: Sequence[Scene], renderer: Renderer | None = None
) -> tuple[list[list[Image]], str | None]:
    """Return (images, None), or (nothing, what went wrong), from one process that draws all scenes.

    ``renderer`` may have been started before the scenes were there; it serves once.
    """
    with tempfile.TemporaryDirectory(prefix="tissuesim-scene-") as folder:
        jobs = [Path(folder) / f"job{number}.npz" for number in range(len(scenes))]
        with renderer or Renderer() as renderer:
            for job, scene in zip(jobs, scenes, strict=True):
                write_job(job, scene)
            files = [
                job.with_name(f"{job.stem}_{number:03d}.npy")
                for job, scene in zip(jobs, scenes, strict=True)
                for number in range(len(scene.cameras))
            ]
            if (trouble := renderer.draw(jobs, files)) is not None:
                return [], trouble
        images = iter([np.load(file) for file in files])
        return [[next(images) for _ in scene.cameras] for scene in scenes], None


class Renderer:
    """A process that draws scenes. It loads VTK while its scenes are still being read, and serves once.

    ``hands`` is how many of its scenes it draws at a time. ``threads`` is how many each may use where there is no
    graphics card (default: its own choice).
    """

    def __init__(self, hands: int = 1, threads: int | None = None) -> None:
        """Start the process."""
        settings = environment() | ({} if threads is None else {"LP_NUM_THREADS": str(threads)})
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process
        command = [sys.executable, "-P", "-m", f"{__package__}.scene", str(hands)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._told,
            text=True,
            env=settings,
            start_new_session=True,  # so that it can be ended with its helpers
        )

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process if nothing was drawn after all, or not all."""
        if self._process.poll() != 0:
            with contextlib.suppress(OSError):  # it is gone already, and so are its helpers
                os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError, ValueError):  # it is gone already
            self._process.communicate()
        self._told.close()

    def draw(self, jobs: Sequence[Path], files: Sequence[Path]) -> str | None:
        """Draw the written ``jobs`` into ``files``; return what went wrong, or None."""
        limit = SECONDS_TO_START + SECONDS_PER_FRAME * len(files)
        assert self._process.stdin is not None
        names = "".join(f"{job}\n" for job in jobs)
        with contextlib.suppress(BrokenPipeError):  # it has ended already; why is asked below
            self._process.stdin.write(names)
            self._process.stdin.flush()
        for module in ("matplotlib.backends.backend_agg", "matplotlib.figure"):
            import_module(module)  # what comes next, loaded while the scene is drawn
        try:
            self._process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return f"no picture within {limit:.0f} s"
        if self._process.returncode == 0 and all(file.is_file() for file in files):
            return None
        self._told.seek(0)
        return reason(self._process.returncode, self._told.read())


def write_job(path: Path, scene: Scene) -> None:
    """Write all a scene needs as plain arrays: cameras, colors, and per organ geometry, values and dots."""
    first, views = scene.shots[0].pictures, scene.cameras
    job: dict[str, Any] = {
        "kind": scene.kind, "organs": len(scene.shots), "frames": len(views), "as_html": scene.as_html,
        "ground": GROUND, "colors": color_table(first.kind), "top": first.top, "body": scene.body,
        "half_height": views[0].half_height, "width": views[0].width, "height": views[0].height,
        "dot_size": scene.dot_size * views[0].height,
    }  # fmt: skip
    job |= {
        name: np.stack([getattr(view, name) for view in views])
        for name in ("toward_camera", "screen_up", "focus")
    }
    keys = [layer.key for layer in first.frames[0].layers]
    job["dot_colors"] = np.array([DOT_COLORS[key] for key in keys], dtype=np.str_)
    for number, shot in enumerate(scene.shots):
        own = _organ_arrays(shot, scene.kind)
        job |= {f"{number}/{name}": value for name, value in own.items()}
    np.savez(path, **job)


def _organ_arrays(shot: Shot, kind: str) -> dict[str, Any]:
    pictures, cut = shot.pictures, shot.cut
    arrays = {name: getattr(pictures, name) for name in ("fraction", "region", "spacing", "origin")}
    arrays["fraction"] = pictures.fraction.astype(np.float32)
    arrays |= {name: getattr(cut, name) for name in ("front", "up", "center", "shelf")}
    arrays["border_labels"] = np.unique(pictures.region[pictures.fraction > 0.0])[1:]
    if shot.exploded is not None:
        arrays |= {
            "part_labels": shot.exploded.labels,
            "part_moves": shot.exploded.moves,
            "part_cut": shot.exploded.cut_open,
        }
    for number, frame in enumerate(pictures.frames):
        arrays[f"values/{number}"] = frame.values.astype(np.float32)
        for layer, dots in enumerate(shot.dots(frame, kind)):
            arrays[f"dots/{number}/{layer}"] = dots
    return arrays


def environment() -> dict[str, str]:
    """Return the environment without a window system: an X server that is gone would end the renderer."""
    return {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}


def reason(code: int, told: str) -> str:
    """Return in a few words why a scene process that ended with ``code`` drew nothing."""
    if code < 0:
        return f"the renderer was ended by signal {-code}"
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return lines[-1] if lines else f"the renderer ended with code {code}"


def html_scene(scene: Scene) -> str | None:
    """Return the first frame of ``scene`` as an HTML page that a reader can turn; None where that cannot be made."""
    with tempfile.TemporaryDirectory(prefix="tissuesim-scene-") as folder, Renderer() as renderer:
        job, page = Path(folder) / "job.npz", Path(folder) / "job.html"
        write_job(job, replace(scene, as_html=True))
        return page.read_text(encoding="utf-8") if renderer.draw([job], [page]) is None else None

"""Frames to pixels: the 3D scene in a process of its own, or sections if no renderer works here."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .frames import Pictures
from .sections import section_image
from .style import DOT_COLORS, GROUND, color_table
from .view import View, organ_view

Image = NDArray[np.uint8]
SECONDS_TO_START, SECONDS_PER_FRAME = 60.0, 30.0


def draw_frames(pictures: Pictures) -> tuple[list[Image], View]:
    """Return one image (height, width, 3) per frame and the view they were drawn in.

    If the renderer cannot be used (no OpenGL of any kind, a driver that crashes), one line on stderr says so
    and flat sections are returned instead, so that a run never lacks its pictures.
    """
    view = organ_view(pictures.points())
    images, trouble = _render(pictures, view)
    if trouble is None:
        return images, view
    print(f"3D pictures are not possible here ({trouble}); drawing flat sections instead.", file=sys.stderr)
    view = organ_view(pictures.points(), tilted=False)
    colors = color_table(pictures.kind)
    return [section_image(pictures, frame, view, colors, DOT_COLORS) for frame in pictures.frames], view


def _render(pictures: Pictures, view: View) -> tuple[list[Image], str | None]:
    from matplotlib.image import imread

    with tempfile.TemporaryDirectory(prefix="tissuesim-scene-") as folder:
        job = Path(folder) / "job.npz"
        write_job(job, pictures, view)
        command = [sys.executable, "-P", "-m", f"{__package__}.scene", str(job)]
        limit = SECONDS_TO_START + SECONDS_PER_FRAME * len(pictures.frames)
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=limit, check=False, env=_environment()
            )
        except subprocess.TimeoutExpired:
            return [], f"no picture within {limit:.0f} s"
        files = [job.with_name(f"frame_{number:03d}.png") for number in range(len(pictures.frames))]
        if done.returncode != 0 or not all(file.is_file() for file in files):
            return [], _reason(done)
        return [np.round(imread(file)[..., :3] * 255).astype(np.uint8) for file in files], None


def write_job(path: Path, pictures: Pictures, view: View) -> None:
    """Write all the scene needs as plain arrays: geometry, camera, colors, and values and dots per frame."""
    job: dict[str, Any] = {
        name: getattr(view, name)
        for name in ("front", "up", "center", "shelf", "toward_camera", "screen_up", "focus")
    }
    job |= {"half_height": view.half_height, "width": view.width, "height": view.height}
    job |= {name: getattr(pictures, name) for name in ("fraction", "region", "spacing", "origin", "top")}
    job |= {"ground": GROUND, "colors": color_table(pictures.kind), "frames": len(pictures.frames)}
    labels = np.unique(pictures.region[pictures.fraction > 0.0])
    job["border_labels"] = labels[1:]
    keys = [layer.key for layer in pictures.frames[0].layers]
    job["dot_colors"] = np.array([DOT_COLORS[key] for key in keys], dtype=np.str_)
    for number, frame in enumerate(pictures.frames):
        job[f"values_{number}"] = frame.values
        for position, layer in enumerate(frame.layers):
            seen = view.near_cut(layer.positions)
            job[f"dots_{number}_{position}"] = layer.positions[seen].astype(np.float32)
    np.savez(path, **job)


def _environment() -> dict[str, str]:
    """Return the environment without a window system: an X server that is gone would end the renderer."""
    return {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"the renderer was ended by signal {-done.returncode}"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else f"the renderer ended with code {done.returncode}"

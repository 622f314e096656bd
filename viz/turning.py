"""Scenes that a reader can turn, for notebooks and pages; where they cannot be made, the still stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tissuesim.run import Run

from .dots import MOST_DOTS as CUT_DOTS
from .frames import OrganReader, shared_scale
from .html_legend import with_legend
from .html_scene import can_write_html
from .offscreen import Scene, html_scene
from .picture import Picture
from .render import FIELD, chosen_frames, default_view, opened, panel_days, render_run
from .stage import MOST_DOTS, check_view, shots_and_camera

HEIGHT = 560  # pixels
TURNING = ("cut", "iso", "explode")


def picture(
    run: Run | Path | str,
    days: Sequence[float] | None = None,
    organ: str | None = None,
    field: str | None = None,
    out: Path | str | None = None,
    view: str | None = None,
) -> Picture:
    """Draw as `render_run` does and return what shows itself in a notebook.

    With trame-vtk the scene of the last day asked for (of the CAR T peak, if none was) can be turned there; a
    section and a patient show as stills.
    """
    run = opened(run)
    paths = render_run(run, days, organ, field, out, view)
    shown, name = view or default_view(run, organ), organ if organ is not None else run.organs[0]
    day = days[-1] if days else None
    return Picture(paths, scene=lambda: turning_scene(run, name, field, day, shown))


def turning_scene(
    run: Run | Path | str,
    organ: str | None = None,
    field: str | None = None,
    day: float | None = None,
    view: str = "cut",
) -> str | None:
    """Return ``organ`` on ``day`` (default: that of the CAR T peak) as an HTML page that needs no network.

    None for views that cannot be turned, without trame-vtk and where no renderer works. InputError as for stills.
    """
    if check_view(view) not in TURNING or not can_write_html():
        return None
    run = opened(run)
    organ = organ if organ is not None else run.organs[0]
    reader = OrganReader(run, organ, field if field is not None else FIELD)
    if day is None:
        three = panel_days(run, organ)
        day = three[min(1, len(three) - 1)]
    scale = shared_scale([reader], MOST_DOTS.get(view, CUT_DOTS))
    pictures = chosen_frames(reader, [day], scale)
    (shot,), camera = shots_and_camera(view, [pictures], HEIGHT)
    page = html_scene(Scene(view, (shot,), (camera,)))
    return None if page is None else with_legend(page, pictures)

"""Pictures of a report: drawn now, made small, and put into the page with words for those who do not see them."""

from __future__ import annotations

import base64
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..plots.catalogue import organ_text
from ..plots.killing import plot_killing
from ..plots.last_cell import clearing, plot_last_cell, sentence
from ..render import panel, panel_days
from ..style import day_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tissuesim.run import Run

    from ..plots.courses import Courses

WIDEST = 1800  # pixels
QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """A picture in the page: its data, its size in pixels, its caption, and the same in words."""

    source: str
    width: int
    height: int
    caption: str
    alternative: str


def stills(
    courses: Courses, organs: Sequence[str], days: Mapping[str, Sequence[float]] | None = None
) -> dict[str, Picture]:
    """Return the picture of before, peak and after for each of ``organs``, or of its ``days``.

    Organs on the cells of a mesh have none.
    """
    found = {}
    for organ in organs:
        if "center" in courses.run[organ]:
            continue
        chosen = None if days is None else days.get(organ)
        with tempfile.TemporaryDirectory(prefix="tissuesim-report-") as folder:
            path = panel(courses.run, chosen, organ, out=Path(folder) / "panel.png")
            shown = panel_days(courses.run, organ) if chosen is None else tuple(chosen)
            listed = ", ".join(day_text(day) for day in shown)
            found[organ] = embedded(
                path,
                f"The {organ_text(organ)}, cut open, on {listed}; one color scale.",
                _inflammation_words(courses, organ, shown),
            )
    return found


def maps(run: Run, organs: Sequence[str]) -> list[Picture]:
    """Return the maps of killing and of the last autoreactive cells of ``organs``, where the run has them."""
    found = []
    with tempfile.TemporaryDirectory(prefix="tissuesim-report-") as folder:
        for organ in organs:
            name = organ_text(organ)
            killing = plot_killing(run, organ, Path(folder) / f"{organ}_killing.png")
            if killing is not None:
                words = f"Three sections of the {name}, brighter where CAR T cells killed more."
                found.append(
                    embedded(
                        killing,
                        f"Killing in the {name}: a cell that had stayed at a place all the time would have "
                        "survived with probability exp(-value).",
                        words,
                    )
                )
            last = plot_last_cell(run, organ, Path(folder) / f"{organ}_last.png")
            ended = clearing(run, organ) if last is not None else None
            if last is not None and ended is not None:
                words = sentence(organ, ended)
                found.append(
                    embedded(
                        last,
                        f"When each place of the {name} was cleared of autoreactive B cells. {words}",
                        words,
                    )
                )
    return found


def embedded(path: Path, caption: str, alternative: str) -> Picture:
    """Return the picture file ``path`` as WebP in a data URI, no wider than a page needs."""
    from PIL import Image

    with Image.open(path) as opened:
        image = opened.convert("RGB")
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, format="WEBP", quality=QUALITY, method=5)
    text = base64.b64encode(data.getvalue()).decode()
    return Picture(f"data:image/webp;base64,{text}", image.width, image.height, caption, alternative)


def _inflammation_words(courses: Courses, organ: str, days: Sequence[float]) -> str:
    """Return the views in words: mean inflammation of ``organ`` on their days."""
    column = f"{organ}.inflammation.mean"
    name = organ_text(organ)
    if column not in courses:
        return f"Views of the {name}, cut open, colored by inflammation."
    values = courses.values((column,))
    told = [
        f"{value:.2f} on {day_text(day)}"
        for day in days
        for value in [values[int(abs(courses.days - day).argmin())]]
    ]
    return f"The {name}, cut open, colored by inflammation; its mean is {', '.join(told)} (untreated disease: 1)."

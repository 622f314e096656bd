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
from ..render import compare, panel, panel_days, render_run
from ..style import day_text

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def stills(runs: Sequence[Courses]) -> list[Picture]:
    """Return the pictures of a run, or of the first of ``runs`` against each of the others, with one scale.

    The patient first where there are several organs, then each organ before treatment, at the peak of CAR T cells and
    later. Organs on the cells of a mesh have none.
    """
    main = runs[0].run
    organs = [organ for organ in main.organs if "center" not in main[organ]]
    found = []
    with tempfile.TemporaryDirectory(prefix="tissuesim-report-") as name:
        folder = Path(name)
        if len(organs) > 1 and len(organs) == len(main.organs):
            path = render_run(main, out=folder / "patient", view="patient")[-1]
            words = " ".join(_inflammation_words(runs[0], organ) for organ in organs)
            found.append(embedded(path, "All organs in the body, colored by inflammation.", words))
        for organ in organs:
            if len(runs) == 1:
                path = panel(main, None, organ, out=folder / f"{organ}.png")
                days = ", ".join(day_text(day) for day in panel_days(main, organ))
                caption = f"The {organ_text(organ)}, cut open, on {days}; one color scale."
                found.append(embedded(path, caption, _inflammation_words(runs[0], organ)))
            for other in runs[1:]:
                if organ in other.run.organs and "center" not in other.run[organ]:
                    path = compare(main, other.run, organ=organ, out=folder / "compared.png")
                    pair = f"{runs[0].name} above, {other.name} below"
                    caption = f"The {organ_text(organ)}: {pair}; one color scale."
                    found.append(embedded(path, caption, _words_of_both(runs[0], other, organ)))
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


def _words_of_both(first: Courses, other: Courses, organ: str) -> str:
    return " ".join(_inflammation_words(one, organ, one.name) for one in (first, other))


def _inflammation_words(courses: Courses, organ: str, who: str = "") -> str:
    """Return the views of ``organ`` in words: its mean inflammation on the days of a panel."""
    column = f"{organ}.inflammation.mean"
    name = organ_text(organ) + (f" of {who}" if who else "")
    if column not in courses:
        return f"The {name}, cut open, colored by inflammation."
    values = courses.values((column,))
    told = [
        f"{value:.2f} on {day_text(day)}"
        for day in panel_days(courses.run, organ)
        for value in [values[int(abs(courses.days - day).argmin())]]
    ]
    return f"The {name}, cut open, colored by inflammation; its mean is {', '.join(told)} (untreated disease: 1)."

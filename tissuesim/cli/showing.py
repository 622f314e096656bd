"""Commands that show a run: render, plot, report and readouts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from tissuesim.errors import InputError

from .options import Json, RunFolder
from .printing import print_json

Against = Annotated[
    list[Path] | None,
    typer.Option(metavar="RUN", help="Another run, drawn beside it; may be given again."),
]


def render(
    folder: RunFolder,
    organ: Annotated[str | None, typer.Option(help="Organ; default the first one of the run.")] = None,
    field: Annotated[str | None, typer.Option(help="Field to show; default inflammation.")] = None,
    day: Annotated[
        str | None, typer.Option(metavar="DAYS", help="Days, such as 0,14,90; default a few.")
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(help="cut, iso, section, explode or patient; default cut, of several organs patient."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="OTHER_RUN", help="Draw the run beside this one, with one scale.")
    ] = None,
    movie: Annotated[bool, typer.Option("--movie", help="Write a movie instead, as MP4 and GIF.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Follow a run that goes on: live.png, until it ends.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the pictures; default RUN/pictures.")] = None,
) -> None:
    """Draw a run: the organ on chosen days, and the course of blood and tissue over time."""
    draw = import_module("tissuesim.viz.command").draw
    chosen = {"organ": organ, "field": field, "view": view, "against": against, "out": out}
    for line in draw(folder, days=None if day is None else _days(day), movie=movie, live=live, **chosen):
        print(line, flush=True)


def readouts(folder: RunFolder, as_json: Json = False) -> None:
    """Work out the clinical readouts and endpoints of a run, finished or not, and write its readouts.csv."""
    from tissuesim.run import Run, write_readouts
    from tissuesim.run.table import print_outcome

    patient = Run(folder)
    path = write_readouts(patient.path, patient.totals["time"].values, patient.clinic.readouts)
    if as_json:
        print_json({"run": str(folder), "endpoints": patient.endpoints, "readouts": str(path)})
    else:
        print_outcome(patient.endpoints, patient.resets)
        print(path)


def plot(
    folder: RunFolder,
    against: Against = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the figures; default RUN/pictures.")] = None,
) -> None:
    """Draw what was measured: blood, antibodies, cytokines, scores, organs, and where cells were killed."""
    for path in import_module("tissuesim.viz.plots.figures").plot_all(folder, out, against or ()):
        print(path)


def report(
    folder: RunFolder,
    against: Against = None,
    out: Annotated[
        Path | None, typer.Option(help="HTML file, or folder for it; default RUN/report.html.")
    ] = None,
) -> None:
    """Write one page on a run: what was run, what happened, how sure that is, how to do it again."""
    print(write_page(folder, against or (), out))


def write_page(folder: Path, against: Sequence[Path] = (), out: Path | None = None) -> Path:
    """Write the page of a run, with the last scorecard of verify; return where it is."""
    from tissuesim.verification.saved import saved_scorecard

    page: Path = import_module("tissuesim.viz.report.build").write_report(
        folder, out, against, saved_scorecard()
    )
    return page


def _days(text: str) -> list[float]:
    """Return the days of a text such as ``0,14,90``."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--day: '{text}' is no list of days such as 0,14,90") from None

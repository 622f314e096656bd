"""Treatments of a run, and how they are marked on an axis of days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tissuesim.run.reader import FIRST_DAY

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from tissuesim.run import Run

INFUSION = "CAR T infusion"
COLORS = ("#8A8F98", "#2B2F36", "#B9A44C")  # greys and ochre, which no curve has


@dataclass(frozen=True)
class Treatment:
    """Something that was done: its name, first day and, unless it is a single event, last day."""

    name: str
    start: float
    end: float | None


def treatments(run: Run) -> list[Treatment]:
    """Return what was done in ``run``, in order of time."""
    done = [_treatment(entry) for entry in run.scenario.get("treatment") or []]
    return sorted(done, key=lambda treatment: treatment.start)


def _treatment(entry: dict[str, Any]) -> Treatment:
    kind = str(entry["type"])
    name = {"car_t": INFUSION, "drug": str(entry.get("name", "drug"))}.get(kind, kind)
    start = next(entry[key] for key in FIRST_DAY if key in entry)
    end = next((entry[key] for key in ("end", "off") if key in entry), None)
    return Treatment(name.replace("_", " "), float(start), None if end is None else float(end))


def day_label(done: list[Treatment]) -> str:
    """Return what an axis of days counts from."""
    return "days since infusion" if any(treatment.name == INFUSION for treatment in done) else "day"


def mark_treatments(ax: Axes, done: list[Treatment]) -> list[Artist]:
    """Draw a line for each event and a band for each course on ``ax``; return one of each name."""
    marks: dict[str, Artist] = {}
    for number, treatment in enumerate(done):
        color = COLORS[number % len(COLORS)]
        if treatment.end is None:
            mark: Artist = ax.axvline(
                treatment.start, color=color, linewidth=1.4, zorder=1, label=treatment.name
            )
        else:
            mark = ax.axvspan(
                treatment.start,
                treatment.end,
                color=color,
                alpha=0.25,
                linewidth=0,
                zorder=0,
                label=treatment.name,
            )
        marks.setdefault(treatment.name, mark)
    return list(marks.values())

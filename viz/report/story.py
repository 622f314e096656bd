"""What happened, in words: one sentence for the head of a report, and a table of outcomes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tissuesim.readouts import RELAPSE, REMISSION
from tissuesim.readouts.endpoints import extinction_day

from ..plots.courses import Courses
from ..style import day_text
from ..treatment import INFUSION

if TYPE_CHECKING:
    from tissuesim.run import Run

SEEN_FOR = 30.0  # days of follow-up without which nothing is said about relapse


@dataclass(frozen=True)
class Outcome:
    """One row of the table: what, how it is defined, and one text per run."""

    name: str
    meaning: str
    values: tuple[str, ...]


ENDPOINTS: dict[str, tuple[str, str, str]] = {  # name, form of the number, meaning
    "day_car_t_peak": ("CAR T peak in blood", "day {:.3g}", "day of the highest number after the infusion"),
    "car_t_peak_per_ul": ("CAR T at the peak", "{:.3g} per µL", "cells in blood"),
    "day_b_below_1pct": ("B cells gone from blood", "day {:.3g}", "below 1 % of the value before treatment"),
    "aplasia_days": ("B-cell aplasia", "{:.3g} days", "how long they stay below 1 %"),
    "day_autoreactive_extinct": (
        "Last autoreactive B cell dead", "day {:.4g}", "none is left anywhere in the body",
    ),
    "day_extinct_with_plasmablasts": (
        "Last autoreactive plasmablast dead", "day {:.4g}", "no autoreactive B cell and no plasmablast is left",
    ),
    "inflammation_day180_over_day0": (
        "Inflammation on day 180", "{:.1%} of day 0", "mean over the tissue under attack",
    ),
    "autoantibody_half_life_days": (
        "Half-life of the autoantibody", "{:.3g} days", "apparent, from day 5 to day 60",
    ),
    "relapse_day": (
        "Relapse", "day {:.4g}",
        f"disease activity above {RELAPSE:.0%} of untreated after it was below {REMISSION:.0%}",
    ),
}  # fmt: skip


def outcomes(runs: Sequence[Courses]) -> list[Outcome]:
    """Return the endpoints of ``runs`` side by side, remission first, relapse last."""
    ends = [courses.run.endpoints for courses in runs]
    rows = [
        Outcome(
            "Remission",
            f"first day with disease activity below {REMISSION:.0%} of untreated",
            tuple(_remission_text(courses) for courses in runs),
        )
    ]
    for key in ends[0]:
        name, form, meaning = ENDPOINTS.get(key, (key.replace("_", " "), "{:.4g}", ""))
        none = "none" if key == "relapse_day" else "not in this run"
        texts = []
        for end, courses in zip(ends, runs, strict=True):
            value = end.get(key)
            text = none if value is None else form.format(value)
            if key == "relapse_day" and value is None:
                text = _no_relapse_text(courses)
            texts.append(text.replace("-", "\N{MINUS SIGN}"))
        rows.append(Outcome(name, meaning, tuple(texts)))
    return [
        Outcome(row.name, percent(row.meaning), tuple(percent(text) for text in row.values))
        for row in rows
        if any(row.values)
    ]


def percent(text: str) -> str:
    """Return ``text`` with a space that does not break before each percent sign."""
    return re.sub(r"\s*%", "\N{NO-BREAK SPACE}%", text)


def remission_day(courses: Courses) -> float | None:
    """Return the first day from the infusion on with disease activity in remission, or None."""
    if "disease_activity" not in courses:
        return None
    low = (courses.values(("disease_activity",)) < REMISSION) & (courses.days >= 0.0)
    return float(courses.days[np.argmax(low)]) if low.any() else None


def state(courses: Courses) -> str:
    """Return 'remission', 'relapse' or 'active' at the end of the run, or 'unknown' without disease activity."""
    if "disease_activity" not in courses:
        return "unknown"
    if courses.run.endpoints.get("relapse_day") is not None:
        return "relapse"
    return "remission" if courses.values(("disease_activity",))[-1] < REMISSION else "active"


STATES = {
    "remission": "In remission at the end",
    "relapse": "Relapsed",
    "active": "Active disease at the end",
    "unknown": "Disease activity was not followed",
}


def headline(courses: Courses) -> str:
    """Return what happened in one or two sentences, from the readouts alone."""
    infused = any(treatment.name == INFUSION for treatment in courses.treatments)
    return percent((_treated(courses) if infused else _not_infused(courses)).strip())


def _treated(courses: Courses) -> str:
    run, end = courses.run, courses.run.endpoints
    parts = []
    if end["day_car_t_peak"] is not None:
        parts.append(
            f"CAR T cells peaked in blood on {_day(end['day_car_t_peak'])} at "
            f"{end['car_t_peak_per_ul']:.2g} per µL"
        )
    if end["day_b_below_1pct"] is not None:
        gone = f"B cells were gone by {_day(end['day_b_below_1pct'])}"
        back = end["aplasia_days"]
        parts.append(f"{gone} and back after {back:.0f} days" if back is not None else f"{gone} and not back")
    if end["day_autoreactive_extinct"] is not None:
        parts.append(
            f"the last autoreactive B cell died on {_day(end['day_autoreactive_extinct'])}{_last_organ(run)}"
        )
    elif "autoreactive_total" in courses:
        left = courses.values(("autoreactive_total",))[-1]
        parts.append(f"autoreactive B cells were never cleared: {left:.2g} were left at the end")
    first = f"After the infusion, {_listed(parts)}." if parts else "CAR T cells were infused."
    return f"{first} {_outcome(courses)}"


def _not_infused(courses: Courses) -> str:
    done = sorted({treatment.name for treatment in courses.treatments})
    given = f"With {_listed(done)} but no CAR T cells" if done else "Without treatment"
    if "disease_activity" not in courses:
        return f"{given}, the patient was followed from {_day(courses.days[0])} to {_day(courses.days[-1])}."
    activity = courses.values(("disease_activity",))
    went = f"disease activity went from {activity[0]:.2f} to {activity[-1]:.2f} of untreated"
    return f"{given}, {went}. {_outcome(courses)}"


def _outcome(courses: Courses) -> str:
    """Return the sentence on remission and relapse."""
    what, last = state(courses), courses.days[-1]
    if what == "unknown":
        return ""
    began = remission_day(courses)
    level = courses.run.endpoints.get("inflammation_day180_over_day0")
    calm = (
        "" if level is None or what != "remission" else f" Inflammation on day 180 was {level:.0%} of day 0."
    )
    if what == "relapse":
        day = courses.run.endpoints["relapse_day"]
        return f"The disease was in remission from {_day(began)} and came back on {_day(day)}."
    if what == "active":
        low = f"had been in remission from {_day(began)} but " if began is not None else ""
        return f"The disease {low}was active on {_day(last)}, the end of the run."
    kept = f"had not come back by {_day(last)}, the end of the run"
    return f"The disease was in remission from {_day(began)} and {kept}.{calm}"


def _last_organ(run: Run) -> str:
    """Return ' in the kidney' where the organ whose autoreactive cells died last can be told from the totals."""
    totals, found = run.totals, {}
    for organ in run.organs:
        column = f"{organ}.autoreactive_b.sum"
        if column not in totals:
            return ""
        found[organ] = extinction_day(totals["time"].values, totals[column].values)
    whole = run.endpoints["day_autoreactive_extinct"]
    last = [organ for organ, day in found.items() if day is not None and day == whole]
    return f" in the {last[0].replace('_', ' ')}" if len(last) == 1 else ""


def _remission_text(courses: Courses) -> str:
    if "disease_activity" not in courses:
        return ""
    day = remission_day(courses)
    return "none" if day is None else day_text(round(day, 1))


def _no_relapse_text(courses: Courses) -> str:
    began = remission_day(courses)
    if began is None:
        return "no remission to relapse from"
    if courses.days[-1] - began < SEEN_FOR:
        return f"none, but seen for {courses.days[-1] - began:.0f} days only"
    return f"none by {day_text(float(courses.days[-1]))}"


def _day(day: float | None) -> str:
    return "an unknown day" if day is None else day_text(float(round(day)))


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"

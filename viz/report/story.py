"""What happened, in words: one sentence for the head of a report, and tables of outcomes and visits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tissuesim.readouts import CATALOGUE
from tissuesim.readouts.clinical_endpoints import AT_VISITS, VISITS
from tissuesim.readouts.endpoints import extinction_day

from ..plots.catalogue import organ_text
from ..plots.courses import Courses
from ..style import day_text, unit_text
from ..treatment import is_infused
from .outcome_names import OUTCOMES

if TYPE_CHECKING:
    from tissuesim.run import Run

SEEN_FOR = 30.0  # days of follow-up without which nothing is said about relapse
TOLD = (
    "sledai",
    "mrss",
    "eustar",
    "tis",
    "mmt8",
    "upcr",
)  # of the scores, the first that the run has is told
STATES = {
    "remission": "In remission at the end",
    "relapse": "Relapsed",
    "active": "Active disease at the end",
    "unknown": "Disease activity was not followed",
}


@dataclass(frozen=True)
class Outcome:
    """One row of the table: what, how it is defined, and one text per run."""

    name: str
    meaning: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Visit:
    """One measure of one run on the days of `VISITS`, with the limits it is read against."""

    name: str
    run: str
    values: tuple[str, ...]
    limits: str


def outcomes(runs: Sequence[Courses]) -> list[Outcome]:
    """Return the endpoints of ``runs`` side by side; what happened in none of them is left out, relapse is not."""
    ends = [courses.run.endpoints for courses in runs]
    rows = []
    for key, known in OUTCOMES.items():
        values = [end.get(key) for end in ends]
        if key == "clinical_relapse_day":
            texts = [_relapse_text(courses) for courses in runs]
        elif key == "remission_day":
            texts = ["none" if value is None else known.form.format(value) for value in values]
        elif all(value is None for value in values):
            continue
        else:
            texts = ["not reached" if value is None else known.form.format(value) for value in values]
        texts = [percent(text.replace("-", "\N{MINUS SIGN}")) for text in texts]
        rows.append(Outcome(known.name, percent(known.meaning), tuple(texts)))
    return rows


def visits(runs: Sequence[Courses]) -> list[Visit]:
    """Return the measures of the clinic that ``runs`` have, on the days of `VISITS`."""
    rows = []
    for name in AT_VISITS:
        for courses in runs:
            ends = courses.run.endpoints
            values = [ends.get(f"{name}_day{day:g}") for day in VISITS]
            if all(value is None for value in values):
                continue
            entry = CATALOGUE[name]
            unit = unit_text(entry.unit)
            texts = tuple("" if value is None else _measure(value) for value in values)
            limits = ", ".join(f"{key.replace('_', ' ')} {limit:g}" for key, limit in entry.limits.items())
            rows.append(
                Visit(f"{entry.label} [{unit}]" if unit else entry.label, courses.name, texts, limits)
            )
    return rows


def state(courses: Courses) -> str:
    """Return a key of `STATES`: how the disease stood at the end of the run, by the measure of the disease."""
    if "remission" not in courses:
        return "unknown"
    if courses.values(("remission",))[-1] > 0.0:
        return "remission"
    return "relapse" if relapse_day(courses) is not None else "active"


def relapse_day(courses: Courses) -> float | None:
    """Return the day the disease came back by the measure of the clinic, or None."""
    return courses.run.endpoints.get("clinical_relapse_day")


def headline(courses: Courses) -> str:
    """Return what happened in two or three sentences, from the readouts alone."""
    sentences = (
        _treated(courses) if is_infused(courses.treatments) else _not_infused(courses),
        _outcome(courses),
        _score(courses),
    )
    return percent(" ".join(sentence for sentence in sentences if sentence))


def _treated(courses: Courses) -> str:
    end = courses.run.endpoints
    parts = []
    if end["day_car_t_peak"] is not None:
        peak = f"{end['car_t_peak_per_ul']:.2g} per µL"
        parts.append(f"CAR T cells peaked in blood on {_day(end['day_car_t_peak'])} at {peak}")
    if end["day_b_below_1pct"] is not None:
        back = end["aplasia_days"]
        after = "not back by the end" if back is None else f"came back after {back:.0f} days"
        parts.append(f"B cells were gone by {_day(end['day_b_below_1pct'])} and {after}")
    if end["day_autoreactive_extinct"] is not None:
        place = _last_organ(courses.run)
        parts.append(f"the last autoreactive B cell died on {_day(end['day_autoreactive_extinct'])}{place}")
    elif "autoreactive_total" in courses:
        left = courses.values(("autoreactive_total",))[-1]
        parts.append(f"autoreactive B cells were never cleared ({left:.2g} at the end)")
    return f"After the infusion, {_listed(parts, '; ')}." if parts else "CAR T cells were infused."


def _not_infused(courses: Courses) -> str:
    done = sorted({treatment.name for treatment in courses.treatments})
    given = f"With {_listed(done)} and no CAR T cells" if done else "Without treatment"
    if "disease_activity" not in courses:
        return f"{given}, the patient was followed to {_day(courses.days[-1])}."
    activity = courses.values(("disease_activity",))
    return (
        f"{given}, disease activity went from {activity[0]:.2f} to {activity[-1]:.2f} of untreated disease."
    )


def _outcome(courses: Courses) -> str:
    """Return the sentence on remission and relapse."""
    what, last = state(courses), _day(courses.days[-1])
    began, back = courses.run.endpoints.get("remission_day"), relapse_day(courses)
    if what == "unknown":
        return ""
    if what == "remission" and back is None:
        return f"The disease was in remission from {_day(began)} and had not come back by {last}, the end of the run."
    if what == "remission":
        return (
            f"The disease came back on {_day(back)} and was in remission again on {last}, the end of the run."
        )
    if back is not None:
        return f"The disease was in remission from {_day(began)} and came back on {_day(back)}."
    had = f"had been in remission from {_day(began)} but " if began is not None else ""
    return f"The disease {had}was active on {last}, the end of the run."


def _score(courses: Courses) -> str:
    """Return the sentence on the main score of the disease, from day 0 to the last visit of the run."""
    ends = courses.run.endpoints
    for name in TOLD:
        values = {day: value for day in VISITS if (value := ends.get(f"{name}_day{day:g}")) is not None}
        if len(values) < 2 or 0.0 not in values:
            continue
        last = max(values)
        entry = CATALOGUE[name]
        unit = unit_text(entry.unit)
        first, later = f"{values[0.0]:.3g}", f"{values[last]:.3g}{f' {unit}' if unit else ''}"
        return f"{entry.label} was {first} on day 0 and {later} on {day_text(last)}."
    return ""


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
    return f" in the {organ_text(last[0])}" if len(last) == 1 else ""


def _relapse_text(courses: Courses) -> str:
    day, began = relapse_day(courses), courses.run.endpoints.get("remission_day")
    if day is not None:
        return f"day {day:.4g}"
    if began is None:
        return "no remission to relapse from"
    seen = courses.days[-1] - began
    if seen < SEEN_FOR:
        return f"none, but seen for {seen:.0f} days only"
    return f"none by {day_text(float(courses.days[-1]))}"


def percent(text: str) -> str:
    """Return ``text`` with a space that does not break before each percent sign."""
    return re.sub(r"\s*%", "\N{NO-BREAK SPACE}%", text)


def _measure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"


def _day(day: float | None) -> str:
    return "an unknown day" if day is None else day_text(float(round(day)))


def _listed(parts: Sequence[str], comma: str = ", ") -> str:
    return parts[0] if len(parts) == 1 else f"{comma.join(parts[:-1])}{comma.rstrip(', ')} and {parts[-1]}"

"""Published numbers that one patient is read against: what was found, the band it should lie in, pass or miss.

For reports only. Nothing that computes a run imports this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tissuesim.errors import InputError
from tissuesim.yaml_file import read_mapping

if TYPE_CHECKING:
    from tissuesim.readouts.clinical import Clinic
    from tissuesim.readouts.course import Series

ARMS = ("car_t", "rituximab")
MEASURES = {"endpoint", "series", "day", "lowest_in", "highest_in", "against", "since", "until"}
AGAINST = (None, "ratio", "difference", "change", "peak")
WEIGHTS, GRADES = ("A", "B", "C"), ("L", "S", "M", "D", "A")


@dataclass(frozen=True)
class Target:
    """One published number: how it is measured in a run, and the band [low, high] it should lie in."""

    name: str
    label: str
    arm: str
    disease: str | None
    measure: dict[str, Any]
    band: tuple[float, float]
    happens: bool
    unit: str
    weight: str
    grade: str
    source: str


@dataclass(frozen=True)
class Verdict:
    """What a run has for a target. ``passed`` is None where the run is too short or lacks what is measured."""

    target: Target
    value: float | None
    passed: bool | None


def targets_file() -> Path:
    """The shipped targets."""
    return Path(str(files("tissuesim.configs"))) / "readouts" / "targets.yaml"


def load_targets(path: Path | None = None) -> dict[str, Target]:
    """The targets of a file by name, the shipped ones without one.

    Raises:
        InputError: an entry lacks a key, has one too many, or a band that is none.
    """
    path = path or targets_file()
    data = read_mapping(path, keys="targets such as T01")
    return {name: _target(name, entry, f"{path.name}: {name}") for name, entry in data.items()}


def judge(clinic: Clinic, arm: str, targets: Mapping[str, Target]) -> list[Verdict]:
    """The verdict on every target of an arm (``car_t``, ``rituximab``) and of the disease of the patient."""
    return [
        _verdict(clinic, target)
        for target in targets.values()
        if target.arm == arm and target.disease in (None, clinic.disease)
    ]


def _verdict(clinic: Clinic, target: Target) -> Verdict:
    days, measure = clinic.course.days, target.measure
    if days.size == 0:
        return Verdict(target, None, None)
    reached = bool(days[-1] >= _last_day(measure))
    value = _value(clinic, measure) if reached or "endpoint" in measure else None
    low, high = target.band
    if value is not None:
        return Verdict(target, value, target.happens and bool(low <= value <= high))
    if not target.happens:
        return Verdict(target, None, True if reached else None)
    late = target.unit == "day" and days[-1] >= high  # it should have happened by now and did not
    return Verdict(target, None, False if late and measure.get("endpoint") in clinic.endpoints else None)


def _last_day(measure: Mapping[str, Any]) -> float:
    """The day a run must reach before it can be judged."""
    span = measure.get("lowest_in") or measure.get("highest_in") or (0.0, 0.0)
    return float(max(measure.get("day", 0.0), measure.get("until", 0.0), span[1]))


def _value(clinic: Clinic, measure: Mapping[str, Any]) -> float | None:
    if "endpoint" in measure:
        found: float | None = clinic.endpoints.get(measure["endpoint"])
        return found
    days, course = clinic.course.days, clinic.course
    series = clinic.readouts.get(measure["series"], course.totals.get(measure["series"]))
    if series is None:
        return None
    value = _chosen(days, series, measure)
    against = measure.get("against")
    if against is None or value is None:
        return value
    if against == "peak":
        reference = float(np.max(series[days >= 0.0], initial=0.0))
    else:
        since = clinic.baseline_day if measure["since"] == "baseline" else float(measure["since"])
        reference = float(series[max(0, int(np.searchsorted(days, since, side="right")) - 1)])
    if against == "difference":
        return value - reference
    if not reference > 0.0:
        return None
    return 100.0 * (value / reference - 1.0) if against == "change" else value / reference


def _chosen(days: Series, series: Series, measure: Mapping[str, Any]) -> float | None:
    for key, extreme in (("lowest_in", np.min), ("highest_in", np.max)):
        if key in measure:
            inside = series[(days >= measure[key][0]) & (days <= measure[key][1])]
            return float(extreme(inside)) if inside.size else None
    return float(series[int(np.searchsorted(days, measure["day"], side="right")) - 1])


def _target(name: str, entry: Any, where: str) -> Target:
    needed = {"label", "arm", "measure", "unit", "weight", "grade", "source"}
    if not isinstance(entry, dict) or not needed <= set(entry):
        raise InputError(f"{where}: needs {', '.join(sorted(needed))}")
    if unknown := set(entry) - needed - {"disease", "band", "happens"}:
        raise InputError(f"{where}.{min(unknown)}: unknown key")
    for key, allowed in (("arm", ARMS), ("weight", WEIGHTS), ("grade", GRADES)):
        if entry[key] not in allowed:
            raise InputError(f"{where}.{key}: {entry[key]!r} is not one of {', '.join(allowed)}")
    measure, happens = entry["measure"], entry.get("happens", True)
    if set(measure) - MEASURES or ("endpoint" in measure) == ("series" in measure):
        raise InputError(
            f"{where}.measure: an endpoint, or a series with day, lowest_in or highest_in, is needed"
        )
    if measure.get("against") not in AGAINST or ("band" in entry) != happens:
        raise InputError(
            f"{where}: a band belongs to what happens, and against is ratio, difference, change or peak"
        )
    low, high = entry.get("band", (None, None))
    band = (-np.inf if low is None else float(low), np.inf if high is None else float(high))
    if not band[0] <= band[1]:
        raise InputError(f"{where}.band: {low} is above {high}")
    return Target(
        name,
        entry["label"],
        entry["arm"],
        entry.get("disease"),
        dict(measure),
        band,
        happens,
        entry["unit"],
        entry["weight"],
        entry["grade"],
        entry["source"],
    )

"""Treatments become events: at a tick, add to a pool or set it.

The pools named here are fixed names of the model: ``blood_car_t_effector``, ``blood_car_t_memory``,
``infused``, ``lymphodepletion_active``, ``space``, ``marrow_output`` and ``drug_<name>``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from tissuesim.errors import InputError, nearest
from tissuesim.ticks import ticks

if TYPE_CHECKING:
    from tissuesim.config.schema import Patient
    from tissuesim.config.treatment import CarTCells, Drug, Lymphodepletion

DAYS_FROM_LYMPHODEPLETION_TO_INFUSION = 2.0
"""Usual pause from the last day of chemotherapy (day -2) to the infusion; used where nothing is infused."""


@dataclass(frozen=True)
class Event:
    """One change of one pool at one tick: ``add`` a number in its unit to it, or ``set`` it to one."""

    tick: int
    action: Literal["add", "set"]
    pool: str
    value: float
    label: str


def events(treatment: Sequence[CarTCells | Lymphodepletion | Drug], patient: Patient) -> tuple[Event, ...]:
    """Return every event of the listed treatments, in order of time.

    Cell numbers are whole. Raises InputError where two courses of one drug, or of lymphodepletion, overlap.
    """
    infusion_days = sorted(item.day for item in treatment if item.type == "car_t")
    found: list[Event] = []
    for item in sorted(treatment, key=lambda item: item.first_day):  # an end comes before the next beginning
        if item.type == "car_t":
            found += _infusion(item, patient)
        elif item.type == "lymphodepletion":
            found += _lymphodepletion(item, infusion_days)
        else:
            found += _drug(item)
    _refuse_overlap(treatment)
    return tuple(sorted(found, key=lambda event: event.tick))


def validate_events(planned: Iterable[Event], pool_names: Collection[str]) -> None:
    """Raise InputError if an event changes a pool that the model does not have."""
    for event in planned:
        if event.pool in pool_names:
            continue
        if event.pool.startswith("drug_"):
            drugs = [name.removeprefix("drug_") for name in pool_names if name.startswith("drug_")]
            drug = event.pool.removeprefix("drug_")
            raise InputError(
                f"treatment: the model has no drug '{drug}'{nearest(drug, drugs)}; known: "
                f"{', '.join(sorted(drugs)) or 'none'}"
            )
        raise InputError(
            f"treatment: {event.label} needs the pool '{event.pool}', which the model does not have"
            f"{nearest(event.pool, pool_names)}"
        )


def _infusion(item: CarTCells, patient: Patient) -> list[Event]:
    """Living CAR+ cells enter blood, split into effector and memory; the whole is kept when rounding."""
    total = round(item.cells(patient.body_weight))
    memory = round(total * item.memory_fraction)
    tick, label = ticks(item.day), f"CAR T infusion on day {item.day:g}"
    return [
        Event(tick, "add", "blood_car_t_effector", float(total - memory), label),
        Event(tick, "add", "blood_car_t_memory", float(memory), label),
        Event(tick, "set", "infused", 1.0, label),
    ]


def _lymphodepletion(item: Lymphodepletion, infusion_days: Sequence[float]) -> list[Event]:
    """Chemotherapy kills while it is active; space and low marrow output start with the infusion after it."""
    pause = item.end + DAYS_FROM_LYMPHODEPLETION_TO_INFUSION
    day = next((day for day in infusion_days if day >= item.end), pause)
    label = f"lymphodepletion on days {item.start:g} to {item.end:g}"
    return [
        Event(ticks(item.start), "set", "lymphodepletion_active", 1.0, label),
        Event(ticks(item.end), "set", "lymphodepletion_active", 0.0, label),
        Event(ticks(day), "set", "space", item.space, label),
        Event(ticks(day), "set", "marrow_output", item.marrow_residual, label),
    ]


def _drug(item: Drug) -> list[Event]:
    label = f"{item.name} on days {item.on:g} to {item.off:g}"
    return [
        Event(ticks(item.on), "set", f"drug_{item.name}", item.strength, label),
        Event(ticks(item.off), "set", f"drug_{item.name}", 0.0, label),
    ]


def _refuse_overlap(treatment: Sequence[CarTCells | Lymphodepletion | Drug]) -> None:
    """Two courses that set one pool must not overlap: the end of the first would stop the second."""
    courses: dict[str, list[tuple[float, float]]] = {}
    for item in treatment:
        if item.type == "drug":
            courses.setdefault(f"drug '{item.name}'", []).append((item.on, item.off))
        elif item.type == "lymphodepletion":
            courses.setdefault("lymphodepletion", []).append((item.start, item.end))
    for name, spans in courses.items():
        ordered = sorted(spans)
        for (first, last), (start, _) in pairwise(ordered):
            if start < last:
                spans_text = f"days {first:g} to {last:g} and from day {start:g}"
                raise InputError(f"treatment: two courses of {name} overlap ({spans_text})")

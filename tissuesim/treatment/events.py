"""Treatments become events: at a tick, add to a pool or set it.

The pools named here are fixed names of the model: ``blood_car_t_effector``, ``blood_car_t_memory``,
``infused``, ``car_potency``, ``car_expansion``, ``bcma_killing``, ``anti_car_immunity``, ``lymphodepletion_active``,
``space``, ``marrow_output``, ``<antibody>_central`` and ``drug_<name>``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from tissuesim.errors import InputError, nearest
from tissuesim.ticks import ticks
from tissuesim.treatment.course import staircase
from tissuesim.treatment.schedule import refuse_impossible

if TYPE_CHECKING:
    from tissuesim.config.schema import Patient
    from tissuesim.config.treatment import Antibody, CarTCells, Drug, Lymphodepletion


@dataclass(frozen=True)
class Event:
    """One change of one pool at one tick: ``add`` a number in its unit to it, or ``set`` it to one."""

    tick: int
    action: Literal["add", "set"]
    pool: str
    value: float
    label: str


def events(
    treatment: Sequence[CarTCells | Lymphodepletion | Antibody | Drug], patient: Patient
) -> tuple[Event, ...]:
    """Return every event of the listed treatments, in order of time.

    Cell numbers are whole. Raises InputError where the schedule cannot be (``schedule.py``).
    """
    refuse_impossible(treatment)
    products = sorted((item for item in treatment if item.type == "car_t"), key=lambda item: item.day)
    drugs: dict[str, list[Drug]] = {}
    found = _infusions(products, patient)
    for item in sorted(treatment, key=lambda item: item.first_day):  # an end comes before the next beginning
        if item.type == "lymphodepletion":
            try:
                found += _lymphodepletion(item, [product.day for product in products], patient)
            except InputError as error:
                raise InputError(f"treatment[{list(treatment).index(item)}].{error}") from None
        elif item.type == "antibody":
            found += _doses(item, patient)
        elif item.type == "drug":
            drugs.setdefault(item.name, []).append(item)
    for name, courses in drugs.items():
        found += _courses(name, courses)
    return tuple(sorted(found, key=lambda event: event.tick))


def validate_events(planned: Iterable[Event], pool_names: Collection[str]) -> None:
    """Raise InputError if an event changes a pool that the model does not have."""
    for event in planned:
        if event.pool in pool_names:
            continue
        for start, end, kind in (("drug_", "", "drug"), ("", "_central", "antibody")):
            if event.pool.startswith(start) and event.pool.endswith(end):
                raise InputError(_unknown(event.pool, pool_names, start, end, kind))
        raise InputError(
            f"treatment: {event.label} needs the pool '{event.pool}', which the model does not have"
            f"{nearest(event.pool, pool_names)}"
        )


def _unknown(pool: str, pool_names: Collection[str], start: str, end: str, kind: str) -> str:
    known = [
        name.removeprefix(start).removesuffix(end)
        for name in pool_names
        if name.startswith(start) and name.endswith(end)
    ]
    given = pool.removeprefix(start).removesuffix(end)
    listed = ", ".join(sorted(known)) or "none"
    return f"treatment: the model has no {kind} '{given}'{nearest(given, known)}; known: {listed}"


def _infusions(products: Sequence[CarTCells], patient: Patient) -> list[Event]:
    """Every infusion; what a product is like is told to the model where it differs from the one before."""
    found: list[Event] = []
    like = {"car_potency": 1.0, "car_expansion": 1.0, "bcma_killing": 0.0}
    before: CarTCells | None = None
    for item in products:
        found += _infusion(item, patient)
        now = {
            "car_potency": item.killing,
            "car_expansion": item.expansion,
            "bcma_killing": float(item.antigen == "BCMA-CD19"),
        }
        tick, label = ticks(item.day), f"CAR T infusion on day {item.day:g}"
        found += [
            Event(tick, "set", pool, value, label) for pool, value in now.items() if value != like[pool]
        ]
        if before is not None and (before.product, before.antigen) != (item.product, item.antigen):
            # immunity is against the construct: another one is new to the host
            found.append(Event(tick, "set", "anti_car_immunity", 0.0, label))
        before, like = item, now
    return found


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


def _lymphodepletion(item: Lymphodepletion, infusion_days: Sequence[float], patient: Patient) -> list[Event]:
    """Chemotherapy kills while it is active; space and low marrow output start with the infusion soon after it.

    Its level keeps intensity x usual span the same, over however many days the doses are spread.
    """
    from tissuesim.config.constants import constant

    usual = partial(constant, "chemotherapy")
    start, end = item.first_day, item.last_day
    waits = (day for day in infusion_days if end <= day <= end + usual("longest_pause"))
    day = next(waits, end + usual("pause_to_infusion"))
    label = f"lymphodepletion on days {start:g} to {end:g}"
    intensity = item.intensity(patient.filtration)
    active = intensity * usual("usual_span") / (end - start) if item.dose_days else 1.0
    residual = (
        usual("complete_residual") ** intensity if item.marrow_residual is None else item.marrow_residual
    )
    return [
        Event(ticks(start), "set", "lymphodepletion_active", active, label),
        Event(ticks(end), "set", "lymphodepletion_active", 0.0, label),
        Event(ticks(day), "set", "space", intensity if item.space is None else item.space, label),
        Event(ticks(day), "set", "marrow_output", residual, label),
    ]


def _doses(item: Antibody, patient: Patient) -> list[Event]:
    """Every dose enters the central compartment at once: an infusion of hours is short against its half-life."""
    mass = item.milligrams(patient.body_weight, patient.body_surface)
    return [
        Event(ticks(day), "add", f"{item.name}_central", mass, f"{item.name} on day {day:g}")
        for day in item.days
    ]


def _courses(name: str, courses: Sequence[Drug]) -> list[Event]:
    return [
        Event(ticks(day), "set", f"drug_{name}", value, f"{name} on days {item.on:g} to {item.off:g}")
        for day, value, item in staircase(courses)
    ]

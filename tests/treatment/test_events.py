"""Treatments become events on the integer clock."""

from __future__ import annotations

import pytest

from tissuesim.config import RunConfig, load_config_text
from tissuesim.errors import InputError
from tissuesim.ticks import TICKS_PER_DAY, days, power_of_two_below, ticks
from tissuesim.treatment import Event, events, validate_events

POOLS = (
    "blood_car_t_effector",
    "blood_car_t_memory",
    "infused",
    "lymphodepletion_active",
    "space",
    "marrow_output",
    "drug_suppression",
)


def config(treatment: str) -> RunConfig:
    """Return a config with this treatment and a patient of 70 kg."""
    return load_config_text(
        "{model: m, organs: {kidney: {anatomy: kidney}}, time: {start: -30, end: 90}, "
        f"treatment: {treatment}}}"
    )


def plan(treatment: str) -> tuple[Event, ...]:
    """Return the events of this treatment."""
    settings = config(treatment)
    return events(settings.treatment, settings.patient)


def test_the_dose_is_split_into_whole_cells() -> None:
    """Infused = dose x weight x CAR+ x viable x surviving, in whole cells, none lost to rounding."""
    infusion = plan(
        "[{type: car_t, day: 0.5, dose: 1e6 cell/kg, car_positive_fraction: 0.3, viability: 0.9,"
        " surviving_fraction: 0.5, memory_fraction: 0.4000001}]"
    )
    added = {event.pool: event.value for event in infusion if event.action == "add"}
    assert {event.tick for event in infusion} == {TICKS_PER_DAY // 2}
    assert sum(added.values()) == round(1e6 * 70 * 0.3 * 0.9 * 0.5)
    assert all(value.is_integer() for value in added.values())
    assert added["blood_car_t_memory"] == round(9_450_000 * 0.4000001)
    assert ("infused", "set", 1.0) in {(event.pool, event.action, event.value) for event in infusion}


def test_a_dose_in_all_does_not_depend_on_weight() -> None:
    """7e7 cells for 70 kg and 1e6 cells per kg are the same infusion."""
    total = plan("[{type: car_t, day: 0, dose: 7e7 cell}]")
    per_weight = plan("[{type: car_t, day: 0, dose: 1e6 cell/kg}]")
    assert total == per_weight


def test_lymphodepletion_makes_room_on_the_day_of_the_infusion_after_it() -> None:
    """The drug acts from start to end; space and low marrow output begin with the next infusion."""
    planned = plan(
        "[{type: car_t, day: 3, dose: 1e6 cell/kg}, {type: car_t, day: -20, dose: 1e6 cell/kg},"
        " {type: lymphodepletion, start: -5, end: -2, marrow_residual: 0.2, space: 0.7}]"
    )
    own = [(days(event.tick), event.pool, event.value) for event in planned if "lympho" in event.label]
    assert own == [
        (-5.0, "lymphodepletion_active", 1.0),
        (-2.0, "lymphodepletion_active", 0.0),
        (3.0, "space", 0.7),
        (3.0, "marrow_output", 0.2),
    ]


def test_lymphodepletion_alone_makes_room_two_days_after_it_ends() -> None:
    """Without an infusion the host still has the space that chemotherapy leaves."""
    planned = plan("[{type: lymphodepletion, start: -5, end: -2}]")
    assert [days(event.tick) for event in planned if event.pool == "space"] == [0.0]


def test_a_drug_is_on_and_off() -> None:
    """The strength stands from the first day to the day it is stopped; courses may follow each other."""
    planned = plan(
        "[{type: drug, name: suppression, on: 10, off: 20, strength: 0.5},"
        " {type: drug, name: suppression, on: 20, off: 30}]"
    )
    assert [(days(event.tick), event.value) for event in planned] == [
        (10, 0.5),
        (20, 1.0),
        (30, 0.0),
    ]


@pytest.mark.parametrize("order", ["0, 1", "1, 0"])
def test_courses_back_to_back_do_not_depend_on_the_listed_order(order: str) -> None:
    """Where one course ends and the next begins on the same tick, the beginning wins."""
    courses = [
        "{type: drug, name: suppression, on: 10, off: 20}",
        "{type: drug, name: suppression, on: 20, off: 30}",
    ]
    planned = plan("[" + ",".join(courses[int(index)] for index in order.split(",")) + "]")
    assert [event.value for event in planned if days(event.tick) == 20.0][-1] == 1.0


def test_overlapping_courses_are_refused() -> None:
    """The end of one course would silently stop the other."""
    with pytest.raises(InputError, match="two courses of drug 'suppression' overlap"):
        plan(
            "[{type: drug, name: suppression, on: 10, off: 20},"
            " {type: drug, name: suppression, on: 15, off: 30}]"
        )


def test_events_are_in_order_of_time() -> None:
    """The schedule can be walked from front to back."""
    planned = plan(
        "[{type: drug, name: suppression, on: 10, off: 20}, {type: car_t, day: 0, dose: 1e6 cell/kg},"
        " {type: lymphodepletion, start: -5, end: -2}]"
    )
    assert [event.tick for event in planned] == sorted(event.tick for event in planned)
    validate_events(planned, POOLS)


def test_an_unknown_drug_gets_the_nearest_name() -> None:
    """A drug the model does not know is told with the one that was probably meant."""
    planned = plan("[{type: drug, name: supression, on: 10, off: 20}]")
    with pytest.raises(InputError, match=r"no drug 'supression' \(did you mean 'suppression'\?\)"):
        validate_events(planned, POOLS)


def test_a_model_without_the_pool_is_refused() -> None:
    """A treatment that would change nothing is refused."""
    planned = plan("[{type: car_t, day: 0, dose: 1e6 cell/kg}]")
    with pytest.raises(InputError, match="needs the pool 'blood_car_t_effector'"):
        validate_events(planned, ("blood_car_t_effectors",))


def test_ticks_and_days_agree() -> None:
    """One hour is 256 ticks exactly, and every tick comes back from its day."""
    assert ticks(1 / 24) == 256
    assert all(ticks(days(tick)) == tick for tick in range(-20_000, 20_000, 7))
    assert [power_of_two_below(count) for count in (0, 1, 2, 3, 4, 2047, 2048)] == [1, 1, 2, 2, 4, 1024, 2048]

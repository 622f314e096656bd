"""Schedules that cannot be are refused; doses of chemotherapy follow the kidney."""

from __future__ import annotations

import pytest

from tissuesim.config import load_config, load_config_text
from tissuesim.config.treatment_file import shipped_treatments
from tissuesim.errors import InputError
from tissuesim.ticks import days
from tissuesim.treatment import Event, events

CAR_T = "{type: car_t, day: 0, dose: 1e6 cell/kg}"
LYMPHODEPLETION = "{type: lymphodepletion, start: -5, end: -2}"


def plan(treatment: str, patient: str = "{}") -> tuple[Event, ...]:
    """Return the events of a treatment."""
    settings = load_config_text(
        f"{{model: m, patient: {patient}, organs: {{kidney: {{anatomy: kidney}}}}, time: {{start: -30, end: 400}}, "
        f"treatment: {treatment}}}"
    )
    return events(settings.treatment, settings.patient)


REFUSED = {
    f"[{CAR_T}, {{type: lymphodepletion, start: -2, end: 1}}]": "CAR T cells on day 0 fall into lymphodepletion",
    f"[{{type: car_t, day: 10, dose: 1e6 cell/kg, vein_to_vein: 14 day}}, {LYMPHODEPLETION}]": (
        r"leukapheresis on day -4 \(day 10 less vein_to_vein\) falls into lymphodepletion"
    ),
    f"[{CAR_T}, {CAR_T}]": r"treatment\[1\]: CAR T cells are given on day 0 by treatment\[0\] already",
    "[{use: rituximab}, {use: rituximab, days: [14]}]": r"treatment\[1\]: rituximab are given on day 14",
    f"[{LYMPHODEPLETION}, {{use: lymphodepletion}}]": "two courses of lymphodepletion overlap",
    "[{use: belimumab, off: 50}, {use: belimumab, on: 40}]": "two courses of drug 'belimumab' overlap",
    "[{type: car_t, day: 0, dose: 1e6 cell/kg, vein_to_vein: 10 day, process_time: 12 day}]": (
        "process_time: cells take 12 day to make, but vein_to_vein is 10 day"
    ),
    "[{use: belimumab, changes: [{day: 400, strength: 0.5}]}]": "changes: day 400 is not within the course",
    "[{use: glucocorticoid, changes: [{day: 50, strength: 0.5}]}]": "changes: their days must rise",
    "[{type: lymphodepletion, fludarabine: 25 mg/m^2}]": "fludarabine_days: this key is missing",
    "[{type: lymphodepletion}]": "give start and end, or fludarabine",
    "[{use: lymphodepletion, start: -4}]": "a dose on day -5 is not within days -4 to -2",
    "[{type: antibody, name: rituximab, dose: 1000 mg, days: []}]": "treatment.0..days",
    "[{type: antibody, name: rituximab, dose: 3 mL, days: [0]}]": "treatment.0..dose",
    "[{use: rituxmab}]": r"treatment\[0\].use: 'rituxmab' is neither .*did you mean 'rituximab'",
}


@pytest.mark.parametrize("treatment", REFUSED)
def test_an_impossible_schedule_is_refused(treatment: str) -> None:
    """What cannot be given is told with the entry and the days that clash."""
    with pytest.raises(InputError, match=REFUSED[treatment]):
        plan(treatment)


def test_the_usual_course_is_the_old_one() -> None:
    """Fludarabine 25 x 3 and cyclophosphamide 1000 do exactly what start -5, end -2 did."""
    old = [(e.tick, e.pool, e.value) for e in plan(f"[{LYMPHODEPLETION}, {CAR_T}]")]
    new = [(e.tick, e.pool, e.value) for e in plan(f"[{{use: lymphodepletion}}, {CAR_T}]")]
    assert new == old


@pytest.mark.parametrize(("kidney", "space"), [(90, 1.0), (70, 1.0), (45, 0.75)])
def test_a_weak_kidney_lowers_doses(kidney: float, space: float) -> None:
    """Half the cyclophosphamide below 60 mL/min; fludarabine is cut so that its exposure stays."""
    planned = plan(f"[{{use: lymphodepletion}}, {CAR_T}]", f"{{kidney_function: {kidney} mL/min}}")
    found = {event.pool: event.value for event in planned if event.value}
    assert found["space"] == pytest.approx(space)
    assert found["lymphodepletion_active"] == pytest.approx(space)
    assert found["marrow_output"] == pytest.approx(0.1**space)


def test_no_fludarabine_without_a_kidney() -> None:
    """Below 30 mL/min it is refused, unless the cut is switched off."""
    patient = "{kidney_function: 20 mL/min}"
    with pytest.raises(
        InputError, match=r"^treatment\[0\]\.fludarabine: not given at a kidney function of 20 mL/min"
    ):
        plan("[{use: lymphodepletion}]", patient)
    full = plan("[{use: lymphodepletion, renal_cut: false}]", patient)
    assert next(event.value for event in full if event.pool == "space") > 1.0


def test_doses_per_weight_and_surface() -> None:
    """375 mg/m2 and 10 mg/kg for 72 kg and 1.8 m, surface sqrt(180 x 72 / 3600) m2."""
    person = "{body_weight: 72 kg, height: 1.8 m}"
    entry = "[{{type: antibody, name: rituximab, dose: {}, days: [3, 0]}}]"
    by_surface = plan(entry.format("375 mg/m^2"), person)
    assert [days(event.tick) for event in by_surface] == [0, 3]
    assert by_surface[0].value == pytest.approx(375 * 3.6**0.5)
    assert plan(entry.format("10 mg/kg"), person)[0].value == pytest.approx(720)
    assert {event.pool for event in by_surface} == {"rituximab_central"}


def test_the_model_is_told_what_a_product_is_like() -> None:
    """Potency, CD4:CD8 and expansion where they differ; BCMA; a new construct is new to the host."""
    two = plan(
        "[{use: cd19_car_t, potency: 0.5, expansion: 0.8, cd4_cd8: 3}, {use: bcma_cd19_car_t, day: 300}]"
    )
    set_to = [(days(e.tick), e.pool, e.value) for e in two if e.action == "set" and e.pool != "infused"]
    assert set_to == [
        (0, "car_potency", pytest.approx(0.5 * (0.25 + 0.5 * 0.75) / 0.75)),
        (0, "car_expansion", 0.8),
        (300, "car_potency", 1.0),
        (300, "car_expansion", 1.0),
        (300, "bcma_killing", 1.0),
        (300, "anti_car_immunity", 0.0),
    ]
    again = plan("[{use: cd19_car_t}, {use: cd19_car_t, day: 300}]")
    assert {e.pool for e in again} == {"blood_car_t_effector", "blood_car_t_memory", "infused"}


@pytest.mark.parametrize("name", shipped_treatments())
def test_every_number_of_a_shipped_treatment_has_a_source(name: str) -> None:
    """Source and grade stand beside each; a changed number loses its source."""
    settings = load_config_text(
        f"{{model: m, organs: {{k: {{anatomy: kidney}}}}, time: {{start: -30, end: 9}}, treatment: [{{use: {name}}}]}}"
    )
    (item,) = settings.treatment
    settled = {
        "type",
        "label",
        "product",
        "antigen",
        "name",
        "used",
        "sources",
        "day",
        "on",
        "off",
        "release",
    }
    same_as_dose = {
        "target_dose",
        "car_positive_fraction",
        "taper",
    }  # what the dose counts; the shape of a course
    numbers = item.model_fields_set - settled - same_as_dose
    assert numbers <= set(item.sources) and numbers
    assert item.used == name and all(len(note.source) > 5 for note in item.sources.values())
    changed = load_config_text(
        "{model: m, organs: {k: {anatomy: kidney}}, time: {start: -30, end: 400}, "
        "treatment: [{use: rituximab, dose: 500 mg}]}"
    )
    assert set(changed.treatment[0].sources) == {"days"}


def test_an_infusion_long_after_chemotherapy_does_not_move_its_space() -> None:
    """Space and low marrow output follow the end of chemotherapy by two days where no infusion is near."""
    planned = plan(f"[{{use: lymphodepletion}}, {CAR_T.replace('day: 0', 'day: 300')}]")
    found = {event.pool: days(event.tick) for event in planned if event.pool in ("space", "marrow_output")}
    assert found == {"space": 0.0, "marrow_output": 0.0}
    planned = plan(f"[{{use: lymphodepletion}}, {CAR_T.replace('day: 0', 'day: 4')}]")
    assert next(days(event.tick) for event in planned if event.pool == "space") == 4.0


ABLATIONS = ("dose_100", "poor_access", "no_discreteness", "no_lymphodepletion", "long_lived")


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_an_ablation_differs_from_the_whole_in_what_it_names(ablation: str) -> None:
    """One thing: the dose, a parameter, the randomness, or chemotherapy; all else, cell numbers too, is the same."""
    base, other = (load_config(name) for name in ("sle_car_t", f"sle_car_t_{ablation}"))
    changed = {
        key for key in type(base).model_fields if key != "name" and getattr(base, key) != getattr(other, key)
    }
    named = {"dose_100": "treatment", "no_lymphodepletion": "treatment", "no_discreteness": "stochastic"}
    assert changed == {named.get(ablation, "parameters")}
    given = [{(e.tick, e.pool): e.value for e in events(c.treatment, c.patient)} for c in (base, other)]
    if ablation == "dose_100":
        cells = {key for key in given[0] if key[1].startswith("blood_car_t")}
        assert {key: given[0][key] / given[1][key] for key in cells} == dict.fromkeys(cells, 100.0)
        assert {k: v for k, v in given[0].items() if k not in cells} == {
            k: v for k, v in given[1].items() if k not in cells
        }
    elif ablation == "no_lymphodepletion":
        assert given[1].items() < given[0].items()
        assert {pool for _, pool in set(given[0]) - set(given[1])} == {
            "lymphodepletion_active",
            "space",
            "marrow_output",
        }
    else:
        assert given[0] == given[1]


def test_a_source_belongs_to_a_key() -> None:
    """A note on a key that the treatment does not have is refused: the number it was meant for would have none."""
    note = "{use: rituximab, sources: {dosee: {source: x, grade: A}}}"
    with pytest.raises(InputError, match=r"treatment\[0\]\.sources.*'dosee' is no key .*'dose'"):
        plan(f"[{note}]")

"""Disease files: every number says what it is worth and where it comes from; what is wrong has its sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tissuesim.config import load_config
from tissuesim.config.disease import load_disease, shipped_diseases
from tissuesim.disease import patient_model
from tissuesim.errors import InputError
from tissuesim.model.model import Model
from tissuesim.run import Run
from tissuesim.scenario import Scenario, load
from tissuesim.simulation import Simulation
from tissuesim.units import parse_quantity

from .conftest import DISEASE

Build = Callable[..., Scenario]
ARMS = ("untreated", "lymphodepletion_only", "car_t")


def numbers(data: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of a file that stands for a number: it has a value, or some of what belongs to one."""
    if isinstance(data, dict):
        if {"value", "range"} & set(data):
            yield path, data
        for key, inner in data.items():
            if key not in ("range", "regions"):
                yield from numbers(inner, f"{path}.{key}")
    else:
        assert not isinstance(data, int | float), f"{path}: a bare number"


def test_the_shipped_diseases_are_there() -> None:
    """Claim: lupus, systemic sclerosis and myositis are shipped, each under its own name."""
    assert set(shipped_diseases()) == {"sle", "ssc", "iim"}
    assert all(load_disease(name).name == name for name in shipped_diseases())


@pytest.mark.parametrize("name", ["sle", "ssc", "iim"])
def test_every_number_has_unit_range_source_and_grade(name: str) -> None:
    """Claim: no number of a disease stands alone: it has a unit, a range that holds it, a source and a grade."""
    found = list(numbers(yaml.safe_load(shipped_diseases()[name].read_text())))
    assert len(found) >= 15
    for path, data in found:
        assert set(data) >= {"value", "range", "source", "grade"}, path
        value, dimension = parse_quantity(data["value"])
        (low, unit), (high, _) = (parse_quantity(end) for end in data["range"])
        assert low <= value <= high and low < high, path
        assert dimension == unit, path
        assert len(data["source"]) > 5 and data["grade"] in {"C", "M", "A", "cal"}, path


@pytest.mark.parametrize("name", ["sle", "ssc", "iim"])
def test_the_drive_of_untreated_disease_sums_to_one(name: str) -> None:
    """Claim: in each organ the weights of the drive leave 0.08 for inflammation itself, as in the calibrated model."""
    scenario = load(f"{name}_untreated", ())
    disease = load_disease(name)
    for kind in disease.organs:
        organ = next(key for key, item in scenario.config.organs.items() if item.organ_kind == kind)
        model = scenario.organ_models.get(organ, scenario.model)
        assert model.parameter_values()["inflammation_weight"] == pytest.approx(0.08)


@pytest.mark.parametrize("name", ["sle", "ssc", "iim"])
@pytest.mark.parametrize("arm", ARMS)
def test_arms_differ_in_treatment_alone(name: str, arm: str) -> None:
    """Claim: the arms of a disease are one patient: same organs, days, seed, numbers."""
    base, own = (load_config(f"{name}_{each}") for each in ("untreated", arm))
    kept = {"name", "description", "treatment"}
    assert own.model_dump(exclude=kept) == base.model_dump(exclude=kept)
    assert [item.type for item in own.treatment] == (["lymphodepletion"] if arm != "untreated" else []) + (
        ["car_t"] if arm == "car_t" else []
    )


MISTAKES = {
    "source": (", source: chosen, grade: A}", ", grade: A}", "source: this key is missing"),
    "grade": (", grade: A}\n    autor", "}\n    autor", "long_lived_share.grade: this key is missing"),
    "range": ('range: ["0.2", "0.6"], ', "", "long_lived_share.range: this key is missing"),
    "outside": ('"0.3"', '"0.7"', "long_lived_share.value: 0.7 is outside its range, 0.2 to 0.6"),
    "unit": ('value: "50 cell/mm^3"', 'value: "50 1/mm^3"', "patient.parameters.autoreactive_density.value"),
    "name": ("long_lived_share", "long_lived_shar", "unknown parameter (did you mean 'long_lived_share'?)"),
    "patient": ("car_t_entry", "igg_loss", "belongs to the whole patient"),
    "region": ("regions: [cortex]", "regions: [cortx]", "region 'cortx' is not in tissue 'left'"),
    "region of a number": (
        "{medulla:",
        "{medula:",
        "regions.medula: 'left' has no such region (did you mean",
    ),
    "volume": ('"30 mL"', '"59000 mm"', "volume"),
    "pattern": ("pattern: patches", "pattern: patchs", "'patchs' is not one of"),
    "kind": ("  kidney:", "  kidny:", "kidny"),
    "length": ("correlation:", "reach:", "reach: pattern 'patches' has correlation"),
    "key": ("label:", "lable:", "unknown key (did you mean 'label'?)"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_have_a_sentence(build: Build, mistake: str) -> None:
    """Claim: one sentence with the path of the key, whatever is wrong with a disease file."""
    old, new, said = MISTAKES[mistake]
    assert old in DISEASE
    with pytest.raises(InputError) as error:
        build(DISEASE.replace(old, new, 1))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_lesion_that_does_not_fit_is_refused(build: Build) -> None:
    """Claim: more volume than the regions have is refused with both volumes."""
    text = DISEASE.replace('"30 mL"', '"130 mL"').replace('"60 mL"', '"160 mL"')
    with pytest.raises(InputError, match=r"lesions\.patches: a lesion of 130\.0 mL does not fit into cortex"):
        build(text)


def test_an_organ_must_say_what_it_is(tmp_path: Path, build: Build) -> None:
    """Claim: with a disease, an organ from a file needs its kind; unknown diseases name the known ones."""
    build()
    with pytest.raises(InputError, match=r"disease: there is no disease 'slee' \(did you mean 'sle'\?\)"):
        build(DISEASE, "disease=slee")
    with pytest.raises(InputError, match=r"organs\.left\.kind: 'spleen' is not one of"):
        build(DISEASE, "organs.left.kind=spleen")
    saved = build().tissues["left"]
    saved.save(tmp_path / "some.npz")
    with pytest.raises(InputError, match=r"organs\.left\.kind: this key is missing"):
        build(DISEASE, f"organs.left={{anatomy: {tmp_path / 'some.npz'}}}")


def test_a_model_without_the_map_is_refused(build: Build) -> None:
    """Claim: a disease is not silently ignored by a model in which it has no place."""
    spared = "organs:\n  kidney: {description: d, lesions: {all: {pattern: whole, source: s, grade: A}}}\n"
    with pytest.raises(InputError, match="no map 'susceptibility'"):
        build(DISEASE.split("patient:")[0] + spared, "model=systemic")


def test_numbers_are_laid_in_order(build: Build) -> None:
    """Claim: model, disease of the patient, config, disease of the organ in ratio, config of the organ."""
    shipped = Model.load("autoimmune").parameter_values()
    scenario = build()
    left, tissue = scenario.parameters(scenario.tissues["left"]), scenario.tissues["left"]
    columns = {name: k for k, name in enumerate(scenario.plan.organ.parameters)}
    cortex, medulla = (tissue.region_names.index(name) for name in ("cortex", "medulla"))
    other = scenario.parameters(scenario.tissues["other"])
    assert scenario.model.parameter_values()["long_lived_share"] == 0.3
    assert left[cortex, columns["autoreactive_density"]] == 20.0
    assert other[0, columns["autoreactive_density"]] == 50.0  # spared, and as the patient
    assert left[cortex, columns["car_t_entry"]] == 6e-7 and left[medulla, columns["car_t_entry"]] == 3e-7
    assert other[0, columns["car_t_entry"]] == shipped["car_t_entry"]
    assert {"car_t_entry"} <= scenario.plan.organ.regional
    # capacity and exit follow the density of the organ
    for name in ("autoreactive_density_limit", "autoreactive_exit"):
        ratio = left[cortex, columns[name]] / other[0, columns[name]]
        assert ratio == pytest.approx(0.4 if name.endswith("limit") else 2.5)

    poorer = build(DISEASE, "parameters.car_t_entry=1.8e-7 1/day/mm^3", "parameters.long_lived_share=0.5")
    table = poorer.parameters(poorer.tissues["left"])
    assert table[cortex, columns["car_t_entry"]] == pytest.approx(6e-8)
    assert table[medulla, columns["car_t_entry"]] == pytest.approx(3e-8)
    assert poorer.model.parameter_values()["long_lived_share"] == 0.5

    own = build(DISEASE, "organs.left.parameters.car_t_entry=2.4e-6 1/day/mm^3")
    table = own.parameters(own.tissues["left"])
    assert table[cortex, columns["car_t_entry"]] == pytest.approx(2.4e-6)
    assert table[medulla, columns["car_t_entry"]] == pytest.approx(1.2e-6)
    with pytest.raises(InputError, match=r"organs\.left\.parameters\.igg_loss: belongs to the whole patient"):
        build(DISEASE, "organs.left.parameters.igg_loss=0.1 1/day")


def test_without_a_disease_nothing_changes() -> None:
    """Claim: a run that names none has the shipped model, no map of susceptibility and no organ of its own."""
    config = load_config("kidney_car_t", ("organs.kidney.spacing=10 mm",))
    assert patient_model(config, None).digest() == Model.load("autoimmune").digest()
    scenario = load("kidney_car_t", ("organs.kidney.spacing=10 mm",))
    assert not scenario.organ_models and "susceptibility" not in scenario.tissues["kidney"].maps
    assert scenario.digest() == scenario.model.digest()


def test_the_digest_sees_the_disease(build: Build) -> None:
    """Claim: a resumed run would notice another number of the organ, and another place of the lesion."""
    digests = {
        build().digest(),
        build(DISEASE.replace('value: "20 cell', 'value: "21 cell')).digest(),
        build(DISEASE.replace('value: "16 mm"', 'value: "15 mm"')).digest(),
    }
    assert len(digests) == 3


def test_a_number_that_cannot_be_negative_is_refused(build: Build) -> None:
    """Claim: below zero is refused where the plausible range is not, for the patient as for one organ."""
    for change in ("parameters.long_lived_share=-0.1", 'organs.left.parameters={antigen: "-1"}'):
        with pytest.raises(InputError, match=r"is below zero"):
            build(DISEASE, change)


def test_a_disease_of_another_name_says_whose_instruments_read_it(
    build: Callable[..., Scenario], tmp_path: Path
) -> None:
    """Claim: without the key a disease is read by its name, with it by the instruments it asks for, in a run too."""
    found = {}
    for name, text in (
        ("own", DISEASE),
        ("asked", DISEASE.replace("label: A disease", "instruments: sle\nlabel: A disease")),
    ):
        scenario = build(text, "time.end=-119")
        simulation = Simulation(scenario, "numba")
        simulation.create_run(out=tmp_path / name)
        simulation.run()
        found[scenario.instruments] = set(Run(tmp_path / name).readouts)
    assert set(found) == {"mine", "sle"}
    assert {"sledai", "upcr", "c3"} <= found["sle"] and "upcr" in found["mine"]
    assert "sledai" not in found["mine"]
    with pytest.raises(InputError, match=r"instruments: .*sle"):
        build(DISEASE.replace("label: A disease", "instruments: ra\nlabel: A disease"))


def test_a_treatment_after_the_end_is_told(
    build: Callable[..., Scenario], caplog: pytest.LogCaptureFixture
) -> None:
    """Claim: one sentence names the treatment that is not given; a treatment within the run has none."""
    build(DISEASE, "treatment=[{use: cd19_car_t, day: 5}]")
    assert "treatment[0]: begins on day 5 and is not given, because the run ends on day 0" in caplog.text
    caplog.clear()
    build(DISEASE, "treatment=[{use: cd19_car_t, day: -5}]")
    assert not caplog.text

"""Physics of an organ's regions: every number has a source, a mistake has its sentence, the shipped runs stay."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.catalogue import CATALOGUE
from tissuesim.anatomy.physics import (
    EVERY_DIFFUSIVITY,
    GRADES,
    PROPERTIES,
    OrganPhysics,
    load_physics,
    physics_from_text,
    region_parameters,
)
from tissuesim.config import load_config_text
from tissuesim.errors import InputError
from tissuesim.model.model import Model
from tissuesim.scenario import Scenario, build_scenario
from tissuesim.simulation import Simulation

ORGANS = (
    "kidney",
    "lungs",
    "heart",
    "skin",
    "joint",
    "kidney_patch",
    "lung_patch",
    "heart_patch",
    "skin_patch",
    "joint_patch",
    "lymph_node_patch",
)
RUN = """
name: run
model: autoimmune
organs: {kidney: {anatomy: kidney, spacing: 12 mm}}
time: {start: -120, end: -119}
stochastic: false
precision: float64
backend: numpy
"""
GIVEN = '{{value: "{value}", source: "chosen", grade: A}}'


def region(**changed: str) -> str:
    """The text of one region, every property given."""
    values = {
        "tortuosity": "1.6",
        "vascular_density": "1",
        "lymph_drainage": "0 1/day",
        "niche_fraction": "0",
        "adhesion": "1",
    } | changed
    return "{" + ", ".join(f"{name}: {GIVEN.format(value=value)}" for name, value in values.items()) + "}"


def text(more: str = "", **changed: str) -> str:
    """The text of a physics for the built-in kidney whose medulla is ``changed``."""
    return f"""
name: mine
description: A test.
reference_tortuosity: {GIVEN.format(value="1.6")}
regions:
  cortex: {region()}
  medulla: {region(**changed)}
  pelvis: {region()}
{more}
"""


def scenario(physics: str | None, model: str = "autoimmune") -> Scenario:
    """The run with a physics for its kidney."""
    sets = [f"model={model}"] + ([f"organs.kidney.physics={physics}"] if physics else [])
    return build_scenario(load_config_text(RUN, sets))


@pytest.mark.parametrize("name", ORGANS)
def test_shipped_physics_is_complete(name: str) -> None:
    """Each shipped organ has all properties in every region, each with source and grade."""
    physics = load_physics(name)
    assert physics.name == name
    for own in physics.regions.values():
        assert set(own) == set(PROPERTIES)
        assert all(value.source and value.grade in GRADES for value in own.values())
        assert own["tortuosity"].value >= 1.0
    assert any(own["vascular_density"].value == 1.0 for own in physics.regions.values())
    assert all(surface.source for surface in physics.surfaces.values())


@pytest.mark.parametrize("name", [name for name in ORGANS if name in CATALOGUE])
def test_shipped_physics_fits_the_built_in_organ(name: str) -> None:
    """Regions and vascular factors are those of the organ's anatomy, so that neither can drift away."""
    organ, physics = CATALOGUE[name].build(name), load_physics(name)
    assert set(physics.regions) == set(organ.region_names)
    for region_name, factor in physics.vascular_factors().items():
        assert factor == organ.vessel_factors.get(region_name, 1.0), region_name
    assert {key for key, own in physics.regions.items() if own["niche_fraction"].value > 0} >= set(
        organ.niche_regions
    )


@pytest.mark.parametrize("name", ORGANS)
def test_shipped_physics_enters_the_shipped_model(name: str) -> None:
    """Every parameter a shipped organ changes is there, and rates stay rates: finite and not negative."""
    physics, model = load_physics(name), Model.load("autoimmune")
    moving = tuple(signal.diffusivity for signal in model.signals.values())
    for own in physics.regions:
        values = region_parameters(physics, own, model.parameter_values(region=own), moving)
        touched = {target for targets in physics.enters.values() for target in targets} - {EVERY_DIFFUSIVITY}
        assert touched <= set(values)
        for target in (*touched, *moving):
            assert np.isfinite(values[target]) and values[target] >= 0


@pytest.mark.parametrize(
    ("name", "spacing"),
    [("kidney", 3.0), ("lungs", 8.0), ("heart", 3.0), ("joint", 1.5), ("skin", 0.5), ("kidney_patch", 0.05)],
)
def test_niche_fraction_is_the_share_of_niche_sites(name: str, spacing: float) -> None:
    """Of every region the physics' niche fraction is niche, also of regions thinner than a voxel."""
    physics = load_physics(name)
    tissue = build_tissue(name, name, spacing, physics=physics)
    niche = tissue.maps["niche_site"]
    assert niche.min() >= 0 and niche.max() <= 1
    by_share: dict[float, list[str]] = {}
    for own, share in physics.niche_shares().items():
        by_share.setdefault(share, []).append(own)
    for share, regions in by_share.items():  # regions of one share are filled together
        mask = tissue.in_regions(regions)
        found = (niche * tissue.volume)[mask].sum() / tissue.volume[mask].sum()
        assert found == pytest.approx(share, rel=1e-6), regions


def test_niche_fraction_and_vessels_of_a_config_reach_the_tissue(tmp_path: Path) -> None:
    """A physics in a run config moves niches to the medulla and makes its vessels as dense as it says."""
    file = tmp_path / "mine.yaml"
    file.write_text(text(niche_fraction="0.1", vascular_density="2"))
    plain, changed = (scenario(physics).tissues["kidney"] for physics in (None, str(file)))
    medulla, cortex = (changed.in_regions([name]) for name in ("medulla", "cortex"))
    assert plain.maps["niche_site"][cortex].any() and not plain.maps["niche_site"][medulla].any()
    niche = changed.maps["niche_site"]
    assert not niche[~medulla].any()
    assert np.average(niche[medulla], weights=changed.volume[medulla]) == pytest.approx(0.1, rel=1e-6)
    before, after = (
        np.average(tissue.maps["vascular_density"][medulla], weights=tissue.volume[medulla])
        for tissue in (plain, changed)
    )
    assert before < 0.6 and after == pytest.approx(2, rel=0.1)
    assert np.array_equal(plain.maps["vascular_density"][cortex], changed.maps["vascular_density"][cortex])


def test_lungs_open_to_their_airways() -> None:
    """The lungs' own surface towards the airways lies in the sheath and nowhere else."""
    tissue = build_tissue("lungs", "lungs", 10.0)
    maps = load_physics("lungs").surface_maps(tissue)
    sheath = tissue.in_regions(["bronchovascular_sheath"])
    opening = maps["lungs_airways_opening"]
    assert opening[sheath].max() > 0 and not opening[~sheath].any()
    assert np.all(maps["lungs_airways_steepness"] == 0.2)


def test_every_shipped_file_is_tested() -> None:
    """No file of configs/organs is left out here."""
    folder = files("tissuesim.configs").joinpath("organs")
    assert sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml")) == sorted(
        f"{name}.yaml" for name in ORGANS
    )


def test_fibers_of_the_heart() -> None:
    """Along fibers D is that of the model's tissue (1 / 1.6^2 of free), across it 1 / 2^2 of free: 0.64 of it."""
    along, across = load_physics("heart").fiber_diffusivities()
    assert along == 1.0 and across == pytest.approx(0.64)
    with pytest.raises(InputError, match="no section 'anisotropy'"):
        load_physics("kidney").fiber_diffusivities()


def test_free_fluid_is_faster_than_tissue() -> None:
    """Joint fluid has the free diffusivity, 1.6^2 times that of tissue; cartilage is slower than synovium."""
    joint = load_physics("joint")
    assert joint.relative_diffusivity("fluid") == pytest.approx(1.6**2)
    assert joint.relative_diffusivity("cartilage") < joint.relative_diffusivity("sublining")


def test_without_physics_nothing_changes() -> None:
    """A run that asks for none has the model's table, map by map and bit by bit."""
    plain = scenario(None)
    tissue = plain.tissues["kidney"]
    rows = [plain.model.parameter_values(region=name) for name in tissue.region_names]
    expected = np.array([[row[name] for name in plain.plan.organ.parameters] for row in rows])
    assert np.array_equal(plain.parameters(tissue), expected)
    assert plain.physics == {} and not any("opening" in name for name in tissue.maps)


def test_the_kidneys_own_physics_raises_niche_sites_alone() -> None:
    """The kidney is the tissue of the models: its physics leaves numbers and maps; niches lie where they lay.

    They fill the share of the cortex that the physics names, of which coarse voxels cut a part off without it.
    """
    plain, own = scenario(None), scenario("kidney")
    before, after = plain.tissues["kidney"], own.tissues["kidney"]
    assert np.array_equal(plain.parameters(before), own.parameters(after))
    for name in ("vascular_density", "depth"):
        assert np.array_equal(before.maps[name], after.maps[name]), name
    assert np.array_equal(before.maps["niche_site"] > 0, after.maps["niche_site"] > 0)
    cortex = after.region == after.region_names.index("cortex")
    share = (after.maps["niche_site"] * after.volume)[cortex].sum() / after.volume[cortex].sum()
    assert share == pytest.approx(0.04, rel=1e-6)


def test_a_region_changes_its_parameters_alone(tmp_path: Path) -> None:
    """Tortuosity 3.2 quarters D, adhesion multiplies entry, drainage is added to losses; other regions stay."""
    file = tmp_path / "mine.yaml"
    enters = """enters:
  tortuosity: [signals.diffusivity]
  lymph_drainage: [tnf_loss]
  adhesion: [car_t_entry, naive_entry]"""
    file.write_text(text(enters, tortuosity="3.2", lymph_drainage="2 1/day", adhesion="0.5"))
    changed, plain = scenario(str(file)), scenario(None)
    names = list(plain.plan.organ.parameters)
    tissue = plain.tissues["kidney"]
    before, after = (own.parameters(tissue) for own in (plain, changed))
    medulla = tissue.region_names.index("medulla")
    assert np.array_equal(np.delete(before, medulla, axis=0), np.delete(after, medulla, axis=0))
    moved = {
        name: (before[medulla, k], after[medulla, k])
        for k, name in enumerate(names)
        if before[medulla, k] != after[medulla, k]
    }
    diffusivities = {signal.diffusivity for signal in plain.model.signals.values()}
    assert set(moved) == diffusivities | {"tnf_loss", "car_t_entry", "naive_entry"}
    for name in diffusivities:
        assert moved[name][1] == pytest.approx(moved[name][0] / 4)
    assert moved["tnf_loss"][1] == moved["tnf_loss"][0] + 2.0
    assert moved["car_t_entry"][1] == 0.5 * moved["car_t_entry"][0]


def test_an_open_surface_enters_the_model(tmp_path: Path) -> None:
    """An absorbing pelvis drains signals there, in the tissue's map and the model's processes, and lowers them."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        text('surfaces: {urine: {of: [pelvis], condition: absorbing, source: "chosen", grade: A}}')
    )
    opened, plain = scenario(str(file)), scenario(None)
    tissue = opened.tissues["kidney"]
    opening = tissue.maps["mine_urine_opening"]
    pelvis = tissue.in_regions(["pelvis"])
    assert opening[pelvis].max() > 0 and opening[~pelvis].max() == 0
    assert "tnf_out_mine_urine" in opened.model.processes
    levels = []
    for own in (plain, opened):
        simulation = Simulation(own)
        for _ in range(3):
            simulation.step()
        column = list(own.plan.organ.signals).index("tnf")
        levels.append(np.asarray(simulation.state.organs["kidney"].signals)[:, column])
    touched = opening > 0
    assert np.all(levels[1][touched] < levels[0][touched])


def test_exchange_brings_level_and_permeability(tmp_path: Path) -> None:
    """A surface that exchanges adds its two numbers as parameters with their sources."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        text(
            f"""surfaces:
  lumen:
    of: [pelvis]
    condition: exchange
    level: {GIVEN.format(value="2 pM")}
    coefficient: {GIVEN.format(value="100 um/day")}
    source: "chosen"
    grade: A"""
        )
    )
    model = scenario(str(file)).model
    assert model.parameters["mine_lumen_permeability"].value == pytest.approx(0.1)
    assert model.parameters["mine_lumen_level"].value == pytest.approx(2.0)
    assert {"tnf_in_mine_lumen", "tnf_out_mine_lumen"} <= set(model.processes)


MISTAKES = {
    "unknown key": (text("surface: {}"), "surface: unknown key (did you mean 'surfaces'?)"),
    "missing": (text().replace("adhesion", "adhesoin"), "unknown key (did you mean 'adhesion'?)"),
    "unit": (text(lymph_drainage="1 mm"), "regions.medulla.lymph_drainage.value"),
    "no unit": (text(lymph_drainage="1"), "has no unit"),
    "too small": (text(tortuosity="0.5"), "is not from 1 to 10"),
    "share": (text(niche_fraction="1.5"), "is not from 0 to 1"),
    "grade": (text().replace("grade: A", "grade: Z", 1), "'Z' is not one of C, M, A, cal"),
    "condition": (
        text("surfaces: {side: {of: [pelvis], condition: absorbin, source: s, grade: A}}"),
        "did you mean 'absorbing'?",
    ),
    "region": (
        text("surfaces: {side: {of: [pelvs], condition: no_flux, source: s, grade: A}}"),
        "did you mean 'pelvis'?",
    ),
    "direction": (
        text('surfaces: {side: {of: [pelvis], facing: ["up"], condition: no_flux, source: s, grade: A}}'),
        "is not one of -x, +x",
    ),
    "level": (
        text("surfaces: {side: {of: [pelvis], condition: fixed, source: s, grade: A}}"),
        "surfaces.side.level: this key is missing",
    ),
    "level of a wall": (
        text(
            f"surfaces: {{side: {{of: [pelvis], condition: no_flux, level: {GIVEN.format(value='1 pM')}, "
            "source: s, grade: A}}"
        ),
        "surfaces.side.level: unknown key",
    ),
    "name": (text().replace("name: mine", "name: my organ"), "is no name of small letters"),
    "enters": (text("enters: {tortuosty: [a]}"), "did you mean 'tortuosity'?"),
    "empty": ("", "the file is empty"),
    "list": ("- a", "a mapping with keys"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_have_their_sentence(case: str) -> None:
    """What is wrong is told with the file, the path of the key and the nearest name."""
    given, says = MISTAKES[case]
    with pytest.raises(InputError) as error:
        physics_from_text(given, "mine.yaml")
    assert says in str(error.value) and str(error.value).startswith("mine.yaml")


def test_unknown_parameters_and_regions_are_refused(tmp_path: Path) -> None:
    """A parameter that the model lacks, a region or an organ without physics: told with the key of the run config."""
    file = tmp_path / "mine.yaml"
    file.write_text(text("enters: {adhesion: [car_t_entri]}"))
    with pytest.raises(InputError, match=r"organs\.kidney\.physics: .*did you mean 'car_t_entry'"):
        scenario(str(file))
    with pytest.raises(InputError, match=r"organs\.kidney\.physics: .*no region 'cortex'"):
        scenario("heart")
    with pytest.raises(InputError, match=r"organs\.kidney\.physics: .*did you mean 'kidney'"):
        scenario("kidny")
    with pytest.raises(InputError, match=r"organs\.kidney\.physics: there is no file"):
        scenario("nowhere.yaml")


def test_formulas_keep_their_values() -> None:
    """`region_parameters` changes what is named and nothing that a formula made of it."""
    physics: OrganPhysics = physics_from_text(
        text("enters: {lymph_drainage: [loss]}", lymph_drainage="3 1/day"), "mine.yaml"
    )
    values = {"loss": 2.0, "turnover": 2.5}
    assert region_parameters(physics, "medulla", values, ()) == {"loss": 5.0, "turnover": 2.5}
    assert values == {"loss": 2.0, "turnover": 2.5}

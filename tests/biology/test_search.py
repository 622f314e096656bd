"""Search, engagement and killing by single cells: the laws of the model `autoimmune_patch`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tissuesim.model import Model
from tissuesim.tissue.graph import box_tissue
from tissuesim.verification.specimen import Specimen, build_model

LATTICE_WALK = 0.252731  # Watson's integral over two: a walk on a cubic lattice meets a site at D h / 0.2527
VOXEL = 0.020  # mm
TICKS_PER_DAY = 6144


def canonical(name: str) -> float:
    """A parameter of the shipped model, in mm, days and cells."""
    return float(Model.load("autoimmune_patch").parameter_values()[name])


def hunting_model(**changed: str) -> Model:
    """Hunters and prey that crawl, with the engagement law of the shipped model and nothing else."""
    shipped = Model.load("autoimmune_patch").parameters
    keys = ("contact_rate", "engagement_limit", "killing_time", "car_t_motility", "b_motility")
    parameters = {}
    for key in keys:
        given = shipped[key]
        parameters[key] = f"{given.value!r} {given.dimension}"
    return build_model(
        "hunting",
        {**parameters, **changed},
        cells={
            "hunter": {"motility": "car_t_motility", "initial": "0"},
            "prey": {"motility": "b_motility", "initial": "0"},
            "engaged": {"initial": "0"},
        },
        definitions={
            "searching": "max(0, hunter - engaged)",
            "hazard": "engagement_limit * searching / (engagement_limit / contact_rate + searching)",
        },
        processes={
            "engage": {"rate": "hazard * prey", "change": {"prey": -1, "engaged": 1}},
            "die": {"rate": "engaged / killing_time", "change": {"engaged": -1}},
        },
    )


def test_the_law_tested_here_is_the_shipped_one() -> None:
    """Claim: the shipped model engages by the expression whose rate the next test measures."""
    model = Model.load("autoimmune_patch")
    text = str(model.definitions["tissue_kill_hazard"].expression)
    text = text.removeprefix("car_potency * ")  # 1 for the reference product
    assert text == str(hunting_model().definitions["hazard"].expression).replace(
        "searching", "searching_car_t"
    )
    assert dict(model.processes["kill_autoreactive_b"].change) == {"autoreactive_b": -1, "engaged_b": 1}


def test_rate_of_search_is_that_of_a_lattice_walk() -> None:
    """Claim: 1 / rate = 1 / contact + 0.2527 / (D h): many targets, few hunters, survival over hours within 7 %.

    Contact is what one hunter and one target in a voxel do: hazard x voxel volume. Held targets die within a second, so
    that hunters search all the time.
    """
    limit, contact, motility = (canonical(n) for n in ("engagement_limit", "contact_rate", "car_t_motility"))
    volume, side, hunters, prey, step = VOXEL**3, 26, 60, 12_000, 4
    alone = limit / volume / (limit / contact + 1.0 / volume) * volume
    together = motility + canonical("b_motility")
    rate = 1.0 / (1.0 / alone + LATTICE_WALK / (together * VOXEL))

    tissue = box_tissue((side, side, side), VOXEL)
    generator = np.random.default_rng(4)
    place = {
        name: np.bincount(generator.integers(0, tissue.n, number), minlength=tissue.n).astype(np.int32)
        for name, number in (("hunter", hunters), ("prey", prey))
    }
    specimen = Specimen.of(hunting_model(killing_time="1 s"), tissue, place, stochastic=True)
    days, engaged_time = 0.0, 0.0
    for _ in range(400):
        specimen.move_stably(step)
        specimen.react(step)
        days += step / TICKS_PER_DAY
        engaged_time += specimen.cells("engaged").sum() * step / TICKS_PER_DAY
    left = int(specimen.cells("prey").sum())
    searching = hunters * days - engaged_time  # hunter-days: who holds a target does not search
    measured = np.log(prey / left) * side**3 * volume / searching
    assert measured == pytest.approx(rate, rel=0.07)


def test_a_held_cell_dies_after_the_time_of_the_model() -> None:
    """Claim: of 20,000 held cells exp(-t / 25 min) are left after 10, 25 and 60 min, within five deviations."""
    held, step = 20_000, 16
    tissue = box_tissue((10, 10, 10), VOXEL)
    place = {"engaged": np.full(tissue.n, held // tissue.n, np.int32)}
    specimen = Specimen.of(hunting_model(), tissue, place, stochastic=True)
    waited = 0
    for minutes in (10, 25, 60):
        while (waited + step / 2) / TICKS_PER_DAY * 1440 < minutes:
            specimen.react(step)
            waited += step
        share = np.exp(-waited / TICKS_PER_DAY * 1440 / 25.0)
        left = int(specimen.cells("engaged").sum())
        assert abs(left - held * share) < 5 * np.sqrt(held * share * (1 - share)), minutes


def test_no_cell_crawls_into_a_closed_region() -> None:
    """Claim: where a cell type has no motility but has some elsewhere, drift leads neither in nor out; none is lost."""
    n, walkers = 16, 5000
    tissue = box_tissue((1, 1, n), 0.1)
    region = (np.arange(n) >= n // 2).astype(np.uint8)  # the far half is muscle
    tissue = replace(tissue, region=region, region_names=("loose", "muscle"))
    model = build_model(
        "walls",
        {
            "spread": "0 mm^2/day",
            "crawl": {"value": "0.01 mm^2/day", "regions": {"muscle": "0 mm^2/day"}},
            "pull": "2 mm^2/day",
            "half": "1 pM",
        },
        signals={"lure": {"unit": "pM", "diffusivity": "spread", "initial": "0"}},
        cells={
            "walker": {
                "motility": "crawl",
                "chemotaxis": "pull",
                "attractant": "lure",
                "half_saturation": "half",
                "initial": "0",
            }
        },
    )
    uphill = np.linspace(0.0, 2.0, n)
    for lure, start, shut in ((uphill, 2, region == 1), (uphill[::-1].copy(), n - 3, region == 0)):
        first = {"lure": lure, "walker": np.where(np.arange(n) == start, walkers, 0)}
        specimen = Specimen.of(model, tissue, first, stochastic=True, backend="numpy")
        specimen.move_stably(4 * TICKS_PER_DAY)
        counts = specimen.cells("walker")
        assert counts.sum() == walkers
        assert counts[shut].sum() == 0
        moved = counts[start] < walkers
        assert moved == (region[start] == 0)

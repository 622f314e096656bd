"""A CAR T product is released or refused, and leaves a certificate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tissuesim.config import RunConfig, load_config_text
from tissuesim.errors import InputError
from tissuesim.scenario import build_scenario
from tissuesim.simulation import Simulation
from tissuesim.treatment import certificates, refuse_unreleased, timeline

REFUSED = {
    "viability: 0.79": "treatment[0].viability: 'CD19 CAR T' is not released, viability is 0.79, allowed: >= 0.8",
    "cd3_purity: 0.7": "treatment[0].cd3_purity: .*CD3\\+ purity is 0.7, allowed: >= 0.8",
    "car_positive_fraction: 0.09": "treatment[0].car_positive_fraction: .*is 0.09, allowed: >= 0.1",
    "vector_copies: 5": "treatment[0].vector_copies: .*is 5.0, allowed: < 5",
    "endotoxin: 6": "treatment[0].endotoxin: .*is 6.0, allowed: < 5",
    "sterile: false": "treatment[0].sterile: .*is False, allowed: no growth",
    "competent_virus: true": "treatment[0].competent_virus: .*is True, allowed: absent",
    "assay_survival: 0.7": "treatment[0].assay_survival: .*is 0.7, allowed: < 0.7",
    "target_dose: 8e5 cell/kg": "treatment[0].dose: .*is 1.25, allowed: 0.8 to 1.2",
    "target_dose: 9.1e7 cell": "treatment[0].dose: .*is 0.769231, allowed: 0.8 to 1.2",
}


def config(more: str = "viability: 1.0", treatment: str | None = None) -> RunConfig:
    """Return a run with one product, some of its keys changed."""
    given = treatment or f"[{{type: car_t, day: 0, dose: 1e6 cell/kg, {more}}}]"
    return load_config_text(
        "{model: autoimmune, organs: {kidney: {anatomy: kidney, spacing: 14 mm}}, "
        f"time: {{start: -10, end: 30}}, treatment: {given}}}"
    )


@pytest.mark.parametrize("more", REFUSED)
def test_a_product_that_fails_is_refused(more: str) -> None:
    """Each criterion of the specification refuses by name, value and limit; override gives the product."""
    pattern = REFUSED[more].replace("[0]", r"\[0\]")
    with pytest.raises(InputError, match=pattern):
        refuse_unreleased(config(more))
    with pytest.raises(InputError, match=pattern):
        build_scenario(config(more))
    overridden = config(f"{more}, release: override")
    refuse_unreleased(overridden)
    (certificate,) = certificates(overridden)
    assert certificate["released"] and certificate["override"]
    assert [row["passed"] for row in certificate["criteria"]].count(False) == 1


@pytest.mark.parametrize(
    "more",
    ["viability: 0.8", "car_positive_fraction: 0.1", "vector_copies: 4.99", "target_dose: 8.34e5 cell/kg"],
)
def test_a_product_on_the_line_is_released(more: str) -> None:
    """The limits themselves pass: >= 80 % viable, >= 10 % CAR+, below 5 copies, dose within 20 %."""
    refuse_unreleased(config(more))
    (certificate,) = certificates(config(more))
    assert certificate["released"] and not certificate["override"]


def test_a_run_leaves_certificate_and_timeline(tmp_path: Path) -> None:
    """product.json and timeline.json lie in the run folder as the functions give them."""
    settings = config(
        treatment="[{use: lymphodepletion}, {use: cd19_car_t}, {use: glucocorticoid, on: 10, off: 20, taper: null}]"
    )
    simulation = Simulation(build_scenario(settings), "numba")
    path = simulation.create_run(out=tmp_path / "run")
    assert json.loads((path / "product.json").read_text()) == json.loads(json.dumps(certificates(settings)))
    rows = json.loads((path / "timeline.json").read_text())
    assert rows == timeline(settings)
    found = {row["kind"]: (row["start"], row["end"]) for row in rows}
    assert found["leukapheresis"] == (-14, -14) and found["manufacturing"] == (-14, -2)
    assert found["lymphodepletion"] == (-5, -2) and found["infusion"] == (0, 0)
    assert found["drug"] == (10, 20) and found["washout"][0] == 20
    assert [row["start"] for row in rows] == sorted(row["start"] for row in rows)

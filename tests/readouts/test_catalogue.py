"""The catalogue: everything has a unit, a range, a source and a grade, and the document shows the same."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.readouts import CATALOGUE, CONSTANTS, clinical, describe, write_csv
from tissuesim.readouts.catalogue import GRADES, read_catalogue
from tissuesim.run.readouts import document

from .conftest import DAYS, ORGANS, patient

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "configs" / "readouts" / "clinical.yaml"


def test_every_entry_says_where_it_comes_from():
    """Each readout and constant has a label, a unit, a source and a grade; constants lie inside their ranges."""
    for entry in (*CATALOGUE.values(), *CONSTANTS.values()):
        assert entry.label and entry.unit and entry.source and entry.grade in GRADES, entry
    for constant in CONSTANTS.values():
        assert constant.range[0] <= constant.value <= constant.range[1]


def test_every_constant_is_used_by_a_mapping():
    """A constant that no code reads would be a number without effect."""
    code = "\n".join(path.read_text() for path in (ROOT / "tissuesim" / "readouts").glob("*.py"))
    limits = SHIPPED.read_text().partition("\nreadouts:")[2]
    made = {
        *(f"{test}_{part}" for test in ("fvc", "dlco") for part in ("healthy", "inflammation_loss", "fibrosis_loss")),
        *("tender_untreated", "swollen_untreated"),
        *(name for name in CONSTANTS if name.startswith("weight_") or f": {name}" in limits),
    }  # fmt: skip
    assert [name for name in CONSTANTS if name not in made and f'"{name}"' not in code] == []


def test_every_readout_of_a_whole_patient_is_in_the_catalogue():
    """Nothing is computed that the catalogue does not describe, and it describes nothing that is never computed."""
    more = {
        name: np.ones(DAYS.shape)
        for name in (
            "naive_b_per_ul", "memory_b_per_ul", "autoreactive_b_per_ul", "plasmablast_per_ul", "total_igg",
        )
    }  # fmt: skip
    found: set[str] = set()
    for disease in ("sle", "ssc", "iim"):
        found |= set(clinical(DAYS, patient() | more, ORGANS, disease))
    for name in found:
        assert describe(name, CATALOGUE) is not None, name
    plain = {name for name in found if "." not in name}
    per_organ = {f"<organ>.{name.split('.')[1]}" for name in found if "." in name}
    assert plain | per_organ == set(CATALOGUE)


def test_the_document_is_the_catalogue():
    """docs/readouts.md holds the tables as they are made from the catalogue."""
    assert document() in (ROOT / "docs" / "readouts.md").read_text()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("value: 0.5,", "value: 7,"), r"constants\.damage_untreated\.range: \[0\.3, 1\] does not contain the value 7"),
        (("grade: A}", "grade: B}"), r"grade: 'B' is not one of C, M, A, cal"),
        (("{negative: dsdna_positive}", "{negative: dsdna}"), r"limits\.negative: 'dsdna' is not one of"),
        (("unit: pM,", "units: pM,"), r"constants\.interferon_untreated\.unit is missing"),
    ],
)  # fmt: skip
def test_a_broken_catalogue_is_refused_with_the_key(tmp_path, change, sentence):
    """A value outside its range, an unknown grade, a limit that is no constant, a wrong key: one sentence each."""
    path = tmp_path / "broken.yaml"
    path.write_text(SHIPPED.read_text().replace(*change, 1))
    with pytest.raises(InputError, match=sentence):
        read_catalogue(path)


def test_the_table_is_tidy_and_complete(tmp_path):
    """One line per day and readout with its unit; what is read back is what was written, to nine digits."""
    series = {"upcr": np.array([0.1, np.nan, 2.123456789]), "knee.b_cells": np.array([1e6, 0.0, 123456789.0])}
    days = np.array([-0.25, 0.0, 1 / 3])
    write_csv(tmp_path / "readouts.csv", days, series)
    with (tmp_path / "readouts.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [(row["name"], row["unit"]) for row in rows] == [("upcr", "g/g")] * 2 + [
        ("knee.b_cells", "cell")
    ] * 3
    assert [float(row["value"]) for row in rows] == [0.1, 2.12345679, 1e6, 0.0, 123456789.0]
    assert float(rows[1]["day"]) == pytest.approx(1 / 3, rel=1e-9)
    assert not (tmp_path / "readouts.csv.partial").exists()


def test_no_target_is_an_input():
    """No constant is a value that a treated patient should reach: none names a treatment or a day of follow-up."""
    for constant in CONSTANTS.values():
        text = f"{constant.name} {constant.label} {constant.source}".lower()
        assert not any(
            word in text for word in ("target", "after treatment", "day 90", "day 180", "rituximab")
        )

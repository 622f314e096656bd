"""Published numbers: read by reports, judged rightly, and no input of any run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.readouts import Clinic, targets
from tissuesim.readouts.targets import judge, load_targets
from tissuesim.scenario import load
from tissuesim.simulation import Simulation

from .conftest import DAYS, ORGANS, patient

ROOT = Path(__file__).parents[2]
SHORT = (
    "organs={kidney_left: {anatomy: kidney, spacing: 12 mm}}",
    "time.start=-5 day",
    "time.end=1 day",
    "time.maximum_step=1 day",
    "output.frames={}",
)


def course(**state):
    """A lupus patient before and after day 0: ``state`` after day 0."""
    after = DAYS > 0
    series = {name: np.where(after, value, 1.0) for name, value in state.items()}
    return Clinic(DAYS, patient(**series), ORGANS, "sle", baseline_day=-5.0)


def verdicts(clinic):
    """Verdicts of the CAR T arm by name."""
    return {item.target.name: item for item in judge(clinic, "car_t", load_targets())}


def test_every_target_is_whole_and_measures_what_a_run_has():
    """Weights, grades, bands and sources are there; every id is of the list of the design, T01 to T38."""
    found = load_targets()
    assert len(found) >= 30
    for name, target in found.items():
        assert re.fullmatch(r"T(0[1-9]|[12]\d|3[0-8])[ab]?", name)
        assert len(target.source) > 5 and (target.happens or target.band == (-np.inf, np.inf))
    assert {target.weight for target in found.values()} == {"A", "B", "C"}


def test_a_patient_who_heals_passes_and_one_who_does_not_misses():
    """SLEDAI, UPCR, C3 and antibody: inside their bands when all is gone on day 0, outside when nothing changed."""
    well, ill = verdicts(course(inflammation=0, damage=0, scar=0, antibody=0.1)), verdicts(course())
    for name in ("T16", "T19", "T21", "T23", "T26a", "T26b"):
        assert well[name].passed is True, name
        assert ill[name].passed is False, name
    assert well["T16"].value == pytest.approx(0.1) and ill["T21"].value == 22.0
    assert "T28a" not in well  # another disease


def test_a_run_that_is_too_short_is_not_judged():
    """Up to day 100 nothing is said of day 180, and no relapse so far is no pass at two years."""
    days = np.arange(-6.0, 100.0)
    found = verdicts(Clinic(days, patient(days=days), ORGANS, "sle", baseline_day=-5.0))
    assert found["T26b"].passed is None and found["T33"].passed is None and found["T10"].passed is None
    assert found["T26a"].passed is False


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("weight: A", "weight: Z", "T01.weight: 'Z' is not one of A, B, C"),
        ("band: [7, 14]", "band: [14, 7]", "T01.band: 14 is above 7"),
        ("unit: day, ", "", "T01: needs"),
        ("endpoint: day_car_t_peak", "day: 3", "T01.measure: an endpoint, or a series"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, old, new, message):
    """One sentence with the name of the target."""
    first = next(line for line in targets.targets_file().read_text().splitlines() if line.startswith("T01"))
    path = tmp_path / "targets.yaml"
    path.write_text(first.replace(old, new))
    with pytest.raises(InputError, match=re.escape(message)):
        load_targets(path)


def outputs(folder: Path) -> dict[str, bytes]:
    """Everything a run wrote that is a result: readouts, endpoints, timeline, totals, fields and generated text."""
    kept = (
        "readouts.csv",
        "endpoints.json",
        "timeline.json",
        "resets.json",
        "totals.zarr",
        "fields.zarr",
        "generated",
    )
    files = [
        path
        for name in kept
        for path in ([folder / name] if (folder / name).is_file() else (folder / name).rglob("*"))
    ]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.is_file()}


def test_shifting_or_removing_every_target_changes_no_output(tmp_path, monkeypatch):
    """The same bytes with the shipped targets, with every band moved tenfold, and with no such file at all."""

    def run(name: str) -> dict[str, bytes]:
        simulation = Simulation(load("sle_car_t", SHORT), "numpy")
        simulation.create_run(out=tmp_path / name)
        simulation.run()
        return outputs(tmp_path / name)

    shipped = run("shipped")
    assert len(shipped) > 20
    text = targets.targets_file().read_text()
    moved = re.sub(
        r"band: \[(\S+), (\S+)\]", lambda band: f"band: [{_tenfold(band[1])}, {_tenfold(band[2])}]", text
    )
    shifted = tmp_path / "targets.yaml"
    shifted.write_text(moved)
    assert load_targets(shifted)["T01"].band == (70.0, 140.0)
    for number, path in enumerate((shifted, tmp_path / "missing.yaml")):
        monkeypatch.setattr(targets, "targets_file", lambda path=path: path)
        assert run(f"other{number}") == shipped


def _tenfold(text: str) -> str:
    return text if text == "null" else f"{10 * float(text):g}"


def test_nothing_that_computes_knows_the_targets():
    """No module of the package imports them or names their file, and no model, disease or treatment names one."""
    own = ROOT / "tissuesim" / "readouts" / "targets.py"
    for path in (ROOT / "tissuesim").rglob("*.py"):
        if path == own:
            continue
        text = path.read_text()
        assert "targets.yaml" not in text and "readouts/targets" not in text, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "tissuesim.readouts.targets", path
                assert not (
                    node.module == "tissuesim.readouts" and any(a.name == "targets" for a in node.names)
                )
    for path in (ROOT / "configs").rglob("*.yaml"):
        if path.name != "targets.yaml":
            assert not re.search(r"\bT[0-3]\d\b", path.read_text()), path

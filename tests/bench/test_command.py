"""``tissuesim bench``: a table or one JSON object, and an exit code that follows ratios alone."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tissuesim.bench.compare import read_ratios
from tissuesim.bench.plot import plot_scaling
from tissuesim.bench.suite import FULL, QUICK
from tissuesim.cli import main

ROOT = Path(__file__).parents[2]
STORED = ROOT / "benchmarks" / "results" / "quick_ratios.json"
SIGNALS = ("bench", "--quick", "--section", "signals")


def ended(*arguments: str) -> int:
    """Run the command; returns its exit code."""
    try:
        main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """stdout is one JSON object with the machine and the lines; progress goes to stderr; --out holds the same."""
    assert ended(*SIGNALS, "--json", "--out", str(tmp_path / "report.json")) == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["suite"] == "quick" and {"processor", "cores", "backend", "numpy"} <= set(report["machine"])
    assert {row["section"] for row in report["rows"]} == {"signals at r = 10"}
    assert all(
        {"key", "seconds", "fraction_of_copy", "bytes_per_second"} <= set(row) for row in report["rows"]
    )
    assert "signals at r = 10" in printed.err
    assert json.loads((tmp_path / "report.json").read_text()) == report


def test_the_table_names_every_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --json a person reads sections, times and the fraction of a copy."""
    monkeypatch.setenv("COLUMNS", "200")
    assert ended(*SIGNALS, "--backend", "numba") == 0
    shown = capsys.readouterr().out
    assert "signals at r = 10" in shown and "line by line, 32 sub-steps" in shown and "of copy" in shown


@pytest.mark.parametrize(("stored", "code"), [(1e-6, 0), (1e6, 1)])
def test_the_exit_code_follows_the_ratios(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, stored: float, code: int
) -> None:
    """A ratio far below the stored one ends with code 1 and its name; one far above it does not."""
    key = "signals at r = 10 / line by line, 1 sub-steps / box 32 / 8 float32 / fraction of copy"
    ratios = tmp_path / "ratios.json"
    ratios.write_text(json.dumps({"ratios": {key: stored}}))
    assert ended(*SIGNALS, "--json", "--compare", str(ratios)) == code
    assert (key in capsys.readouterr().err) == bool(code)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--section", "signal"), "did you mean 'signals'"),
        (("--backend", "nunba"), "did you mean 'numba'"),
        (("--compare", "nowhere.json"), "does not exist"),
    ],
)
def test_bad_input_is_told_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], word: str
) -> None:
    """One sentence with the nearest name, and exit code 2."""
    assert ended("bench", "--quick", *arguments) == 2
    error = capsys.readouterr().err
    assert word in error and len(error.strip().splitlines()) == 1


def test_the_full_suite_has_every_case_that_is_promised() -> None:
    """Operators at 64, 128 and 256, kidney and lung, 8 and 16 fields, both precisions; none of 256 in the quick set."""
    cases = {(case.shape, case.side, case.fields, case.precision) for case in FULL.operators}
    for shape, side in (("box", 64), ("box", 128), ("box", 256), ("kidney", 128), ("lung", 128)):
        for fields in (8, 16):
            for precision in ("float32", "float64"):
                assert (shape, side, fields, precision) in cases
    assert max(case.side for case in QUICK.operators) <= 64


def test_pictures_are_drawn_from_a_stored_report(tmp_path: Path) -> None:
    """The stored full report has the lines for all pictures of scaling."""
    report = json.loads((ROOT / "benchmarks" / "results" / "cpu_2_cores.json").read_text())
    drawn = plot_scaling(report, tmp_path)
    names = {"scaling_voxels.png", "scaling_threads.png", "scaling_peers.png", "signals_error.png"}
    assert {path.name for path in drawn} == names
    assert all(path.stat().st_size > 5_000 for path in drawn)


def test_a_picture_without_lines_is_not_drawn(tmp_path: Path) -> None:
    """A report of one section gives the pictures of that section and no empty axes."""
    assert plot_scaling({"machine": {"processor": "x", "backend": "numpy"}, "rows": []}, tmp_path) == []


@pytest.mark.slow
@pytest.mark.xdist_group("benchmarks")
def test_the_quick_set_keeps_its_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    """No guarded ratio of the quick set is more than 30 % below the stored one; the report is kept in build/."""
    kept = ROOT / "build" / "bench_quick.json"
    kept.parent.mkdir(exist_ok=True)
    code = ended("bench", "--quick", "--json", "--out", str(kept), "--compare", str(STORED))
    told = capsys.readouterr()
    report: dict[str, Any] = json.loads(kept.read_text())
    assert {row["section"] for row in report["rows"]} >= {"operators", "movement", "model", "peers"}
    assert all(math.isfinite(row.get("seconds", 0.0)) for row in report["rows"])
    assert set(report["guarded"]) == set(read_ratios(STORED)), told.err
    assert code == 0, told.err

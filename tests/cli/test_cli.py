"""The command line: what it prints where, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from tissuesim import cli
from tissuesim.config import RunConfig
from tissuesim.errors import InputError, NumericsError

ENDPOINTS = {"day_car_t_peak": 9.2, "relapse_day": None}


@dataclass
class Result:
    """What a run reports."""

    run: Path
    status: str = "finished"
    wall_seconds: float = 1.5
    steps: int = 12
    voxels: int = 345
    backend: str = "numpy"
    endpoints: dict[str, float | None] = field(default_factory=lambda: dict(ENDPOINTS))


class Simulation:
    """Stands in for the solver: keeps what it was given and ends as it is told to."""

    made: ClassVar[list[Simulation]]
    ends_with: ClassVar[BaseException | None]
    signal: ClassVar[signal.Signals | None] = None

    def __init__(self, scenario: RunConfig, backend: str) -> None:
        self.scenario = scenario
        self.backend = SimpleNamespace(name=backend, reason=f"{backend}, as asked for")
        self.made.append(self)

    def create_run(self, out: Path | None = None) -> Path:
        """Make the folder of the run."""
        self.folder = out or Path("runs") / "made"
        self.folder.mkdir(parents=True)
        return self.folder

    def run(self, progress: Any) -> Result:
        """Report progress and end."""
        self.progress = progress
        if self.signal is not None:
            signal.raise_signal(self.signal)
        if progress is not None:
            progress(5.0, 10.0, 0.0, 1e6)
        if self.ends_with is not None:
            raise self.ends_with
        return Result(self.folder, backend=self.backend.name)


@pytest.fixture
def solver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Simulation]:
    """Put a stand-in below the command line, in an empty current folder."""
    scenario, simulation = types.ModuleType("tissuesim.scenario"), types.ModuleType("tissuesim.simulation")

    class Fresh(Simulation):
        made: ClassVar[list[Simulation]] = []
        ends_with = None

    scenario.build_scenario = lambda config: config  # type: ignore[attr-defined]
    scenario.organ_lines = lambda scenario: ["kidney: 345 voxels"]  # type: ignore[attr-defined]
    simulation.Simulation = Fresh  # type: ignore[attr-defined]
    simulation.resume = lambda folder, backend, progress: Result(folder, backend=backend or "numba")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tissuesim.scenario", scenario)
    monkeypatch.setitem(sys.modules, "tissuesim.simulation", simulation)
    monkeypatch.chdir(tmp_path)
    return Fresh


def call(*arguments: str) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    return int(end.value.code or 0)


def test_json_is_one_object_and_nothing_else(
    solver: type[Simulation], capfd: pytest.CaptureFixture[str]
) -> None:
    """A program reads stdout as one object with the promised keys; the folder is the one asked for."""
    assert call("run", "kidney_car_t", "--json", "--out", "here") == 0
    out = capfd.readouterr().out
    found = json.loads(out)
    assert out.count("\n") == 1
    assert list(found) == ["run", "status", "wall_seconds", "steps", "voxels", "backend", "endpoints"]
    assert found["run"] == "here"
    assert found["endpoints"] == ENDPOINTS


def test_options_reach_the_config(solver: type[Simulation]) -> None:
    """--seed, --backend and --set are changes of the config, so that the run folder records them."""
    assert call("run", "kidney_car_t", "--seed", "7", "--backend", "numpy", "--set", "time.end=3", "-q") == 0
    config = solver.made[0].scenario
    assert (config.seed, config.backend, config.time.end) == (7, "numpy", 3.0)
    assert solver.made[0].backend.name == "numpy"


def test_a_person_gets_progress_on_stderr_and_a_table(
    solver: type[Simulation], capfd: pytest.CaptureFixture[str]
) -> None:
    """The organs, the endpoints, the folder and the next command are told; None reads as not in this run."""
    assert call("run", "kidney_car_t") == 0
    captured = capfd.readouterr()
    assert "voxel-updates/s" in captured.err
    assert "day_car_t_peak" in captured.out and "9.2" in captured.out and "not in this run" in captured.out
    assert "345 voxels" in captured.out
    assert "tissuesim render runs/made" in captured.out
    assert "tissuesim report runs/made" in captured.out


def test_a_run_can_end_with_its_report(
    solver: type[Simulation], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """--report writes the page of the run that has just ended and tells where it is, to people and to programs."""
    monkeypatch.setattr("tissuesim.cli.running.write_page", lambda folder, *_: folder / "report.html")
    assert call("run", "kidney_car_t", "--report") == 0
    out = capfd.readouterr().out
    assert "runs/made/report.html" in out and "tissuesim report" not in out
    assert call("run", "kidney_car_t", "--report", "--json", "--out", "there") == 0
    assert json.loads(capfd.readouterr().out)["report"] == "there/report.html"


def test_quiet_prints_the_folder_alone(solver: type[Simulation], capfd: pytest.CaptureFixture[str]) -> None:
    """A shell script can take the folder from stdout."""
    assert call("run", "kidney_car_t", "--quiet") == 0
    captured = capfd.readouterr()
    assert captured.out == "runs/made\n"
    assert captured.err == ""


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (
            InputError("organs.kidney.anatomy: no such organ"),
            2,
            "Error: organs.kidney.anatomy: no such organ",
        ),
        (NumericsError("cells below zero on day 3"), 3, "cells below zero on day 3"),
        (KeyboardInterrupt(), 130, "tissuesim resume runs/made"),
    ],
)
def test_how_a_run_ends_is_told_in_one_line(
    solver: type[Simulation],
    capfd: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    sentence: str,
) -> None:
    """Bad input exits 2, a stopped solver 3, an interrupt 130 with the way to go on; never a traceback."""
    solver.ends_with = error
    assert call("run", "kidney_car_t", "--json") == code
    captured = capfd.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_between_two_steps(
    solver: type[Simulation], capfd: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    """Ctrl-C and a cluster's termination signal wait for the step to end, then say how to go on."""
    solver.signal = number
    assert call("run", "kidney_car_t", "--json") == 130
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1] == "Interrupted. Go on with: tissuesim resume runs/made"


def test_resume_reports_like_run(solver: type[Simulation], capfd: pytest.CaptureFixture[str]) -> None:
    """A resumed run gives the same object as one that was not interrupted."""
    assert call("resume", "runs/old", "--json") == 0
    assert json.loads(capfd.readouterr().out)["run"] == "runs/old"


def test_render_prints_where_the_pictures_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The last line is the folder of the pictures; days arrive as numbers."""
    asked: dict[str, Any] = {}
    pictures = tmp_path / "pictures"

    def draw(folder: Path, **options: Any) -> list[str]:
        asked.update(options)
        return [str(pictures / "kidney.png"), f"Pictures are in {pictures}"]

    command = types.ModuleType("tissuesim.viz.command")
    command.draw = draw  # type: ignore[attr-defined]
    for module in (types.ModuleType("tissuesim.viz"), command):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    assert call("render", str(tmp_path), "--day", "0,14,90", "--organ", "kidney") == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[-1] == f"Pictures are in {pictures}"
    assert asked["days"] == [0.0, 14.0, 90.0] and asked["organ"] == "kidney"
    assert call("render", str(tmp_path), "--day", "0,soon") == 2
    assert "--day: '0,soon' is no list of days" in capfd.readouterr().err


@dataclass
class Check:
    """One line of the scorecard."""

    name: str
    passed: bool
    theory: float = 2.0
    measured: float = 1.99
    tolerance: float = 0.15


@pytest.mark.parametrize("passed", [True, False])
def test_verify_fails_when_a_check_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], passed: bool
) -> None:
    """The exit code of verify is 1 as soon as one check is not passed, in both ways of printing."""
    module = types.ModuleType("tissuesim.verification")
    module.scorecard = lambda quick: [Check("a", True), Check("b", passed)]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tissuesim.verification", module)
    kept: list[bool] = []
    saved = types.ModuleType("tissuesim.verification.saved")
    saved.save_scorecard = lambda checks, quick: kept.append(quick)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tissuesim.verification.saved", saved)
    assert call("verify", "--json") == (0 if passed else 1)
    found = json.loads(capfd.readouterr().out)
    assert found["passed"] is passed and [check["name"] for check in found["checks"]] == ["a", "b"]
    assert call("verify") == (0 if passed else 1)
    assert ("FAIL" in capfd.readouterr().out) is not passed
    assert kept == [False, False]  # for the next report


def test_schema_is_json(capfd: pytest.CaptureFixture[str]) -> None:
    """An editor can be pointed at the printed schema."""
    assert call("schema") == 0
    assert json.loads(capfd.readouterr().out)["title"] == "RunConfig"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--seed", "abc"], "seed: 'abc' is not a whole number"),
        (["--set", "organs.kidney.spacing=2 s"], "organs.kidney.spacing: '2 s'"),
        (["--set", "sead=2"], "sead: unknown key (did you mean 'seed'?)"),
        (["--set", "time.end=-200"], "time.end: day -200 is not after the start"),
        (["--set", "organs.kidney.anatomy=nowhere.glb"], "there is no file 'nowhere.glb'"),
        (["--backend", "abacus"], "backend: 'abacus' is not one of"),
    ],
)
def test_bad_input_leaves_nothing_behind(tmp_path: Path, change: list[str], sentence: str) -> None:
    """As a user does it: exit code 2, one line on stderr, no traceback, nothing on stdout, no folder."""
    done = subprocess.run(
        [sys.executable, "-m", "tissuesim", "run", "kidney_car_t", "--json", *change],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert sentence in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_models_table_prints_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    """One row per parameter with value, unit, range, grade and source; with no name, treatments too."""
    import csv

    from tissuesim.model import Model, shipped_models

    assert call("models", "autoimmune_lumped", "--table") == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    model = Model.load("autoimmune_lumped")
    assert [row["parameter"] for row in rows if "[" not in row["parameter"]] == list(model.parameters)
    (clearance,) = [row for row in rows if row["parameter"] == "rituximab_clearance"]
    assert (clearance["value"], clearance["unit"], clearance["range"]) == ("0.26", "L/day", "0.15 to 1.2")
    assert all(row["grade"] in {"C", "M", "A", "cal"} and len(row["source"]) > 5 for row in rows)
    assert call("models", "--table") == 0
    everything = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert {row["model"] for row in everything} >= {*shipped_models(), "treatments/rituximab"}

"""Print what a patient config gives against the published numbers, quickly: coarse voxels, several seeds.

    python scripts/calibrate_patient.py sle_car_t                       # the table of one patient
    python scripts/calibrate_patient.py sle_car_t --seeds 1-3 --access 1,2.5,10
    python scripts/calibrate_patient.py sle_car_t --patients 20 --access 1,2.5,10   # virtual patients, extinct or not
    python scripts/calibrate_patient.py sle_car_t --seeds 1-40 --access 4 --lambda  # against exp(-sum A0 exp(-Lambda))

``--access F`` divides the entry of CAR T cells into all organs by F. ``--patients`` draws parameters as the model's
variability says. Nothing is written; two processes share the runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tissuesim.readouts.targets import Verdict

COARSE = {"kidney": 6.0, "lungs": 12.0, "heart": 6.0, "skin": 1.5, "joint": 5.0}
"""Edge of a voxel in mm by kind of organ: about 10,000 voxels in all."""

MARKS = {True: "pass", False: "MISS", None: "?"}
"""``?``: the run is too short or lacks what is measured."""

SHOWN: tuple[tuple[str, str], ...] = (
    ("day_autoreactive_extinct", "last autoreactive B cell, day"),
    ("day_extinct_with_plasmablasts", "last plasmablast too, day"),
    ("inflammation_day180_over_day0", "inflammation day 180 / day 0"),
    ("autoantibody_half_life_days", "half-life of autoantibody, days"),
    ("relapse_day", "relapse by disease activity, day"),
    ("flare", "greatest inflammation day 0-20 / day 0"),
    ("fibrosis_first_year", "fibrosis day 365 / day 0"),
)
"""Numbers that are shown without a published one beside them; those stand in ``configs/readouts/targets.yaml``."""


@dataclass(frozen=True)
class Job:
    """One run: a config, changes, and a name for the table."""

    config: str
    label: str
    sets: tuple[str, ...]
    want_lambda: bool = False


@dataclass
class Found:
    """What a run gave."""

    label: str
    endpoints: dict[str, float | None] = field(default_factory=dict)
    organs: dict[str, dict[str, float | None]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    expected_survivors: float | None = None


def run(job: Job) -> Found:
    """Run to the end without writing, keeping the totals of every step."""
    from tissuesim.readouts import Clinic
    from tissuesim.readouts.targets import judge, load_targets
    from tissuesim.run.patient import organ_kinds
    from tissuesim.scenario import load
    from tissuesim.simulation import Simulation
    from tissuesim.simulation.totals import TotalsTable
    from tissuesim.ticks import days

    scenario = load(job.config, job.sets)
    simulation, table = Simulation(scenario, "numba"), TotalsTable(scenario)
    when, rows = [], []
    first: dict[str, np.ndarray] = {}
    column = scenario.plan.organ.cells.index("autoreactive_b")
    while not simulation.finished:
        simulation.step()
        when.append(days(simulation.state.tick))
        rows.append(table.row(simulation.engine, simulation.state))
        if not first and when[-1] >= 0:
            first = {name: organ.cells[:, column].copy() for name, organ in simulation.state.organs.items()}
    simulation.check(simulation.state)
    day = np.array(when)
    totals = dict(zip((item.name for item in table.columns), np.array(rows).T, strict=True))
    resolved = scenario.config.model_dump(mode="json")
    clinic = Clinic(day, totals, organ_kinds(resolved), scenario.instruments, scenario.treatment_day)
    found = Found(job.label, dict(clinic.endpoints))
    given = {item.type for item in scenario.config.treatment}
    arm = "car_t" if "car_t" in given else "rituximab" if "antibody" in given else None
    if arm is not None:
        found.verdicts = judge(clinic, arm, load_targets())
    found.endpoints |= _more(day, totals, "")
    for name in scenario.tissues:
        if totals[f"{name}.target_volume"][-1] > 0:
            found.organs[name] = _organ(day, totals, name)
    if job.want_lambda:
        found.expected_survivors = _expected_survivors(simulation, first)
    return found


def _more(day: np.ndarray, totals: dict[str, np.ndarray], prefix: str) -> dict[str, float | None]:
    """Flare and course of fibrosis, of the patient or of one organ."""

    def over(name: str, at: float) -> float | None:
        load = totals[f"{prefix}{name}"]
        start = float(np.interp(0, day, load))
        return float(np.interp(at, day, load)) / start if start > 0 and at <= day[-1] else None

    window = (day >= 0) & (day <= 20)
    inflammation = totals[f"{prefix}inflammation_load"]
    start = float(np.interp(0, day, inflammation))
    return {
        "flare": float(inflammation[window].max() / start) if window.any() and start > 0 else None,
        "fibrosis_first_year": over("fibrosis_load", 365.0),
        "inflammation_day180_over_day0": over("inflammation_load", 180.0),
    }


def _organ(day: np.ndarray, totals: dict[str, np.ndarray], name: str) -> dict[str, float | None]:
    volume = float(totals[f"{name}.target_volume"][-1])
    gone = np.flatnonzero((totals[f"{name}.tissue_autoreactive_b"] == 0) & (day >= 0))
    return {
        "mL": volume / 1000,
        "inflammation_day0": float(np.interp(0, day, totals[f"{name}.inflammation_load"])) / volume,
        "day_autoreactive_extinct": float(day[gone[0]]) if gone.size else None,
        **_more(day, totals, f"{name}."),
    }


def _expected_survivors(simulation: object, first: dict[str, np.ndarray]) -> float:
    """Sum over voxels of A0 exp(-Lambda): cells of day 0 that no killer met, were there no growth and no traffic."""
    state = simulation.state  # type: ignore[attr-defined]
    place = simulation.scenario.plan.organ.states.index("killing_integral")  # type: ignore[attr-defined]
    return float(
        sum(
            (cells * np.exp(-state.organs[name].states[:, place].astype(float))).sum()
            for name, cells in first.items()
        )
    )


# ---- which runs
def jobs(arguments: argparse.Namespace) -> list[Job]:
    """Every run that is asked for."""
    from tissuesim.config import load_config
    from tissuesim.disease import patient_model
    from tissuesim.scenario import disease_of
    from tissuesim.simulation.cohort import draw_parameters

    config = load_config(arguments.config, tuple(arguments.set))
    model = patient_model(config, disease_of(config))
    entry = model.parameters["car_t_entry"].value
    assert entry is not None
    drawn = draw_parameters(model, arguments.patients, arguments.draw_seed) if arguments.patients else {}
    chosen: list[Job] = []
    for factor in arguments.access:
        for seed in range(1, arguments.patients + 1) if arguments.patients else arguments.seeds:
            values = {name: float(column[seed - 1]) for name, column in drawn.items()}
            values["car_t_entry"] = values.get("car_t_entry", entry) / factor
            sets = [*arguments.set, f"seed={seed}", f"time.end={arguments.end} day"]
            if not arguments.fine:
                sets += [
                    f"organs.{name}.spacing={COARSE[organ.organ_kind] * arguments.coarser:g} mm"
                    for name, organ in config.organs.items()
                    if organ.organ_kind is not None
                ]
            if factor != 1 or drawn:
                sets += [
                    f"parameters.{name}={value!r} {model.parameters[name].dimension}"
                    for name, value in values.items()
                ]
            what = "patient" if arguments.patients else "seed"
            chosen.append(
                Job(arguments.config, f"access/{factor:g} {what} {seed}", tuple(sets), arguments.want_lambda)
            )
    return chosen


# ---- the tables
def shown(value: float | None) -> str:
    """A number for a person."""
    return "-" if value is None else f"{value:.3g}"


def print_courses(found: list[Found]) -> None:
    """One line per number with its target, one column per run."""
    width = max(len(item.label) for item in found) + 2
    print(f"{'':56s}" + "".join(f"{item.label:>{width}s}" for item in found) + "   band")
    for row in zip(*(item.verdicts for item in found), strict=True):
        target = row[0].target
        print(
            f"{target.name:5s}{target.weight} {target.label + ', ' + target.unit:49s}"
            + "".join(f"{shown(item.value) + ' ' + MARKS[item.passed]:>{width}s}" for item in row)
            + (f"   {target.band[0]:g} to {target.band[1]:g}" if target.happens else "   does not happen")
        )
    for key, label in SHOWN:
        print(f"{label:56s}" + "".join(f"{shown(item.endpoints.get(key)):>{width}s}" for item in found))
    for item in found:
        for weight in ("A", "B"):
            judged = [v.passed for v in item.verdicts if v.target.weight == weight and v.passed is not None]
            if judged:
                print(f"{item.label}: {sum(judged)} of {len(judged)} rows of weight {weight} in their band")
    for item in found:
        print(f"\n{item.label}")
        for organ, numbers in item.organs.items():
            print(f"  {organ:14s}" + "  ".join(f"{key} {shown(value)}" for key, value in numbers.items()))


def print_extinction(found: list[Found], factors: Sequence[float]) -> None:
    """How many are extinct at each access, and against the killing integral where that was asked for."""
    for factor in factors:
        own = [item for item in found if item.label.startswith(f"access/{factor:g} ")]
        extinct = sum(item.endpoints["day_autoreactive_extinct"] is not None for item in own)
        line = f"access / {factor:g}: {extinct} of {len(own)} extinct"
        expected = [item.expected_survivors for item in own if item.expected_survivors is not None]
        if expected:
            chance = float(np.mean(np.exp(-np.array(expected))))
            share = min(max(extinct / len(own), 0.5 / len(own)), 1 - 0.5 / len(own))
            line += (
                f"; mean of exp(-sum A0 exp(-Lambda)) {chance:.3f}; exponents {-np.log(share):.3g} seen, "
                f"{np.mean(expected):.3g} expected"
            )
        print(line)


def told(item: Found) -> Found:
    """The run itself, after a line about it on stderr."""
    print(
        f"{item.label}: extinct on day {shown(item.endpoints['day_autoreactive_extinct'])}", file=sys.stderr
    )
    return item


def numbers(text: str) -> list[float]:
    """``1,2.5,10``."""
    return [float(item) for item in text.split(",")]


def seeds(text: str) -> list[int]:
    """``1,2`` or ``1-40``."""
    first, dash, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if dash else [int(item) for item in text.split(",")]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="a config, shipped or a file")
    parser.add_argument("--seeds", type=seeds, default=[1], help="seeds of the typical patient")
    parser.add_argument("--patients", type=int, default=0, help="virtual patients instead")
    parser.add_argument("--draw-seed", type=int, default=1, help="seed of their parameters")
    parser.add_argument(
        "--access", type=numbers, default=[1.0], help="divide the entry of CAR T cells by these"
    )
    parser.add_argument(
        "--end", type=float, default=None, help="last day (730; 60 with --patients or --lambda)"
    )
    parser.add_argument(
        "--lambda", dest="want_lambda", action="store_true", help="against the killing integral"
    )
    parser.add_argument("--fine", action="store_true", help="the voxels of the config")
    parser.add_argument("--coarser", type=float, default=1.0, help="multiply the edges of the coarse voxels")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], help="a change of the config")
    arguments = parser.parse_args()
    if arguments.end is None:
        arguments.end = 60.0 if arguments.patients or arguments.want_lambda else 730.0
    chosen = jobs(arguments)
    if arguments.processes > 1 and len(chosen) > 1:
        os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # a run per processor is faster than two runs on both
        with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
            found = [told(item) for item in pool.map(run, chosen)]
    else:
        found = [told(run(job)) for job in chosen]
    if arguments.patients or arguments.want_lambda:
        print_extinction(found, arguments.access)
    else:
        print_courses(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())

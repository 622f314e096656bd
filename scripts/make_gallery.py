"""Make the pictures of docs/gallery from the shipped configs.

    python scripts/make_gallery.py [--runs FOLDER] [--spacing "2 mm"]

Runs already finished in FOLDER are used again; a coarser spacing makes a quick preview.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tissuesim.run import Run, read_status
from tissuesim.scenario import load
from tissuesim.simulation import Simulation
from tissuesim.viz.discreteness import plot_discreteness
from tissuesim.viz.render import panel
from tissuesim.viz.timeseries import plot_timeseries

ROOT = Path(__file__).resolve().parents[1]
GALLERY = ROOT / "docs" / "gallery"


def finished(name: str, runs: Path, spacing: str) -> Run:
    """The run of a shipped config, made now if it is not there."""
    folder = runs / f"{name}-{spacing.replace(' ', '')}"
    if not (folder / "status.json").is_file() or read_status(folder)["status"] != "finished":
        simulation = Simulation(load(name, (f"organs.kidney.spacing={spacing}",)))
        simulation.create_run(out=folder)
        result = simulation.run()
        print(f"{name}: {result.steps} steps, {result.wall_seconds:.0f} s, {result.endpoints}")
    return Run(folder)


def main() -> None:
    """Make every picture of the gallery."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "gallery")
    parser.add_argument("--spacing", default="2 mm")
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    GALLERY.mkdir(parents=True, exist_ok=True)
    healed = finished("kidney_car_t", options.runs, options.spacing)
    print(panel(healed, [-1, 9, 90], "kidney", out=GALLERY / "kidney_healing.png"))
    print(plot_timeseries(healed, out=GALLERY / "course.png"))
    whole, expected = (
        finished(name, options.runs, options.spacing)
        for name in ("kidney_two_years", "kidney_two_years_expected")
    )
    print(plot_discreteness(whole, expected, out=GALLERY / "discreteness.png"))


if __name__ == "__main__":
    main()

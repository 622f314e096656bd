"""Make the pictures of docs/gallery from the shipped configs.

    python scripts/make_gallery.py [--runs FOLDER] [--spacing "2 mm"] [NAME ...]

Runs already finished in FOLDER are used again; a coarser spacing makes a quick preview.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tissuesim.run import Run, read_status
from tissuesim.scenario import load
from tissuesim.simulation import Simulation
from tissuesim.viz.discreteness import plot_discreteness
from tissuesim.viz.plots.figures import plot_group
from tissuesim.viz.plots.killing import plot_killing
from tissuesim.viz.plots.last_cell import plot_last_cell
from tissuesim.viz.render import compare, panel, render_run
from tissuesim.viz.timeseries import plot_timeseries

ROOT = Path(__file__).resolve().parents[1]
GALLERY = ROOT / "docs" / "gallery"
WIDEST = 1600  # pixels
MOST_COLORS = 20_000  # a picture with more is no plot, and a palette would show in it


def finished(name: str, runs: Path, spacing: str) -> Run:
    """The run of a shipped config, made now if it is not there."""
    folder = runs / f"{name}-{spacing.replace(' ', '')}"
    if not (folder / "status.json").is_file() or read_status(folder)["status"] != "finished":
        changes = (f"organs.kidney.spacing={spacing}",) if name.startswith("kidney") else ()
        simulation = Simulation(load(name, changes))
        simulation.create_run(out=folder)
        result = simulation.run()
        print(f"{name}: {result.steps} steps, {result.wall_seconds:.0f} s, {result.endpoints}")
    return Run(folder)


def small(path: Path) -> None:
    """Make a PNG of the gallery small: no wider than a page, and a plot, which has few colors, in few colors."""
    from PIL import Image

    with Image.open(path) as opened:
        image = opened.convert("RGB")
    if image.width > WIDEST:
        size = (WIDEST, round(image.height * WIDEST / image.width))
        image = image.resize(size, Image.Resampling.LANCZOS)
    few = image.getcolors(MOST_COLORS) is not None
    (image.quantize(256, dither=Image.Dither.NONE) if few else image).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} kB")


def main() -> None:
    """Make every picture of the gallery, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "gallery")
    parser.add_argument("--spacing", default="2 mm")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PICTURES)}; default all")
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    GALLERY.mkdir(parents=True, exist_ok=True)
    for name in options.names or PICTURES:
        draw, configs = PICTURES[name]
        runs = [finished(config, options.runs, options.spacing) for config in configs]
        draw(*runs, GALLERY / f"{name}.png")
        small(GALLERY / f"{name}.png")


PICTURES: dict[str, tuple[Callable[..., object], tuple[str, ...]]] = {
    "kidney_healing": (
        lambda run, out: panel(run, [-1, 9, 90], "kidney", out=out),
        ("kidney_car_t",),
    ),
    "course": (plot_timeseries, ("kidney_car_t",)),
    "blood": (lambda run, out: plot_group(run, "blood", out), ("kidney_car_t",)),
    "clinical": (lambda run, out: plot_group(run, "clinical", out), ("kidney_car_t",)),
    "killing": (lambda run, out: plot_killing(run, "kidney", out), ("kidney_car_t",)),
    "last_cell": (lambda run, out: plot_last_cell(run, "kidney", out), ("kidney_car_t",)),
    "treated_untreated": (
        lambda run, other, out: compare(run, other, [0, 90], "kidney", out=out),
        ("kidney_car_t", "kidney_untreated"),
    ),
    "patient": (
        lambda run, out: render_run(run, [9], out=out),
        ("sle_car_t",),
    ),
    "discreteness": (plot_discreteness, ("kidney_two_years", "kidney_two_years_expected")),
}


if __name__ == "__main__":
    main()

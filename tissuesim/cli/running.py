"""Commands that compute: run and resume."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .interrupt import interruptible
from .options import Backend, Json, RunFolder
from .printing import print_json
from .progress import progress_of
from .showing import write_page

if TYPE_CHECKING:
    from tissuesim.simulation import RunResult

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one key, such as organs.kidney.spacing='4 mm'."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no table.")]


def run(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="Run config, or the name of a shipped one.")
    ],
    sets: Set = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of this run; default runs/<name>-<time>-<hash>.")
    ] = None,
    backend: Backend = None,
    seed: Annotated[str | None, typer.Option(help="Seed of the random numbers.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
    report: Annotated[bool, typer.Option("--report", help="Write RUN/report.html at the end.")] = False,
) -> None:
    """Run a config: a whole virtual patient, from blood to organ."""
    from tissuesim.config import load_config

    changes = [
        *(sets or []),
        *([f"backend={backend}"] if backend else []),
        *([f"seed={seed}"] if seed else []),
    ]
    settings = load_config(config, changes)  # before the slow imports: bad input is told at once

    from tissuesim.scenario import build_scenario, organ_lines
    from tissuesim.simulation import Simulation

    scenario = build_scenario(settings)
    if not (quiet or as_json):
        print(*organ_lines(scenario), sep="\n")
    simulation = Simulation(scenario, backend=settings.backend)
    if not (quiet or as_json):
        print(f"Backend: {simulation.backend.reason}")
    folder = simulation.create_run(out=out)
    with interruptible(folder) as interrupt, progress_of(quiet or as_json, interrupt) as progress:
        result = simulation.run(progress=progress)
    page = write_page(result.run) if report else None
    print_result(result, quiet, as_json, page)


def resume(folder: RunFolder, backend: Backend = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Go on with a run that was interrupted: the result is the same as if it had not been."""
    from tissuesim.simulation import resume as resume_run

    with interruptible(folder) as interrupt, progress_of(quiet or as_json, interrupt) as progress:
        result = resume_run(folder, backend=backend, progress=progress)
    print_result(result, quiet, as_json)


def print_result(result: RunResult, quiet: bool, as_json: bool, page: Path | None = None) -> None:
    """Print how a run ended: one object, its folder alone, or endpoints and what to type next."""
    facts: dict[str, Any] = {
        "run": str(result.run),
        "status": result.status,
        "wall_seconds": round(result.wall_seconds, 3),
        "steps": result.steps,
        "voxels": result.voxels,
        "backend": result.backend,
        "endpoints": dict(result.endpoints),
    }
    if page is not None:
        facts["report"] = str(page)
    if as_json:
        print_json(facts)
    elif quiet:
        print(facts["run"])
    else:
        from tissuesim.run.table import print_outcome, read_resets

        print_outcome(result.endpoints, read_resets(result.run))
        size = f"{result.steps} steps, {result.voxels} voxels, {result.backend}"
        print(f"{result.status} in {result.wall_seconds:.1f} s: {size}")
        print(f"Run folder: {facts['run']}")
        print(f"Pictures:   tissuesim render {facts['run']}")
        print(f"Report:     {page or f'tissuesim report {result.run}'}")

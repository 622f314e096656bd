"""The ``tissuesim`` command: options in, one sentence out where something is wrong. No logic of its own.

Exit codes: 0 done, 1 a check of verify or doctor failed, 2 bad input, 3 the solver refused to go on, 130 interrupted.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tissuesim.errors import InputError, NumericsError

if TYPE_CHECKING:
    from tissuesim.simulation import RunResult

EXIT_FAILED_CHECK, EXIT_INPUT, EXIT_NUMERICS, EXIT_INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="tissuesim",
    help="Inflamed organs in three dimensions, healed by cells.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one key, such as organs.kidney.spacing='4 mm'."),
]
Backend = Annotated[str | None, typer.Option(help="auto, numpy, numba or cuda.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no table.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")]
Against = Annotated[
    list[Path] | None,
    typer.Option(metavar="RUN", help="Another run, drawn beside it; may be given again."),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; bad input ends with one sentence on stderr and exit code 2."""
    try:
        app(args=None if arguments is None else list(arguments))
    except InputError as error:
        _stop(f"Error: {error}", EXIT_INPUT)
    except NumericsError as error:
        _stop(f"Error: the solver stopped: {error}", EXIT_NUMERICS)


@app.command()
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
    with _interruptible(folder) as interrupt, _progress(quiet or as_json, interrupt) as progress:
        result = simulation.run(progress=progress)
    page = _write_report(result.run) if report else None
    _report(result, quiet, as_json, page)


@app.command()
def resume(folder: RunFolder, backend: Backend = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Go on with a run that was interrupted: the result is the same as if it had not been."""
    from tissuesim.simulation import resume as resume_run

    with _interruptible(folder) as interrupt, _progress(quiet or as_json, interrupt) as progress:
        result = resume_run(folder, backend=backend, progress=progress)
    _report(result, quiet, as_json)


@app.command()
def render(
    folder: RunFolder,
    organ: Annotated[str | None, typer.Option(help="Organ; default the first one of the run.")] = None,
    field: Annotated[str | None, typer.Option(help="Field to show; default inflammation.")] = None,
    day: Annotated[
        str | None, typer.Option(metavar="DAYS", help="Days, such as 0,14,90; default a few.")
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(help="cut, iso, section, explode or patient; default cut, of several organs patient."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="OTHER_RUN", help="Draw the run beside this one, with one scale.")
    ] = None,
    movie: Annotated[bool, typer.Option("--movie", help="Write a movie instead, as MP4 and GIF.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Follow a run that goes on: live.png, until it ends.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the pictures; default RUN/pictures.")] = None,
) -> None:
    """Draw a run: the organ on chosen days, and the course of blood and tissue over time."""
    draw = import_module("tissuesim.viz.command").draw
    chosen = {"organ": organ, "field": field, "view": view, "against": against, "out": out}
    for line in draw(folder, days=None if day is None else _days(day), movie=movie, live=live, **chosen):
        print(line, flush=True)


@app.command()
def readouts(folder: RunFolder, as_json: Json = False) -> None:
    """Work out the clinical readouts and endpoints of a run, finished or not, and write its readouts.csv."""
    from tissuesim.run import Run, write_readouts
    from tissuesim.run.table import print_outcome

    patient = Run(folder)
    path = write_readouts(patient.path, patient.totals["time"].values, patient.clinic.readouts)
    if as_json:
        _print_json({"run": str(folder), "endpoints": patient.endpoints, "readouts": str(path)})
    else:
        print_outcome(patient.endpoints, patient.resets)
        print(path)


@app.command()
def verify(
    quick: Annotated[bool, typer.Option("--quick", help="Coarser grids and fewer samples.")] = False,
    as_json: Json = False,
) -> None:
    """Hold the solver to closed forms, exact stochastic simulation and conservation."""
    from tissuesim.verification import scorecard
    from tissuesim.verification.saved import save_scorecard

    checks = scorecard(quick=quick)
    save_scorecard(checks, quick=quick)
    if as_json:
        keys = ("name", "theory", "measured", "tolerance", "passed")
        rows = [{key: getattr(check, key) for key in keys} for check in checks]
        _print_json({"passed": all(check.passed for check in checks), "checks": rows})
    else:
        _table(
            ("check", "theory", "measured", "tolerance", ""),
            [
                (
                    check.name,
                    check.theory,
                    check.measured,
                    check.tolerance,
                    "pass" if check.passed else "FAIL",
                )
                for check in checks
            ],
        )
    if not all(check.passed for check in checks):
        raise typer.Exit(EXIT_FAILED_CHECK)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Try out all that a run needs on this machine, and give the line that mends what is wrong."""
    from rich.console import Console

    from tissuesim.doctor import examine, passed

    with Console(stderr=True).status("Trying everything out"):
        rows = examine()
    if as_json:
        _print_json({"passed": passed(rows), "checks": [asdict(row) for row in rows]})
    else:
        from tissuesim.doctor.table import print_table

        print_table(rows)
    if not passed(rows):
        raise typer.Exit(EXIT_FAILED_CHECK)


@app.command()
def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="Small cases and fewer repeats: about a minute.")
    ] = False,
    as_json: Json = False,
    backend: Backend = None,
    sections: Annotated[
        list[str] | None, typer.Option("--section", help="Only this section; may be given again.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the report as JSON to this file.")] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Stored ratios; exit code 1 if one fell by more than 30 %.")
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="Draw how time scales into this folder.")] = None,
) -> None:
    """Measure the operators and a whole step against a copy, and against other programs that are installed."""
    from tissuesim.bench.command import measure

    report, fallen = measure(
        backend or "auto", quick, sections, compare, lambda line: print(line, file=sys.stderr, flush=True)
    )
    if out is not None:
        out.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if as_json:
        _print_json(report)
    else:
        from tissuesim.bench.table import print_table

        print_table(report)
    if plots is not None:
        for path in import_module("tissuesim.bench.plot").plot_scaling(report, plots):
            print(path, file=sys.stderr)
    if fallen:
        _stop("\n".join(["These ratios fell by more than 30 %:", *fallen]), EXIT_FAILED_CHECK)


@app.command()
def mesh(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Surface, label volume or volume mesh.")],
    spacing: Annotated[str, typer.Option(help="Edge of a voxel, such as 1mm.")] = "1 mm",
    units: Annotated[
        str | None, typer.Option(help="Length unit of the file: m, cm, mm or um; default guessed.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NUMBER=NAME", help="Region of a label; others are left out; may be given again."
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATTERN,...", help="Parts of a region, by name; may be given again."),
    ] = None,
    voxel_size: Annotated[
        str | None, typer.Option(help="Voxel of a TIFF stack, such as 10um or 10um,10um,50um.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the organ.")] = "",
    as_json: Json = False,
    out: Annotated[Path | None, typer.Option(help="Save the tissue: .npz or .zarr.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the tissue, or its open edges, as PNG.")] = None,
) -> None:
    """Import a file and report what was mended, what became of each region, and what a run would cost."""
    from tissuesim.anatomy.mesh_command import import_file

    report = import_file(file, spacing, units, label or (), region or (), voxel_size, name, out, picture)
    if as_json:
        _print_json(report)
    else:
        from tissuesim.anatomy.quality_table import print_report

        print_report(report)


@app.command()
def models(
    name: Annotated[
        str | None, typer.Argument(help="Shipped model or model file; without it, a list.")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print the equations as LaTeX.")] = False,
    table: Annotated[
        bool,
        typer.Option("--table", help="Print every parameter (CSV): value, unit, range, source, grade."),
    ] = False,
) -> None:
    """List the shipped models, or print one as a tree, as equations or as the table of its parameters."""
    from tissuesim.model import Model, shipped_models

    if table:
        from tissuesim.model.table import HEADER, as_csv, parameter_rows

        chosen = shipped_models() if name is None else (name,)
        rows = [(model, *row) for model in chosen for row in parameter_rows(Model.load(model))]
        if name is None:
            from tissuesim.config.constants import constant_rows
            from tissuesim.config.disease_rows import disease_rows
            from tissuesim.config.treatment_file import treatment_rows
            from tissuesim.readouts.catalogue import catalogue_rows

            rows += [*treatment_rows(), *constant_rows(), *disease_rows(), *catalogue_rows()]
        print(as_csv(rows, ("model", *HEADER)), end="")
        return
    if name is None:
        for shipped in shipped_models():
            print(f"{shipped}: {' '.join(Model.load(shipped).description.split())}")
        return
    model = Model.load(name)
    print(model.to_latex() if latex else model)


@app.command()
def organs(
    name: Annotated[
        str | None, typer.Argument(help="Built-in organ or patch to build; without it, a list.")
    ] = None,
    spacing: Annotated[
        float | None, typer.Option(help="Edge of a voxel in mm; default what the organ is meant for.")
    ] = None,
) -> None:
    """List the built-in organs and patches, or build one and print its voxels, regions and maps."""
    from tissuesim.anatomy import CATALOGUE, build_tissue

    if name is None:
        for key, entry in CATALOGUE.items():
            print(f"{key} ({entry.kind}, {entry.spacing:g} mm voxels): {entry.summary}")
        return
    if name not in CATALOGUE:
        from tissuesim.errors import nearest

        raise InputError(
            f"'{name}' is no built-in organ ({', '.join(CATALOGUE)}){nearest(name, CATALOGUE)}; "
            "a file is read by: tissuesim mesh FILE"
        )
    print(build_tissue(name, name, spacing or CATALOGUE[name].spacing))
    sizes = ", ".join(f"{size} {default:g}" for size, default in CATALOGUE[name].sizes(name).items())
    print(f"sizes (organs.<name>.shape): {sizes}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a run config, for editors that check YAML."""
    from tissuesim.config import json_schema

    _print_json(json_schema(), indent=2)


@app.command()
def plot(
    folder: RunFolder,
    against: Against = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the figures; default RUN/pictures.")] = None,
) -> None:
    """Draw what was measured: blood, antibodies, cytokines, scores, organs, and where cells were killed."""
    for path in import_module("tissuesim.viz.plots.figures").plot_all(folder, out, against or ()):
        print(path)


@app.command()
def report(
    folder: RunFolder,
    against: Against = None,
    out: Annotated[
        Path | None, typer.Option(help="HTML file, or folder for it; default RUN/report.html.")
    ] = None,
) -> None:
    """Write one page on a run: what was run, what happened, how sure that is, how to do it again."""
    print(_write_report(folder, against or (), out))


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from tissuesim import __version__

        print(__version__)
        raise typer.Exit


def _days(text: str) -> list[float]:
    """Return the days of a text such as ``0,14,90``."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--day: '{text}' is no list of days such as 0,14,90") from None


@dataclass
class _Interrupt:
    """Whether somebody wants the run to stop; it then stops between two steps."""

    requested: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; the second one stops at once."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        print("Stopping after this step (once more: at once)", file=sys.stderr)


@contextmanager
def _interruptible(folder: Path) -> Iterator[_Interrupt]:
    """Ctrl-C, or the termination signal of a cluster, ends a run with the way to go on."""
    interrupt = _Interrupt()
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    except KeyboardInterrupt:
        _stop(f"Interrupted. Go on with: tissuesim resume {folder}", EXIT_INTERRUPTED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(silent: bool, interrupt: _Interrupt) -> Iterator[Callable[[float, float, float, float], None]]:
    """Give the callback of a run: a progress bar on stderr unless silent, and the way to interrupt."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("day {task.fields[day]:7.1f}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[rate]:.2e} voxel-updates/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=60.0, disable=silent)
    with bar:
        task = bar.add_task("run", total=1.0, day=0.0, rate=0.0)

        def show(day: float, end_day: float, start_day: float, voxel_updates_per_second: float) -> None:
            done = (day - start_day) / (end_day - start_day)
            bar.update(task, completed=done, day=day, rate=voxel_updates_per_second)
            if interrupt.requested:
                raise KeyboardInterrupt

        yield show


def _write_report(folder: Path, against: Sequence[Path] = (), out: Path | None = None) -> Path:
    from tissuesim.verification.saved import saved_scorecard

    page: Path = import_module("tissuesim.viz.report.build").write_report(
        folder, out, against, saved_scorecard()
    )
    return page


def _report(result: RunResult, quiet: bool, as_json: bool, page: Path | None = None) -> None:
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
        _print_json(facts)
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


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table)


def _print_json(content: Any, indent: int | None = None) -> None:
    print(json.dumps(content, indent=indent, allow_nan=False))


def _stop(message: str, code: int) -> None:
    sys.stdout.flush()
    print(message, file=sys.stderr)
    raise SystemExit(code)

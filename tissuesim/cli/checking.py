"""Commands that check: verify, doctor and bench."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from .options import EXIT_FAILED_CHECK, Backend, Json
from .printing import print_json, print_rows, stop


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
        print_json({"passed": all(check.passed for check in checks), "checks": rows})
    else:
        print_rows(
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


def doctor(as_json: Json = False) -> None:
    """Try out all that a run needs on this machine, and give the line that mends what is wrong."""
    from rich.console import Console

    from tissuesim.doctor import examine, passed

    with Console(stderr=True).status("Trying everything out"):
        rows = examine()
    if as_json:
        print_json({"passed": passed(rows), "checks": [asdict(row) for row in rows]})
    else:
        from tissuesim.doctor.table import print_table

        print_table(rows)
    if not passed(rows):
        raise typer.Exit(EXIT_FAILED_CHECK)


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
        print_json(report)
    else:
        from tissuesim.bench.table import print_table

        print_table(report)
    if plots is not None:
        for path in import_module("tissuesim.bench.plot").plot_scaling(report, plots):
            print(path, file=sys.stderr)
    if fallen:
        stop("\n".join(["These ratios fell by more than 30 %:", *fallen]), EXIT_FAILED_CHECK)

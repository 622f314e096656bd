"""The ``tissuesim`` command: options in, one sentence out where something is wrong. No logic of its own.

Exit codes: 0 done, 1 a check of verify or doctor failed, 2 bad input, 3 the solver refused to go on, 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from tissuesim.errors import InputError, NumericsError

from .checking import bench, doctor, verify
from .describing import mesh, models, organs, schema
from .options import EXIT_INPUT, EXIT_NUMERICS
from .printing import stop
from .running import resume, run
from .showing import plot, readouts, render, report

__all__ = ["app", "main"]

COMMANDS = (  # in the order of --help
    run, resume, render, readouts, plot, report, mesh, organs, models, schema, verify, doctor, bench,
)  # fmt: skip

app = typer.Typer(
    name="tissuesim",
    help="Inflamed organs in three dimensions, healed by cells.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in COMMANDS:
    app.command()(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; bad input ends with one sentence on stderr and exit code 2."""
    try:
        app(args=None if arguments is None else list(arguments))
    except InputError as error:
        stop(f"Error: {error}", EXIT_INPUT)
    except NumericsError as error:
        stop(f"Error: the solver stopped: {error}", EXIT_NUMERICS)


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from tissuesim import __version__

        print(__version__)
        raise typer.Exit

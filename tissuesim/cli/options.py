"""Options that several commands have, and the exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXIT_FAILED_CHECK, EXIT_INPUT, EXIT_NUMERICS, EXIT_INTERRUPTED = 1, 2, 3, 130

Backend = Annotated[str | None, typer.Option(help="auto, numpy, numba or cuda.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")]

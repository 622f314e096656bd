"""What commands print: JSON, tables, and the last sentence before an exit."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn


def print_rows(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table on stdout."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table)


def print_json(content: Any, indent: int | None = None) -> None:
    """Print one JSON object; numbers that are not finite raise ValueError."""
    print(json.dumps(content, indent=indent, allow_nan=False))


def stop(message: str, code: int) -> NoReturn:
    """Print a sentence on stderr and end with an exit code."""
    sys.stdout.flush()
    print(message, file=sys.stderr)
    raise SystemExit(code)

"""A report as a table that a person reads: one block per section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("", "where", "fields", "time", "per update", "updates/s", "moved", "of copy", "theirs / ours", "")

DISTURBED = 0.3
"""Cores used by others, from which a reader is told."""


def print_table(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the report, section by section."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    console = console or Console()
    console.print(headline(report["machine"]))
    sections = dict.fromkeys(row["section"] for row in report["rows"])
    for section in sections:
        table = Table(title=section, title_justify="left", title_style="bold", box=SIMPLE, pad_edge=False)
        for place, column in enumerate(COLUMNS):
            number = 3 <= place <= 8
            table.add_column(column, justify="right" if number else "left", no_wrap=number)
        for row in report["rows"]:
            if row["section"] == section:
                table.add_row(*cells(row))
        console.print(table)
    disturbed = [row for row in report["rows"] if row.get("others", 0.0) > DISTURBED]
    if disturbed:
        console.print(
            f"Other programs used more than {DISTURBED:g} cores during {len(disturbed)} of {len(report['rows'])} "
            "lines: their times are longer than they need be."
        )


def headline(machine: Mapping[str, Any]) -> str:
    """One line on the machine."""
    threads = f", {machine['threads']} threads" if "threads" in machine else ""
    return f"{machine.get('device', machine['processor'])}{threads}, backend {machine['backend']}"


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of one line; what does not apply stays empty."""
    name = f"{row['name']} {row['version']}" if "version" in row else row["name"]
    fields = f"{row['fields']} {row['precision']}" if "fields" in row else ""
    ratio = f"{row['ratio']:.2f} x" if "ratio" in row else ""
    each = f"{row['seconds'] / row['updates'] * 1e9:.3f} ns" if "seconds" in row and "updates" in row else ""
    return (
        name,
        row.get("place", ""),
        fields,
        time_text(row["seconds"]) if "seconds" in row else "",
        each,
        f"{row['updates_per_second']:.2e}" if "updates_per_second" in row else "",
        f"{row['bytes_per_second'] / 1e9:.1f} GB/s" if "bytes_per_second" in row else "",
        f"{row['fraction_of_copy']:.0%}" if "fraction_of_copy" in row else "",
        ratio,
        row.get("note", ""),
    )


def time_text(seconds: float) -> str:
    """A time with its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"

"""The quality report as a person reads it, in 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_MOST_ROWS = 30  # of parts; the rest are counted


def print_report(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the report: facts, how parts were mended, regions, warnings."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    facts = Table.grid(padding=(0, 2))
    for key, value in _facts(report):
        facts.add_row(Text(key, style="bold"), Text(value))
    console.print(facts)
    parts = [part for part in report["parts"] if "mended" in part]
    if parts:
        own = len({part["region"] for part in parts}) == len(parts)  # each part a region: its name says it
        keys = ("name", "mended") if own else ("name", "region", "mended")
        table = Table("part", *(() if own else ("region",)), "", box=SIMPLE, pad_edge=False)
        for part in parts[:_MOST_ROWS]:
            table.add_row(*(Text(str(part[key])) for key in keys))
        console.print(table)
        if len(parts) > _MOST_ROWS:
            console.print(f"and {len(parts) - _MOST_ROWS} parts more (all of them with --json)")
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("region", overflow="fold")
    for heading in ("file mL", "voxels mL", "error", "voxels", "thin"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report["regions"]:
        table.add_row(*_region_cells(row))
    table.add_section()
    volume = report["volume"]
    table.add_row("all", *_numbers(volume), f"{report['voxels']:,}", "")
    console.print(table)
    console.print(Text("thin: share of a region's volume where it is thinner than two voxels", style="dim"))
    for warning in report["warnings"]:
        console.print(Padding(Text(f"Warning: {warning}", style="yellow"), (0, 0)))


def _facts(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    low, high = report["bounding_box_mm"] or ((0, 0, 0), (0, 0, 0))
    size = " x ".join(f"{b - a:.4g}" for a, b in zip(low, high, strict=True))
    corners = " to ".join("(" + ", ".join(f"{value:.4g}" for value in corner) + ")" for corner in (low, high))
    cost = report["estimate"]
    sound = {True: "yes", False: "no, mended as below", None: "does not apply"}[report["watertight"]]
    pieces = f"{report['components']}, {report['loose_volume_ml']:.3g} mL outside the largest"
    box = " x ".join(map(str, report["box"]))
    time = f"{_seconds(cost['seconds_per_simulated_day'])} per simulated day"
    return [
        ("file", f"{report['file']}, {report['kind']}"),
        ("units", report["units"]),
        ("bounding box", f"{size} mm, {corners}"),
        ("watertight", sound),
        ("regions", report["regions_by"]),
        ("vessels", _vessels(report)),
        ("volume", f"{report['volume']['file_ml']:.4g} mL, {report['volume']['reference']}"),
        ("voxels", f"{report['voxels']:,} of {report['spacing_mm']:g} mm in a box of {box}"),
        ("components", pieces),
        ("estimate", f"{_megabytes(cost['memory_mb'])} and {time}, the shipped model on two cores"),
        ("", "(an estimate, scaled from a measured run)"),
    ]


def _vessels(report: Mapping[str, Any]) -> str:
    places = report["vessels_enter_mm"]
    if not places:
        return "no tree: too thin for the lattice on which entries are found"
    shown = ", ".join("(" + ", ".join(f"{value:.4g}" for value in place) + ")" for place in places)
    return f"enter at {shown} mm, {report['vessels']}"


def _region_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (row["name"], *_numbers(row), f"{row['voxels']:,}", f"{row['thin_share']:.0%}")


def _numbers(row: Mapping[str, Any]) -> tuple[str, str, str]:
    file, error = row["file_ml"], row["error"]
    return (
        "-" if file is None else f"{file:.4g}",
        f"{row['voxels_ml']:.4g}",
        "-" if error is None else f"{error:+.2%}" if abs(error) >= 5e-5 else "0.00%",
    )


def _megabytes(value: float) -> str:
    return f"{value / 1000:.1f} GB" if value >= 1000 else f"{max(value, 1):.0f} MB"


def _seconds(value: float) -> str:
    return f"{value / 60:.1f} min" if value >= 120 else f"{value:.2g} s"

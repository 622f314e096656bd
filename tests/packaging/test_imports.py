"""Imports point downwards, and libraries are imported where they are used."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAPPED = {name: ROOT / folder for name, folder in PROJECT["tool"]["setuptools"]["package-dir"].items()}

# Who may import whom, directly; what those import may be imported too. docs/architecture.md has it in words.
EVERYWHERE = {"errors", "units", "ticks"}
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "units": {"errors"},
    "ticks": set(),
    "config": set(),
    "tissue": set(),
    "anatomy": {"tissue"},
    "model": set(),
    "numerics": {"model", "codegen"},
    "codegen": {"model"},
    "kernels": set(),
    "treatment": {"model", "config"},
    "systemic": {"model", "numerics", "codegen", "backends"},
    "backends": {"codegen", "kernels", "numerics", "tissue"},
    "readouts": {"model"},
    "run": {"model", "tissue", "readouts"},
    "simulation": {"backends", "run", "systemic", "treatment", "readouts", "config", "scenario"},
    "scenario": {"config", "anatomy", "treatment", "model", "codegen"},
    "verification": {"simulation", "scenario", "anatomy", "config"},
    "viz": {"run", "tissue"},
    "configs": set(),
    "cli": {"verification", "simulation", "scenario", "config", "model", "run"},
    "__init__": {"config", "model", "run", "scenario", "simulation", "tissue"},
    "__main__": {"cli"},
}


def below(room: str) -> set[str]:
    """Return every room that a room may import: its own list and, downwards, those of the rooms in it."""
    found: set[str] = set()
    open_rooms = [room]
    while open_rooms:
        for inner in ROOMS[open_rooms.pop()] - found:
            found.add(inner)
            open_rooms.append(inner)
    return found


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms of tissuesim that a file names in its import statements, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("tissuesim.")}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            parts = node.module.split(".")
            if parts[0] == "tissuesim":
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found - {"__version__"}


def source_files() -> list[tuple[str, Path]]:
    """Return (room, file) of every source file."""
    files = []
    for name, top in MAPPED.items():
        for path in sorted(top.rglob("*.py")):
            parts = (*name.split(".")[1:], *path.relative_to(top).with_suffix("").parts)
            files.append((parts[0], path))
    return files


FILES = [pytest.param(room, path, id=str(path.relative_to(ROOT))) for room, path in source_files()]


@pytest.mark.parametrize(("room", "path"), FILES)
def test_imports_point_downwards(room: str, path: Path) -> None:
    """A room imports only rooms below it, so that each can be understood and tested without those above."""
    forbidden = imported_rooms(path) - (below(room) | EVERYWHERE | {room})
    assert not forbidden, f"{path.relative_to(ROOT)} imports {sorted(forbidden)}"


def test_the_rooms_form_no_cycle() -> None:
    """The table itself points one way."""
    assert [room for room in ROOMS if room in below(room)] == []


def test_pictures_never_reach_into_a_simulation() -> None:
    """A picture is made from a run folder alone, so that every picture can be made again."""
    assert not below("viz") & {"simulation", "scenario", "backends", "systemic", "config"}


HEAVY = {
    *("pydantic", "pint", "zarr", "xarray", "pyvista", "vtk"),
    *("matplotlib", "rich", "typer", "yaml", "cupy", "scipy"),
}
AT_HOME = {"config": {"pydantic", "pydantic_core", "yaml"}, "cli": {"typer"}, "backends": {"cupy"}}


@pytest.mark.parametrize(("room", "path"), FILES)
def test_libraries_are_imported_where_they_are_used(room: str, path: Path) -> None:
    """The solver loads on a machine that has NumPy alone: other libraries are imported inside functions."""
    tree = ast.parse(path.read_text())
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    assert not (found & HEAVY) - AT_HOME.get(room, set())

"""Imports point downwards, and libraries are imported where they are used."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAPPED = {name: ROOT / folder for name, folder in PROJECT["tool"]["setuptools"]["package-dir"].items()}

# Who may import whom, directly; what those import may be imported too. docs/architecture.md has it in words.
EVERYWHERE = {"errors", "units", "ticks", "yaml_file", "cache_folder"}
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "units": {"errors"},
    "ticks": set(),
    "yaml_file": {"errors"},
    "cache_folder": set(),
    "config": set(),
    "tissue": set(),
    "anatomy": {"tissue", "config"},
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
    "disease": {"config", "model", "anatomy", "tissue"},
    "scenario": {"config", "anatomy", "treatment", "model", "codegen", "disease"},
    "verification": {"simulation", "scenario", "anatomy", "config"},
    "doctor": {"backends", "run"},
    "bench": {"simulation", "scenario", "backends", "codegen", "numerics", "tissue", "viz"},
    "viz": {"run", "tissue", "readouts"},
    "configs": set(),
    "cli": {"bench", "verification", "doctor", "simulation", "scenario", "config", "model", "run"},
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


Module = tuple[str, ...]
"""Name of a module in parts, such as ("tissuesim", "run", "reader")."""


def source_files() -> list[tuple[Module, Path]]:
    """Return (module, file) of every source file."""
    return [
        ((*name.split("."), *path.relative_to(top).with_suffix("").parts), path)
        for name, top in MAPPED.items()
        for path in sorted(top.rglob("*.py"))
    ]


def imported_modules(module: Module, statements: Iterable[ast.AST]) -> set[Module]:
    """Return the modules, in parts, that the statements of a module import."""
    found: set[Module] = set()
    for node in statements:
        if isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = module[: -node.level] if node.level else ()
            base = (*above, *(node.module.split(".") if node.module else ()))
            found |= {(*base, alias.name) for alias in node.names} if base == ("tissuesim",) else {base}
    return found


FILES = [pytest.param(module, path, id=str(path.relative_to(ROOT))) for module, path in source_files()]


@pytest.mark.parametrize(("module", "path"), FILES)
def test_imports_point_downwards(module: Module, path: Path) -> None:
    """A room imports only rooms below it, so that each can be understood and tested without those above."""
    imported = imported_modules(module, ast.walk(ast.parse(path.read_text())))
    rooms = {parts[1] for parts in imported if parts[0] == "tissuesim" and len(parts) > 1} - {"__version__"}
    room = module[1]
    assert not rooms - (below(room) | EVERYWHERE | {room})


def test_the_rooms_form_no_cycle() -> None:
    """The table itself points one way."""
    assert [room for room in ROOMS if room in below(room)] == []


def test_pictures_never_reach_into_a_simulation() -> None:
    """A picture is made from a run folder alone, so that every picture can be made again."""
    assert not below("viz") & {"simulation", "scenario", "backends", "systemic", "config"}


HEAVY = {
    *("pydantic", "pint", "zarr", "xarray", "pyvista", "vtk"),
    *("matplotlib", "rich", "typer", "yaml", "cupy", "scipy", "jinja2", "PIL"),
}
AT_HOME = {"config": {"pydantic", "pydantic_core", "yaml"}, "cli": {"typer"}, "backends": {"cupy"}}


@pytest.mark.parametrize(("module", "path"), FILES)
def test_libraries_are_imported_where_they_are_used(module: Module, path: Path) -> None:
    """The solver loads on a machine that has NumPy alone: other libraries are imported inside functions."""
    libraries = {parts[0] for parts in imported_modules(module, ast.parse(path.read_text()).body)}
    assert not (libraries & HEAVY) - AT_HOME.get(module[1], set())

"""`organ_from_file`: an organ from any file that can be imported, by the kind of file."""

from __future__ import annotations

from pathlib import Path

from tissuesim.errors import InputError, nearest

from . import surface
from .imported import organ_from_surface
from .organ import Organ
from .selection import ImportOptions

SUFFIXES = surface.SUFFIXES


def organ_from_file(path: str | Path, options: ImportOptions | None = None) -> Organ:
    """Return the organ in a surface file."""
    return organ_from_surface(path, options)


def contents(path: Path) -> bytes:
    """Return all bytes that decide what is imported, empty if there is no file."""
    return path.read_bytes() if path.is_file() else b""

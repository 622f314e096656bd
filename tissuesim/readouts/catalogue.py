"""The catalogue of clinical readouts and the constants of their mappings, from ``configs/readouts/clinical.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tissuesim.errors import InputError, nearest
from tissuesim.yaml_file import read_mapping

GRADES = ("C", "M", "A", "cal")
"""Read in the named source, quoted and not re-checked, assumed, calibrated."""

ORGAN = "<organ>."
"""What stands for the name of an organ in the names of the readouts that every organ has."""


@dataclass(frozen=True)
class Constant:
    """One number of a mapping, in the unit of the clinic, with where it comes from and how far it may be moved."""

    name: str
    label: str
    value: float
    unit: str
    range: tuple[float, float]
    source: str
    grade: str


@dataclass(frozen=True)
class Readout:
    """One thing a clinic would measure.

    ``range`` is that of the instrument, None where it is open. ``limits`` are named thresholds: of normal, of
    remission, of response. ``grade`` says how well the way to the number is known.
    """

    name: str
    label: str
    unit: str
    range: tuple[float | None, float | None]
    limits: dict[str, float]
    source: str
    grade: str


@dataclass(frozen=True)
class Catalogue:
    """All constants and readouts by name, in the order of the file."""

    constants: dict[str, Constant]
    readouts: dict[str, Readout]

    def values(self) -> dict[str, float]:
        """The constants as plain numbers."""
        return {name: constant.value for name, constant in self.constants.items()}


@cache
def load_catalogue() -> Catalogue:
    """The catalogue that comes with tissuesim."""
    return read_catalogue(_folder() / "clinical.yaml")


def catalogue_rows() -> list[tuple[str, ...]]:
    """One row per constant of the mappings: file, key, value, unit, range, grade, source, label."""
    return [
        (
            *("readouts/clinical", entry.name, f"{entry.value:g}", entry.unit),
            *(f"{entry.range[0]:g} to {entry.range[1]:g}", entry.grade, entry.source, entry.label),
        )
        for entry in load_catalogue().constants.values()
    ]


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue in a file.

    Raises:
        InputError: a key is missing or unknown, a value lies outside its range, a grade or a limit is not known.
    """
    data = read_mapping(path, keys="constants, readouts")
    constants = {
        name: _constant(name, entry, f"{path}: constants.{name}")
        for name, entry in data.get("constants", {}).items()
    }
    readouts = {
        name: _readout(name, entry, constants, f"{path}: readouts.{name}")
        for name, entry in data.get("readouts", {}).items()
    }
    return Catalogue(constants, readouts)


def describe(name: str, readouts: Mapping[str, Readout]) -> Readout | None:
    """The entry of a readout, also of one that belongs to an organ, such as ``kidney.b_cells``."""
    organ, dot, rest = name.partition(".")
    found = readouts.get(name)
    if found is not None or not dot or f"{ORGAN}{rest}" not in readouts:
        return found
    entry = readouts[f"{ORGAN}{rest}"]
    return Readout(
        name,
        f"{entry.label}, {organ.replace('_', ' ')}",
        entry.unit,
        entry.range,
        entry.limits,
        entry.source,
        entry.grade,
    )


def _constant(name: str, entry: Any, where: str) -> Constant:
    _need(entry, ("label", "value", "unit", "range", "source", "grade"), (), where)
    low, high = (float(bound) for bound in entry["range"])
    value = float(entry["value"])
    if not low <= value <= high:
        raise InputError(f"{where}.range: [{low:g}, {high:g}] does not contain the value {value:g}")
    return Constant(
        name, entry["label"], value, str(entry["unit"]), (low, high), entry["source"], entry["grade"]
    )


def _readout(name: str, entry: Any, constants: Mapping[str, Constant], where: str) -> Readout:
    _need(entry, ("label", "unit", "range", "source", "grade"), ("limits",), where)
    low, high = (None if bound is None else float(bound) for bound in entry["range"])
    limits = {}
    for key, given in entry.get("limits", {}).items():
        if isinstance(given, str) and given not in constants:
            raise InputError(
                f"{where}.limits.{key}: '{given}' is not one of the constants{nearest(given, constants)}"
            )
        limits[key] = constants[given].value if isinstance(given, str) else float(given)
    return Readout(
        name, entry["label"], str(entry["unit"]), (low, high), limits, entry["source"], entry["grade"]
    )


def _need(entry: Any, needed: tuple[str, ...], allowed: tuple[str, ...], where: str) -> None:
    if not isinstance(entry, dict):
        raise InputError(f"{where}: a mapping with {', '.join(needed)} is needed")
    for key in needed:
        if key not in entry:
            raise InputError(f"{where}.{key} is missing")
    known = (*needed, *allowed)
    for key in entry:
        if key not in known:
            raise InputError(
                f"{where}.{key}: unknown key{nearest(key, known)}; allowed are {', '.join(known)}"
            )
    if entry["grade"] not in GRADES:
        raise InputError(f"{where}.grade: '{entry['grade']}' is not one of {', '.join(GRADES)}")


def _folder() -> Path:
    """The folder of the shipped catalogue, installed or in a source checkout."""
    try:
        return Path(str(files("tissuesim.configs"))) / "readouts"
    except ModuleNotFoundError:  # a checkout on PYTHONPATH, where configs/ lies beside the package
        return Path(__file__).resolve().parents[2] / "configs" / "readouts"

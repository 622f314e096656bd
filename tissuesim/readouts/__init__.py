"""Clinical readouts: pure functions of the time series of a run."""

from typing import Any

from tissuesim.readouts.catalogue import Constant, Readout, describe, load_catalogue
from tissuesim.readouts.clinical import DISEASES, KINDS, Clinic, clinical
from tissuesim.readouts.endpoints import BASELINE_DAY, ENDPOINTS, RELAPSE, REMISSION, endpoints
from tissuesim.readouts.table import write_csv

CATALOGUE: dict[str, Readout]
"""Every readout by name; those of each organ as ``<organ>.b_cells`` (see ``describe``). Read when first asked for."""

CONSTANTS: dict[str, Constant]
"""The constants of the mappings by name."""


def __getattr__(name: str) -> Any:
    if name == "CATALOGUE":
        return load_catalogue().readouts
    if name == "CONSTANTS":
        return load_catalogue().constants
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "BASELINE_DAY",
    "CATALOGUE",
    "CONSTANTS",
    "DISEASES",
    "ENDPOINTS",
    "KINDS",
    "RELAPSE",
    "REMISSION",
    "Clinic",
    "Constant",
    "Readout",
    "clinical",
    "describe",
    "endpoints",
    "load_catalogue",
    "write_csv",
]

"""tissuesim: inflamed organs in three dimensions, blood, and the cells that heal them.

The public names below are imported on first use, so that ``import tissuesim`` is instant.

    import tissuesim as ts

    scenario = ts.load("configs/kidney_car_t.yaml")
    simulation = ts.Simulation(scenario, backend="auto")
    simulation.create_run()
    simulation.run()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tissuesim.errors import InputError, NumericsError
    from tissuesim.model import (
        Cells,
        Definition,
        Map,
        Model,
        Parameter,
        Pool,
        Process,
        Signal,
        Summary,
        TissueState,
    )
    from tissuesim.run import Run
    from tissuesim.scenario import Scenario, load
    from tissuesim.simulation import Simulation
    from tissuesim.tissue import Tissue

__version__ = "0.1.0"

_HOMES = {
    "Cells": "tissuesim.model",
    "Definition": "tissuesim.model",
    "InputError": "tissuesim.errors",
    "Map": "tissuesim.model",
    "Model": "tissuesim.model",
    "NumericsError": "tissuesim.errors",
    "Parameter": "tissuesim.model",
    "Pool": "tissuesim.model",
    "Process": "tissuesim.model",
    "Run": "tissuesim.run",
    "Scenario": "tissuesim.scenario",
    "Signal": "tissuesim.model",
    "Simulation": "tissuesim.simulation",
    "Summary": "tissuesim.model",
    "Tissue": "tissuesim.tissue",
    "TissueState": "tissuesim.model",
    "load": "tissuesim.scenario",
}

__all__ = [
    "Cells",
    "Definition",
    "InputError",
    "Map",
    "Model",
    "NumericsError",
    "Parameter",
    "Pool",
    "Process",
    "Run",
    "Scenario",
    "Signal",
    "Simulation",
    "Summary",
    "Tissue",
    "TissueState",
    "__version__",
    "load",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tissuesim' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

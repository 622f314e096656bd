"""A small model with one part of every kind, and the grammar as a Hypothesis strategy."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

PARAMETER = {"source": "Assumed", "grade": "A"}
SMALL: dict[str, Any] = {
    "name": "small",
    "description": "One signal, two cell types, one state, one pool.",
    "signals": {"il6": {"label": "IL-6", "unit": "pM", "diffusivity": "il6_diffusivity", "initial": 0}},
    "cells": {
        "t_cell": {
            "label": "T cell",
            "motility": "t_motility",
            "chemotaxis": "t_chemotaxis",
            "attractant": "il6",
            "half_saturation": "half_effect",
        },
        "b_cell": {"label": "B cell", "initial": "b_start * vessels"},
    },
    "states": {"damage": {"label": "Damage", "initial": "0.5"}},
    "pools": {"blood_t": {"label": "T cells in blood", "unit": "cell", "kind": "count", "initial": "dose"}},
    "maps": {"vessels": {"unit": "1", "default": 1}},
    "summaries": {
        "tissue_b": {"sum": "b_cell"},
        "mean_damage": {"mean": "damage", "over": ["cortex"]},
    },
    "definitions": {
        "kill_hazard": {"expression": "kill * t_cell / (half_kill + t_cell)", "label": "Killing hazard"},
        "gate": "mm(il6, half_effect) * vessels",
    },
    "parameters": {
        "il6_diffusivity": {
            **PARAMETER,
            "value": "30 um^2/s",
            "range": ["10 um^2/s", "100 um^2/s"],
            "regions": {"medulla": "15 um^2/s"},
        },
        "t_motility": {**PARAMETER, "value": "0.0144 mm^2/day"},
        "t_chemotaxis": {**PARAMETER, "value": "1 mm^2/day"},
        "half_effect": {**PARAMETER, "value": "10 pM"},
        "b_start": {**PARAMETER, "value": "100 cell/mm^3", "regions": {"medulla": "20 cell/mm^3"}},
        "dose": {**PARAMETER, "value": "7e7 cell"},
        "kill": {**PARAMETER, "value": "8 1/day", "variability": 0.3},
        "half_kill": {**PARAMETER, "value": "1000 cell/mm^3"},
        "entry": {**PARAMETER, "value": "1e-6 1/mm^3/day"},
        "secretion": {**PARAMETER, "value": "0.1 pM mm^3/cell/day"},
        "decay": {**PARAMETER, "formula": "kill / 4", "unit": "1/day"},
        "repair": {**PARAMETER, "formula": "decay ** 2 / kill", "unit": "1/day"},
    },
    "processes": {
        "il6_source": {"rate": "secretion * t_cell", "change": {"il6": 1}},
        "il6_decay": {"rate": "decay * il6", "change": {"il6": -1}},
        "kill_b": {"rate": "kill_hazard * b_cell", "change": {"b_cell": -1}},
        "damage_repair": {"rate": "repair * damage", "change": {"damage": -1}},
        "t_death": {"rate": "decay * blood_t * min(1, tissue_b / dose)", "change": {"blood_t": -1}},
        "t_entry": {"rate": "entry * blood_t * gate", "change": {"blood_t": -1, "t_cell": 1}},
        "t_exit": {"rate": "decay * t_cell", "change": {"t_cell": -1, "blood_t": 1}},
    },
}


@pytest.fixture
def small() -> dict[str, Any]:
    """Return a fresh copy of the mapping of a small, valid model."""
    return deepcopy(SMALL)

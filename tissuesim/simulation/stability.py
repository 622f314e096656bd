"""What a run measured of its own stability, beside the bounds it is held to."""

from __future__ import annotations

from typing import Any

from tissuesim.backends.organ_step import CLIPPING_LIMIT
from tissuesim.simulation.clock import LARGEST_EXIT, LARGEST_MOVE
from tissuesim.simulation.engine import LARGEST_GROWTH
from tissuesim.ticks import days

LIMITS = {
    "rate": LARGEST_EXIT,
    "movement": LARGEST_MOVE,
    "growth": LARGEST_GROWTH,
    "residual": 1.0,
    "clipping": CLIPPING_LIMIT,
}
"""Bounds of: step x largest hazard of a process; sub-step x largest hazard of crawling; births less losses of a kind
of cell in a step, as a share; residual of a signal over the tolerance of the solve; amount clipped at zero over the
tolerance. The first and the third choose the next step, from what the last one met; the others hold in every step."""


def stability(facts: dict[str, Any]) -> dict[str, Any]:
    """The content of ``stability.json`` from the facts of a checkpoint: per organ the largest values; the limits."""
    return {
        "day": days(facts["tick"]),
        "steps": facts["steps"],
        "organs": {
            name: {key: remembered["margins"].get(key, 0.0) for key in LIMITS}
            for name, remembered in facts["organs"].items()
        },
        "limits": LIMITS,
    }

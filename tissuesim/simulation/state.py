"""All that changes in a run: one object, one checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.organ_step import OrganState

SIGNAL_LINES = ("before", "source", "decay", "imbalance", "clipped", "after")
CELL_LINES = ("gained", "lost", "entered")


@dataclass
class State:
    """Clock (ticks), organs, pools (1, P), summaries (1, M), the mass ledger and what the step control remembers."""

    tick: int
    step_ticks: int
    organs: dict[str, OrganState]
    pools: NDArray[np.float64]
    summaries: NDArray[np.float64]
    systemic_hazard: float = 0.0
    steps: int = 0
    next_event: int = 0
    signal_ledger: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    cell_ledger: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def checkpoint(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Arrays and facts that hold the whole state."""
        arrays: dict[str, NDArray[Any]] = {"pools": self.pools, "summaries": self.summaries}
        for organ, state in self.organs.items():
            arrays |= {f"{organ}/{name}": array for name, array in state.arrays().items()}
            arrays[f"{organ}/signal_ledger"] = self.signal_ledger[organ]
            arrays[f"{organ}/cell_ledger"] = self.cell_ledger[organ]
        facts = {
            "tick": self.tick,
            "step_ticks": self.step_ticks,
            "systemic_hazard": self.systemic_hazard,
            "steps": self.steps,
            "next_event": self.next_event,
            "organs": {
                name: {"movement_due": state.movement_due, "hazard": state.hazard}
                for name, state in self.organs.items()
            },
        }
        return arrays, facts

    @classmethod
    def restore(cls, arrays: dict[str, NDArray[Any]], facts: dict[str, Any]) -> State:
        """The state a checkpoint holds."""
        organs = {
            name: OrganState(
                arrays[f"{name}/signals"], arrays[f"{name}/cells"], arrays[f"{name}/states"], **remembered
            )
            for name, remembered in facts["organs"].items()
        }
        return cls(
            tick=facts["tick"],
            step_ticks=facts["step_ticks"],
            organs=organs,
            pools=arrays["pools"],
            summaries=arrays["summaries"],
            systemic_hazard=facts["systemic_hazard"],
            steps=facts["steps"],
            next_event=facts["next_event"],
            signal_ledger={name: arrays[f"{name}/signal_ledger"] for name in organs},
            cell_ledger={name: arrays[f"{name}/cell_ledger"] for name in organs},
        )

"""All that changes in a run: one object, one checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.organ_step import OrganState
from tissuesim.systemic import CloneState

SIGNAL_LINES = ("before", "source", "decay", "imbalance", "clipped", "after")
CELL_LINES = ("gained", "lost", "entered")
POOL_LINES = ("gained", "lost", "given", "arrived", "left")
"""Births and arrivals among the pools, deaths and departures among them, treatment, from organs, to organs."""


@dataclass
class State:
    """Clock (ticks), organs, pools (1, P), summaries (1, M), the mass ledger and what the step control remembers.

    ``organ_summaries`` (M,) are the summaries of each organ alone. ``pool_ledger`` (1 + lines, P) has the first amount
    and then the flows of every pool; those of pools that count cells add up to what is there.
    """

    tick: int
    step_ticks: int
    organs: dict[str, OrganState]
    pools: NDArray[np.float64]
    summaries: NDArray[np.float64]
    systemic_hazard: float = 0.0
    steps: int = 0
    next_event: int = 0
    organ_summaries: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    signal_ledger: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    cell_ledger: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    clones: CloneState | None = None
    pool_ledger: NDArray[np.float64] = field(default_factory=lambda: np.zeros((1 + len(POOL_LINES), 0)))

    def small_arrays(self) -> dict[str, NDArray[Any]]:
        """Copies of the arrays that are not rows of an organ: pools, summaries, ledgers."""
        arrays = {"pools": self.pools.copy(), "summaries": self.summaries.copy()}
        arrays["pool_ledger"] = self.pool_ledger.copy()
        for organ in self.organs:
            arrays[f"{organ}/summaries"] = self.organ_summaries[organ].copy()
            arrays[f"{organ}/signal_ledger"] = self.signal_ledger[organ].copy()
            arrays[f"{organ}/cell_ledger"] = self.cell_ledger[organ].copy()
        return arrays if self.clones is None else arrays | self.clones.arrays()

    def facts(self) -> dict[str, Any]:
        """Everything else that a checkpoint holds."""
        return {
            "tick": self.tick,
            "step_ticks": self.step_ticks,
            "systemic_hazard": self.systemic_hazard,
            "steps": self.steps,
            "next_event": self.next_event,
            "organs": {
                name: {
                    "movement_due": state.movement_due,
                    "hazard": state.hazard,
                    "margins": dict(state.margins),
                }
                for name, state in self.organs.items()
            },
        }

    @classmethod
    def restore(
        cls, organs: dict[str, OrganState], arrays: dict[str, NDArray[Any]], facts: dict[str, Any]
    ) -> State:
        """The state a checkpoint holds; ``organs`` are its rows, brought to a backend."""
        return cls(
            tick=facts["tick"],
            step_ticks=facts["step_ticks"],
            organs=organs,
            pools=arrays["pools"],
            summaries=arrays["summaries"],
            systemic_hazard=facts["systemic_hazard"],
            steps=facts["steps"],
            next_event=facts["next_event"],
            organ_summaries={name: arrays[f"{name}/summaries"] for name in organs},
            signal_ledger={name: arrays[f"{name}/signal_ledger"] for name in organs},
            cell_ledger={name: arrays[f"{name}/cell_ledger"] for name in organs},
            clones=CloneState.restore(arrays),
            pool_ledger=arrays["pool_ledger"],
        )

"""The truths of the solver as a scorecard: closed forms, exact stochastic simulation, conservation.

Every check runs the operators of a simulation on a small tissue; only the theory is computed here.
"""

from __future__ import annotations

from tissuesim.verification.check import Check

__all__ = ["Check", "scorecard"]


def scorecard(quick: bool = False) -> list[Check]:
    """Return all checks, in a fixed order; ``quick`` takes coarser grids and fewer samples."""
    from tissuesim.verification import (
        conservation,
        diffusion,
        exchange,
        movement,
        processes,
        stochastic,
        systemic,
    )

    modules = (diffusion, movement, processes, stochastic, exchange, systemic, conservation)
    return [check for module in modules for function in module.CHECKS for check in function(quick)]

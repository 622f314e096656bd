"""Everything that happens now and then is a schedule and an action: output, checkpoints, sentinel, progress."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tissuesim.simulation.state import State


@dataclass
class Observer:
    """Calls ``action(state, index)`` once for each scheduled tick, at the first step boundary at or after it.

    Observers never change the state or the step, so a result does not depend on what is watched.
    """

    ticks: Sequence[int]
    action: Callable[[State, int], None]
    next_index: int = 0

    def skip_until(self, tick: int) -> None:
        """Pass over what a run had done when it wrote the checkpoint of ``tick``."""
        self.next_index = bisect_right(self.ticks, tick)

    def notice(self, state: State) -> None:
        """Act for every scheduled tick that has been reached."""
        while self.next_index < len(self.ticks) and self.ticks[self.next_index] <= state.tick:
            self.action(state, self.next_index)
            self.next_index += 1


@dataclass
class EveryStep:
    """Calls ``action(state)`` at every n-th step."""

    every: int
    action: Callable[[State], None]

    def notice(self, state: State) -> None:
        """Act if this step is one of those."""
        if state.steps % self.every == 0:
            self.action(state)

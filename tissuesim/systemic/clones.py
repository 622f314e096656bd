"""Clones: labels of autoreactive B cells in blood, nodes and organs. They follow what happens and change nothing.

Each compartment holds whole numbers of cells per label that add up to its cells. What a step did to the cells is
shared among the labels without preference: those that leave or die are taken at random without putting back, those born
are children of cells there, and those made of other cells, or of nothing, carry the label ``new``. Within a compartment
labels are mixed: where a cell sits in an organ says nothing about its clone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.numpy.random import exp_neg, normal, philox
from tissuesim.backends.organ_step import CLONES, StepResult
from tissuesim.codegen.plan import StepPlan
from tissuesim.errors import InputError, NumericsError

SIZES, START, BORN, LOST, RETURN, ADJUST = 1, 2, 3, 4, 5, 6
FIRST, SECOND, LEAVE = 256, 512, 1024
"""Purposes of the draws in the second counter word; the last three are followed by the number of an exit or influx."""

ALIVE = np.iinfo(np.int64).min
"""In place of the tick at which a label was last seen: it is still there, or never was."""


@dataclass
class CloneState:
    """Cells per compartment and label ``counts`` (C, L), at the start ``first`` (L,), and what is remembered.

    ``gone`` (C + 1, L + 1) is the tick at which a label was lost in a compartment, for the last time; the last row is
    the whole body, the last column all labels. ``founders`` are (tick, compartment, cells) of those that found no
    autoreactive cell left in the body.
    """

    counts: NDArray[np.int64]
    first: NDArray[np.int64]
    gone: NDArray[np.int64]
    founders: list[tuple[int, int, int]]

    def arrays(self) -> dict[str, NDArray[np.int64]]:
        """Copies for a checkpoint."""
        return {
            "clones/counts": self.counts.copy(),
            "clones/first": self.first.copy(),
            "clones/gone": self.gone.copy(),
            "clones/founders": np.array(self.founders, np.int64).reshape(-1, 3),
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[np.int64]]) -> CloneState | None:
        """What a checkpoint holds; None where the run has no clones."""
        if "clones/counts" not in arrays:
            return None
        founders = [(int(a), int(b), int(c)) for a, b, c in arrays["clones/founders"]]
        return cls(arrays["clones/counts"], arrays["clones/first"], arrays["clones/gone"], founders)


def summed(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts (C, L) with the body as a last row and all labels as a last column."""
    whole = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1), np.int64)
    whole[:-1, :-1] = counts
    whole[-1, :-1] = counts.sum(axis=0)
    whole[:, -1] = whole.sum(axis=1)
    return whole


class Clones:
    """The rules by which labels follow a step. ``key`` are the two words of the random generator of the pools."""

    def __init__(
        self, plan: StepPlan, organs: Sequence[str], key: tuple[int, int], draws: ModuleType
    ) -> None:
        """Find the compartments; ``draws`` is the module ``labels`` of a backend.

        Raises:
            InputError: the model moves clonal cells in a way that loses track of them.
        """
        self.draws = draws
        self.plan, self.key, self.organs = plan, key, tuple(organs)
        self.pools, self.cells = plan.clonal_pools, plan.clonal_cells
        self.labels, self.number = plan.clone_labels, len(plan.clone_labels) - 1
        self.spread = float(plan.model.parameter_values()["clone_spread"])
        places = [plan.model.pools[pool].compartment for pool in self.pools]
        named = [
            pool if places.count(place) > 1 else place for pool, place in zip(self.pools, places, strict=True)
        ]
        self.compartments = (*named, *(self.organs if self.cells else ()))
        self.exits = {
            pool: [
                [self.pools.index(target) for target, _ in leave.destinations if target in self.pools]
                for leave in plan.systemic_network.exits[pool]
            ]
            for pool in self.pools
        }
        self._refuse_what_cannot_be_followed()

    def _refuse_what_cannot_be_followed(self) -> None:
        network = self.plan.organ_network
        for name, exits in network.exits.items():
            for leave in exits:
                targets = [target for target, _ in leave.destinations]
                where = f"processes.{leave.processes[0]}.change"
                if name != self.cells and any(target in (*self.pools, self.cells) for target in targets):
                    raise InputError(
                        f"{where}: '{name}' is not clonal, but what it becomes in blood or tissue is"
                    )
                if name == self.cells and sum(target in self.pools for target in targets) > 1:
                    raise InputError(f"{where}: a clonal cell moves to one place, with its label")
        if len(self.compartments) > 255:
            raise InputError(
                f"organs: {len(self.organs)} are too many for the labels of clones (at most 250)"
            )

    # ---- the beginning
    def first_state(self, amounts: Sequence[int], tick: int) -> CloneState:
        """Labels of the cells at the start: log-normal sizes, the same in every compartment but for chance.

        ``amounts`` are the cells of each compartment.
        """
        words = philox(np.arange(self.number), CLONES << 24 | SIZES, tick, 0, *self.key)
        deviates = np.sort(normal(*words))[::-1]
        weights = np.append(exp_neg(self.spread * (deviates[0] - deviates)), 0.0)
        counts = np.stack([self._share(weights, n, START, c, tick) for c, n in enumerate(amounts)])
        gone = np.full((len(amounts) + 1, len(self.labels) + 1), ALIVE, np.int64)
        return CloneState(counts, counts.sum(axis=0), gone, [])

    # ---- a step
    def follow_organ(self, state: CloneState, organ: str, result: StepResult, tick: int) -> None:
        """Births, deaths and returns to blood in one organ."""
        if self.cells is None:
            return
        place = self.compartments.index(organ)
        own = self._divide(state, place, int(result.gained.get(self.cells, 0)), tick)
        leaving = self._take(own, int(result.lost.get(self.cells, 0)), LOST, place, tick)
        state.counts[place] = own - leaving
        for number, pool in enumerate(self.pools):
            back = int(result.to_pools.get(pool, 0))
            returning = self._take(leaving, back, RETURN + 8 * number, place, tick)
            leaving = leaving - returning
            state.counts[number] += returning

    def follow_entry(
        self, state: CloneState, index: int, pool: str, field: str, parts: Sequence[float], tick: int
    ) -> None:
        """Cells that left a pool for the organs by influx ``index``: ``parts`` per organ."""
        for number, organ in enumerate(self.organs):
            moved = int(parts[number])
            if moved == 0:
                continue
            labels = np.zeros(len(self.labels), np.int64)
            labels[-1] = moved
            if pool in self.pools:
                source = self.pools.index(pool)
                labels = self._take(state.counts[source], moved, LEAVE + index, number, tick)
                state.counts[source] -= labels
            if field == self.cells:
                state.counts[self.compartments.index(organ)] += labels

    def follow_pools(self, state: CloneState, flows: Mapping[str, int], tick: int, substep: int) -> None:
        """What happened among the pools in one sub-step: the flows the program counted, in its order.

        First what was there divides and leaves; what arrives may leave again in the second round; what arrives then
        stays.
        """
        if not any(flows.values()):
            return
        empty = not state.counts.any()
        arriving = np.zeros((len(self.pools), len(self.labels)), np.int64)
        for place, pool in enumerate(self.pools):
            born, founded = flows.get(f"flow:{pool}:born", 0), flows.get(f"flow:{pool}:founded", 0)
            own = self._divide(state, place, born - founded, tick, substep)
            own[-1] += founded
            if founded and empty:
                state.founders.append((tick, place, founded))
            state.counts[place] = self._leave(own, flows, place, "first", FIRST, arriving, tick, substep)
        late = np.zeros_like(arriving)
        for place, pool in enumerate(self.pools):
            arriving[place, -1] += flows.get(f"flow:{pool}:arrived", 0) - arriving[place].sum()
            came = arriving[place]
            state.counts[place] += self._leave(came, flows, place, "second", SECOND, late, tick, substep)
        for place, pool in enumerate(self.pools):
            late[place, -1] += flows.get(f"flow:{pool}:late", 0) - late[place].sum()
            state.counts[place] += late[place]

    def _leave(
        self,
        own: NDArray[np.int64],
        flows: Mapping[str, int],
        place: int,
        line: str,
        purpose: int,
        arriving: NDArray[np.int64],
        tick: int,
        substep: int,
    ) -> NDArray[np.int64]:
        """Take out what left by each exit, one exit after the other; what goes to another pool arrives there."""
        pool = self.pools[place]
        for index, targets in enumerate(self.exits[pool]):
            number = flows.get(f"flow:{pool}:{line}:{index}", 0)
            if number:
                leaving = self._take(own, number, purpose + index, place, tick, substep)
                own = own - leaving
                for target in targets:
                    arriving[target] += leaving
        return own

    def _divide(
        self, state: CloneState, place: int, children: int, tick: int, substep: int = 0
    ) -> NDArray[np.int64]:
        """A compartment with its children.

        Where the step made children of cells that are only just arriving, the parents are those of the whole body,
        and where there is none there either, they are new.
        """
        own: NDArray[np.int64] = state.counts[place].copy()
        if children == 0:
            return own
        parents = own if own.any() else state.counts.sum(axis=0)
        if not parents.any():
            own[-1] += children
            return own
        own += self._share(parents.astype(np.float64), children, BORN, place, tick, substep)
        return own

    def adjust(self, state: CloneState, pool: str, amount: int, tick: int) -> None:
        """A treatment has set or raised a pool: cells too many are taken at random, cells too few are new."""
        place = self.pools.index(pool)
        surplus = int(state.counts[place].sum()) - amount
        if surplus > 0:
            state.counts[place] -= self._take(state.counts[place], surplus, ADJUST, place, tick)
        elif surplus < 0:
            state.counts[place, -1] -= surplus

    def close_step(self, state: CloneState, before: NDArray[np.int64], tick: int) -> None:
        """Note what is gone now: ``before`` are the counts at the begin of the step."""
        had, has = summed(before) > 0, summed(state.counts) > 0
        state.gone[had & ~has] = tick
        state.gone[has] = ALIVE

    # ---- what is asked of it
    def check(self, state: CloneState, amounts: Sequence[int], day: float) -> None:
        """Raise NumericsError where labels do not add up to the cells of a compartment."""
        for name, cells, labeled in zip(self.compartments, amounts, state.counts.sum(axis=1), strict=True):
            if int(cells) != int(labeled):
                raise NumericsError(
                    f"the clones in '{name}' add up to {labeled} cells on day {day:g}, but there are {cells}"
                )

    def _take(
        self, own: NDArray[np.int64], number: int, purpose: int, place: int, tick: int, substep: int = 0
    ) -> NDArray[np.int64]:
        """``number`` cells of a compartment at random, by label."""
        if number == 0:
            return np.zeros_like(own)
        word = CLONES << 24 | place << 16 | purpose
        taken: NDArray[np.int64] = self.draws.take(own, number, word, tick, substep << 8, *self.key)
        return taken

    def _share(
        self, weights: NDArray[np.float64], number: int, purpose: int, place: int, tick: int, substep: int = 0
    ) -> NDArray[np.int64]:
        """``number`` cells in proportion to weights, by label."""
        word = CLONES << 24 | place << 16 | purpose
        shared: NDArray[np.int64] = self.draws.share(weights, number, word, tick, substep << 8, *self.key)
        return shared

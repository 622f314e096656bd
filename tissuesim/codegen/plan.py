"""A model compiled for organs and for the blood: tables of names and programs, without any backend in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tissuesim.codegen.instructions import Program
from tissuesim.codegen.network import Network, Species, build_network
from tissuesim.codegen.organ import entry_weights, signal_rates, spill_over, summaries
from tissuesim.codegen.rates import Tables
from tissuesim.codegen.reactions import ReactionProgram
from tissuesim.model.model import Model


@dataclass(frozen=True)
class Entry:
    """An influx: cells leave ``pool`` and enter ``field`` at a rate per unit of the pool given by its weights."""

    process: str
    pool: str
    field: str


@dataclass(frozen=True)
class StepPlan:
    """Everything a backend needs of a model: where names live, and the programs of one step.

    ``organ`` are the tables of voxel programs; ``systemic`` those of the pools, whose 'voxels' are virtual patients
    (usually one) and whose signals column holds the summaries of the organs.
    """

    model: Model
    stochastic: bool
    organ: Tables
    systemic: Tables
    cohort: bool = False

    @cached_property
    def _by_kind(self) -> dict[str, list[str]]:
        kinds: dict[str, list[str]] = {}
        for name in self.model.processes:
            kinds.setdefault(self.model.process_kind(name), []).append(name)
        return kinds

    def processes(self, *kinds: str) -> list[str]:
        """Names of the processes of the given kinds, in the order of the model."""
        wanted = {name for kind in kinds for name in self._by_kind.get(kind, [])}
        return [name for name in self.model.processes if name in wanted]

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The influx processes."""
        found = []
        for name in self.processes("influx"):
            change = self.model.processes[name].change
            pool = next(field for field, k in change.items() if k < 0)
            field = next(field for field, k in change.items() if k > 0)
            found.append(Entry(name, pool, field))
        return tuple(found)

    @cached_property
    def organ_network(self) -> Network:
        """Cells and tissue states of a voxel with their local processes and exits to the blood."""
        species = [
            Species(name, "cells", column, integer=True, extensive=True)
            for column, name in enumerate(self.organ.cells)
        ] + [
            Species(name, "states", column, integer=False, extensive=False)
            for column, name in enumerate(self.organ.states)
        ]
        leaving = [
            name
            for name in self.processes("egress")
            if not any(field in self.organ.signals for field in self.model.processes[name].change)
        ]
        chosen = set(self.processes("local")) | set(leaving)
        return build_network(
            self.model, tuple(species), [name for name in self.model.processes if name in chosen]
        )

    @cached_property
    def systemic_network(self) -> Network:
        """Pools with the processes among them."""
        species = tuple(
            Species(name, "states", column, integer=pool.kind == "count", extensive=False)
            for column, (name, pool) in enumerate(self.model.pools.items())
        )
        return build_network(self.model, species, self.processes("systemic"))

    @cached_property
    def organ_programs(self) -> dict[str, Program]:
        """Programs of one organ step, by name."""
        signals = set(self.organ.signals)
        spilling = [
            name for name in self.processes("egress") if signals & set(self.model.processes[name].change)
        ]
        integer_cells = self.stochastic
        programs = {
            "reactions": ReactionProgram(
                self.model, self.organ_network, self.organ, self.stochastic, "reactions", drops_faint=True
            ).build(),
            "entry_weights": entry_weights(
                self.model, self.organ, self.processes("influx"), integer_cells=integer_cells
            ),
            "summaries": summaries(self.model, self.organ, integer_cells=integer_cells),
        }
        if self.organ.signals:
            chosen = set(self.processes("signal")) | set(spilling)
            programs["signal_rates"] = signal_rates(
                self.model,
                self.organ,
                [name for name in self.model.processes if name in chosen],
                integer_cells=integer_cells,
            )
            programs["spill_over"] = spill_over(self.model, self.organ, spilling)
        return programs

    @cached_property
    def systemic_program(self) -> Program:
        """The process operator of the pools, always in float64."""
        return ReactionProgram(
            self.model,
            self.systemic_network,
            self.systemic,
            self.stochastic,
            "systemic_reactions",
            frozenset(self.clonal_pools),
        ).build()

    @property
    def clonal_pools(self) -> tuple[str, ...]:
        """Pools whose cells carry the labels of clones: whole cells of one patient."""
        labeled = self.stochastic and not self.cohort
        return tuple(name for name, pool in self.model.pools.items() if pool.clonal and labeled)

    @property
    def clone_labels(self) -> tuple[str, ...]:
        """Labels of the clones at the start, from the largest to the smallest, and ``new`` for later ones."""
        if not self.clonal_pools:
            return ()
        number = round(float(self.model.parameter_values()["clone_number"]))
        return (*(str(k + 1) for k in range(number)), "new")

    @property
    def clonal_cells(self) -> str | None:
        """The cells of organs that carry the labels of clones."""
        found = [name for name, cells in self.model.cells.items() if cells.clonal]
        return found[0] if found and self.stochastic and not self.cohort else None


def compile_model(
    model: Model, *, stochastic: bool, cohort: bool = False, regional: frozenset[str] = frozenset()
) -> StepPlan:
    """The step plan of a model.

    ``cohort`` makes every parameter of the systemic part differ between patients (rows of its parameter table).
    ``regional`` are more parameters that differ between the regions of an organ, beside those the model says.
    """
    parameters = tuple(model.parameters)
    regional |= {name for name, item in model.parameters.items() if _regional(model, name, item.regions)}
    summary_names = tuple(model.summaries)
    masks = tuple(f"over_{name}" for name, summary in model.summaries.items() if summary.over)
    organ = Tables(
        signals=tuple(model.signals),
        cells=tuple(model.cells),
        states=tuple(model.states),
        maps=tuple(model.maps) + masks,
        parameters=parameters,
        scalars=tuple(model.pools) + summary_names,
        regional=regional,
    )
    systemic = Tables(
        signals=summary_names,
        states=tuple(model.pools),
        parameters=parameters,
        regional=frozenset(parameters) if cohort else frozenset(),
    )
    return StepPlan(model, stochastic, organ, systemic, cohort)


def _regional(model: Model, name: str, regions: object) -> bool:
    """Whether a parameter, or one its formula uses, has values per region."""
    if regions:
        return True
    formula = model.parameters[name].formula
    if formula is None:
        return False
    from tissuesim.model.expression import names

    return any(_regional(model, used, model.parameters[used].regions) for used in names(formula))

"""A model as data: signals, cells, states, pools, maps, summaries, definitions, parameters and processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from tissuesim.errors import InputError, nearest
from tissuesim.model.expression import Expression, evaluate, names, substitute
from tissuesim.model.parts import (
    SECTIONS,
    Cells,
    Definition,
    Map,
    Parameter,
    Part,
    Pool,
    Process,
    Signal,
    Summary,
    TissueState,
)
from tissuesim.units import Dimension

__all__ = [
    "Cells",
    "Definition",
    "Map",
    "Model",
    "Parameter",
    "Part",
    "Pool",
    "Process",
    "Signal",
    "Summary",
    "TissueState",
]


@dataclass(frozen=True, repr=False)
class Model:
    """Everything that reacts and moves, as plain data; each section is a dict by name, in file order.

    All names share one namespace. Made by `load`, `from_mapping` or `with_`, it has passed `check`.
    """

    name: str
    description: str = ""
    signals: dict[str, Signal] = field(default_factory=dict)
    cells: dict[str, Cells] = field(default_factory=dict)
    states: dict[str, TissueState] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    maps: dict[str, Map] = field(default_factory=dict)
    summaries: dict[str, Summary] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    @classmethod
    def load(cls, name_or_path: str | Path, overrides: Mapping[str, Any] | None = None) -> Model:
        """Return a shipped model (by name) or one from a ``.yaml`` file, checked.

        ``overrides`` are parameter values, quantities such as ``{"rho": "1.1 1/day"}``. InputError, in
        one sentence, on everything that is wrong with the file or the model.
        """
        from tissuesim.model.loader import load_parts

        model = cls(**load_parts(name_or_path, overrides))
        try:
            return model.check()
        except InputError as error:
            raise InputError(f"{name_or_path}: {error}") from None

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> Model:
        """Return a checked model from a mapping as it stands in a model file, without ``extends``."""
        from tissuesim.model.reader import read_parts

        return cls(**read_parts(data)).check()

    def check(self) -> Model:
        """Return the model itself; InputError on unknown names, cycles, units, kinds or conservation."""
        from tissuesim.model.checks import check

        check(self)
        return self

    def with_(self, *parts: Part, name: str | None = None, without: Iterable[str] = ()) -> Model:
        """Return a checked copy with parts added or replaced (by name) and those in ``without`` removed."""
        sections: dict[str, Any] = {section: dict(getattr(self, section)) for section in SECTIONS}
        for gone in without:
            homes = [entries for entries in sections.values() if gone in entries]
            if not homes:
                known = [known for entries in sections.values() for known in entries]
                raise InputError(f"there is no '{gone}' to remove{nearest(gone, known)}")
            for entries in homes:
                del entries[gone]
        for part in parts:
            section = next(section for section, kind in SECTIONS.items() if kind is type(part))
            sections[section][part.name] = part
        return Model(name or self.name, self.description, **sections).check()

    def role(self, name: str) -> str:
        """Return the section in which a name stands (``signals``, ``cells``, ...); InputError if in none."""
        if name not in self.roles:
            raise InputError(f"unknown name '{name}'{nearest(name, self.roles)}")
        return self.roles[name]

    @cached_property
    def roles(self) -> dict[str, str]:
        """Section of every name that may stand in an expression, such as ``signals``."""
        return {
            name: section for section in SECTIONS if section != "processes" for name in getattr(self, section)
        }

    @cached_property
    def dimensions(self) -> dict[str, Dimension]:
        """Dimension of every name that may stand in an expression."""
        from tissuesim.model.dimensions import dimensions_of_names

        return dimensions_of_names(self)

    @cached_property
    def process_kinds(self) -> dict[str, str]:
        """Kind of every process; see `process_kind`."""
        from tissuesim.model.kinds import kind_of

        return {name: kind_of(self, process) for name, process in self.processes.items()}

    def process_kind(self, name: str) -> str:
        """Return ``signal``, ``local``, ``systemic``, ``influx`` or ``egress``."""
        if name not in self.processes:
            raise InputError(f"unknown process '{name}'{nearest(name, self.processes)}")
        return self.process_kinds[name]

    @cached_property
    def _expanded(self) -> dict[str, Expression]:
        """Definitions in which no definition is left."""
        from tissuesim.model.checks import check_expanded_sizes

        trees = {name: definition.expression for name, definition in self.definitions.items()}
        order = in_order(trees, "definitions")
        check_expanded_sizes(self, order)
        expanded: dict[str, Expression] = {}
        for name in order:
            expanded[name] = substitute(trees[name], expanded)
        return expanded

    def expand(self, tree: Expression) -> Expression:
        """Return the tree with all definitions inlined."""
        return substitute(tree, self._expanded)

    @cached_property
    def _formula_order(self) -> list[str]:
        trees = {name: p.formula for name, p in self.parameters.items() if p.formula is not None}
        return in_order(trees, "parameters")

    def parameter_values(
        self, region: str | None = None, overrides: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return canonical values of all parameters in a region (None: base values), formulas computed.

        ``overrides`` are canonical floats or arrays (over patients) by parameter name; regional values keep
        their ratio to the base value, and an override takes the place of a formula. Values are floats, or
        arrays where an override is one. InputError on an unknown name or a value that is not finite.
        """
        given = dict(overrides or {})
        for name in given:
            if name not in self.parameters:
                raise InputError(f"parameters.{name}: unknown parameter{nearest(name, self.parameters)}")
        values: dict[str, Any] = {}
        for name, parameter in self.parameters.items():
            if name in given or parameter.value is not None:
                values[name] = parameter.regional(region or "", given.get(name, parameter.value))
        for name in self._formula_order:
            formula = self.parameters[name].formula
            if name not in values and formula is not None:
                values[name] = evaluate(formula, values)
        for name, value in values.items():
            _check_finite(name, value)
        return {name: values[name] for name in self.parameters}

    def digest(self) -> str:
        """Return a SHA-256 of the whole content; equal exactly for equal models in equal order."""
        from hashlib import sha256

        from tissuesim.model.describe import canonical_text

        return sha256(canonical_text(self).encode()).hexdigest()

    def to_latex(self) -> str:
        """Return the equations of the model as LaTeX ``align*`` environments."""
        from tissuesim.model.equations import to_latex

        return to_latex(self)

    def __str__(self) -> str:
        from tissuesim.model.describe import tree

        return tree(self)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(getattr(self, s))} {s}" for s in SECTIONS if getattr(self, s))
        return f"<Model {self.name}: {counts}>"


def in_order(trees: Mapping[str, Expression], section: str) -> list[str]:
    """Return the names so that each comes after those its tree uses; InputError on a cycle."""
    graph = {name: [used for used in sorted(names(tree)) if used in trees] for name, tree in trees.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        raise InputError(f"{section}.{circle[0]}: defined by itself ({' -> '.join(circle)})") from None


def _check_finite(name: str, value: Any) -> None:
    import numpy as np

    if not np.all(np.isfinite(value)):
        raise InputError(f"parameters.{name}: the value {value} is not finite")

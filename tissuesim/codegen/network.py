"""Species of a voxel or of the pools, their exits and their gains: the processes of a model, sorted."""

from __future__ import annotations

from dataclasses import dataclass

from tissuesim.errors import InputError
from tissuesim.model.model import Model


@dataclass(frozen=True)
class Species:
    """One column that reacts. ``extensive`` amounts are divided by the voxel volume to give what rates see."""

    name: str
    array: str
    column: int
    integer: bool
    extensive: bool


@dataclass(frozen=True)
class Exit:
    """All channels of one species that lead to the same place: ``destinations`` are (species or pool, copies)."""

    processes: tuple[str, ...]
    destinations: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Network:
    """Species, their exits (those that lead somewhere first, disappearance last) and their gains."""

    species: tuple[Species, ...]
    exits: dict[str, tuple[Exit, ...]]
    gains: dict[str, tuple[tuple[str, int], ...]]
    pools: tuple[str, ...] = ()


def build_network(model: Model, species: tuple[Species, ...], processes: list[str]) -> Network:
    """Sort the processes into exits and gains of the species.

    Raises:
        InputError: a process takes from two species at once, or takes more than one at a time.
    """
    known = {item.name for item in species}
    exits: dict[str, dict[tuple[tuple[str, int], ...], list[str]]] = {item.name: {} for item in species}
    gains: dict[str, list[tuple[str, int]]] = {item.name: [] for item in species}
    pools: list[str] = []
    for name in processes:
        change = model.processes[name].change
        taken = [field_name for field_name, k in change.items() if k < 0]
        if not taken:
            for field_name, k in change.items():
                gains[field_name].append((name, k))
            continue
        if len(taken) > 1 or change[taken[0]] != -1:
            raise InputError(
                f"processes.{name}.change takes {', '.join(taken)}: a process may take one unit of one field "
                "(write two processes, or a coefficient of -1)"
            )
        destinations = tuple((field_name, k) for field_name, k in change.items() if k > 0)
        pools += [d for d, _ in destinations if d not in known and d not in pools]
        exits[taken[0]].setdefault(destinations, []).append(name)
    ordered = {
        name: tuple(
            Exit(tuple(members), destinations)
            for destinations, members in sorted(groups.items(), key=lambda group: not group[0])
        )
        for name, groups in exits.items()
    }
    return Network(species, ordered, {k: tuple(v) for k, v in gains.items()}, tuple(pools))

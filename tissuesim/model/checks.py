"""Checks of a model across its parts: names, cycles, sizes, units, kinds, conservation, positivity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tissuesim.errors import InputError, nearest
from tissuesim.model.dimensions import require, shorten
from tissuesim.model.expression import Expression, depth, evaluate, factor_out, names, size
from tissuesim.model.nodes import Binary, Call, Compare, Name, Negate, Number, Power, children
from tissuesim.model.parts import SECTIONS
from tissuesim.units import CONCENTRATION, DIFFUSIVITY, PER_DAY, VOLUME

if TYPE_CHECKING:
    from tissuesim.model.model import Model, Process

MOST_EXPANDED_NODES = 20_000
DEEPEST_EXPANDED = 120
MOST_CLONES = 200

VOXEL = ("signals", "cells", "states", "maps")
BODY = ("pools", "summaries", "parameters")


def check(model: Model) -> None:
    """Raise InputError, in one sentence with the path of the key, on the first thing that is wrong."""
    check_namespace(model)
    check_names(model)
    model.expand(Number(0.0))  # cycles and sizes of definitions
    check_reach(model)
    check_units(model)
    for name, process in model.processes.items():
        check_process(model, process, model.process_kind(name))
    check_values(model)
    check_clones(model)


def check_namespace(model: Model) -> None:
    """Each name stands for one thing, across all sections."""
    homes: dict[str, str] = {}
    for section in SECTIONS:
        for name, part in getattr(model, section).items():
            if name != part.name:
                raise InputError(f"{section}.{name}: is filed under another name than its own, '{part.name}'")
            if name in homes:
                raise InputError(f"{section}.{name}: the name is already taken by {homes[name]}.{name}")
            homes[name] = section


def expressions(model: Model) -> Iterator[tuple[str, Expression, tuple[str, ...]]]:
    """Yield (path, tree, sections whose names it may use, definitions followed) of all expressions."""
    for section in ("signals", "cells", "states"):
        for name, part in getattr(model, section).items():
            yield f"{section}.{name}.initial", part.initial, ("parameters", "maps")
    for name, pool in model.pools.items():
        yield f"pools.{name}.initial", pool.initial, ("parameters",)
    for name, summary in model.summaries.items():
        yield f"summaries.{name}", summary.expression, (*VOXEL, "pools", "parameters")
    for name, definition in model.definitions.items():
        yield f"definitions.{name}", definition.expression, (*VOXEL, *BODY)
    for name, parameter in model.parameters.items():
        if parameter.formula is not None:
            yield f"parameters.{name}.formula", parameter.formula, ("parameters",)
    for name, process in model.processes.items():
        systemic = set(process.change) <= set(model.pools)
        yield f"processes.{name}.rate", process.rate, BODY if systemic else (*VOXEL, *BODY)


def check_names(model: Model) -> None:
    """Every name in an expression, and every name a field refers to, exists."""
    known = {name for section in SECTIONS if section != "processes" for name in getattr(model, section)}
    for where, tree, _ in expressions(model):
        for name in sorted(names(tree) - known):
            raise InputError(f"{where}: unknown name '{name}'{nearest(name, known)}")
    for where, name, section in _references(model):
        if name not in getattr(model, section):
            found = nearest(name, getattr(model, section))
            raise InputError(f"{where}: '{name}' is not one of the {section}{found}")


def _references(model: Model) -> Iterator[tuple[str, str, str]]:
    """Yield (path, name, section it must stand in) of the names that fields refer to."""
    for name, signal in model.signals.items():
        yield f"signals.{name}.diffusivity", signal.diffusivity, "parameters"
    for name, cells in model.cells.items():
        for key in ("motility", "chemotaxis", "half_saturation"):
            if (parameter := getattr(cells, key)) is not None:
                yield f"cells.{name}.{key}", parameter, "parameters"
        if cells.attractant is not None:
            yield f"cells.{name}.attractant", cells.attractant, "signals"
        together = ("chemotaxis", "attractant", "half_saturation")
        given = [key for key in together if getattr(cells, key) is not None]
        if given and len(given) < 3:
            raise InputError(
                f"cells.{name}: {', '.join(together)} go together; only {', '.join(given)} given"
            )


def check_expanded_sizes(model: Model, order: Iterable[str]) -> None:
    """Definitions of definitions stay small when written out (they can double at every step)."""
    sizes: dict[str, int] = {}
    depths: dict[str, int] = {}

    def limit(where: str, tree: Expression) -> tuple[int, int]:
        nodes = size(tree) + sum(sizes[name] - 1 for name in _occurrences(tree) if name in sizes)
        deep = depth(tree) + max((depths[name] for name in names(tree) if name in depths), default=0)
        if nodes > MOST_EXPANDED_NODES or deep > DEEPEST_EXPANDED:
            raise InputError(
                f"{where}: with all definitions written out it has more than {MOST_EXPANDED_NODES} nodes "
                f"or is nested more than {DEEPEST_EXPANDED} deep"
            )
        return nodes, deep

    for name in order:
        sizes[name], depths[name] = limit(f"definitions.{name}", model.definitions[name].expression)
    for where, tree, _ in expressions(model):
        limit(where, tree)


def _occurrences(tree: Expression) -> Iterator[str]:
    """Yield the names of a tree as often as they stand in it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            yield node.id
        waiting.extend(children(node))


def check_reach(model: Model) -> None:
    """A rate of the body sees nothing of a voxel, an initial value nothing that changes."""
    for where, tree, allowed in expressions(model):
        for name in sorted(names(tree)):
            inside = names(model.expand(Name(name)))
            for used in sorted(inside):
                if (role := model.role(used)) not in allowed:
                    through = "" if used == name else f" (through '{name}')"
                    raise InputError(
                        f"{where}: uses '{used}'{through}, one of the {role}; "
                        f"allowed here are {', '.join(allowed)}"
                    )


def check_units(model: Model) -> None:
    """Fields, references, initial values and formulas are in the units they must be in."""
    for name, signal in model.signals.items():
        if signal.dimension != CONCENTRATION:
            raise InputError(f"signals.{name}.unit: '{signal.unit}' is not a concentration such as pM")
    wanted = {"diffusivity": DIFFUSIVITY, "motility": DIFFUSIVITY, "chemotaxis": DIFFUSIVITY}
    for where, name, section in _references(model):
        key = where.rpartition(".")[2]
        if section == "parameters":
            found, needed = model.parameters[name].dimension, wanted.get(key, CONCENTRATION)
            if found != needed:
                raise InputError(
                    f"{where}: '{name}' is in {found}, but a {key.replace('_', ' ')} is in {needed}"
                )
    known = model.dimensions
    for section in ("signals", "cells", "states", "pools"):
        for name, part in getattr(model, section).items():
            require(part.initial, part.dimension, known, f"{section}.{name}.initial", f"'{name}'")
    for name, parameter in model.parameters.items():
        if parameter.formula is not None:
            require(parameter.formula, parameter.dimension, known, f"parameters.{name}.formula", f"'{name}'")


def check_process(model: Model, process: Process, kind: str) -> None:
    """The rate has the unit of what changes per day, what is taken exists, what is moved is conserved."""
    where = f"processes.{process.name}"
    for target in process.change:
        dimension = model.dimensions[target]
        if kind in ("influx", "egress") and target in model.pools:
            dimension = dimension / VOLUME  # the rate is that of a voxel, per volume
        per_day = dimension * PER_DAY
        require(process.rate, per_day, model.dimensions, f"{where}.rate", f"the change of '{target}' here")
    rate = model.expand(process.rate)
    for target, k in process.change.items():
        if k < 0 and not vanishes_without(rate, target):
            raise InputError(
                f"{where}.rate: takes from '{target}', so it must be 0 where there is none; "
                f"make '{target}' a factor of the rate"
            )
        must_be_factor = kind == "influx" or (kind == "egress" and target in model.signals)
        if k < 0 and must_be_factor and factor_out(rate, target) is None:
            raise InputError(f"{where}.rate: must have '{target}' as a factor, because it is what moves")
    gained, lost = (sum(k for k in process.change.values() if k * sign > 0) for sign in (1, -1))
    if process.conserves and gained and lost and gained + lost:
        raise InputError(
            f"{where}.change: takes {-lost} and gives {gained}; balance it or say 'conserves: false'"
        )


def check_values(model: Model) -> None:
    """Parameters are finite in every region; what pools start with and what moves fields is not negative."""
    regions = sorted({region for parameter in model.parameters.values() for region in parameter.regions})
    for region in (None, *regions):
        values = model.parameter_values(region)
        place = f" in region '{region}'" if region else ""
        for where, name, section in _references(model):
            if section == "parameters" and not values[name] >= 0:
                raise InputError(f"{where}: '{name}' is {values[name]:g}{place}; it cannot be negative")
    values = model.parameter_values()
    for name, pool in model.pools.items():
        start = evaluate(model.expand(pool.initial), values)
        if not 0 <= start < math.inf:
            shown = shorten(pool.initial)
            raise InputError(f"pools.{name}.initial: '{shown}' is {start:g}; an amount cannot be negative")


def check_clones(model: Model) -> None:
    """Clonal cells are counts, one kind at most in an organ, each with one label, and their number is given."""
    pools = [name for name, pool in model.pools.items() if pool.clonal]
    cells = [name for name, cell in model.cells.items() if cell.clonal]
    for name in pools:
        if model.pools[name].kind != "count":
            raise InputError(f"pools.{name}.clonal: clones are counted, so the pool must be of kind 'count'")
    if len(cells) > 1:
        raise InputError(f"cells.{cells[1]}.clonal: '{cells[0]}' is clonal already; one kind of cell may be")
    if not pools and not cells:
        return
    for name in ("clone_number", "clone_spread"):
        if name not in model.parameters:
            raise InputError(f"parameters.{name} is missing: {(pools + cells)[0]} is clonal and needs it")
    if not 1 <= model.parameter_values()["clone_number"] <= MOST_CLONES:
        raise InputError(f"parameters.clone_number: a number from 1 to {MOST_CLONES} is needed")
    for name, process in model.processes.items():
        clonal = [target for target in process.change if target in (*pools, *cells)]
        taken = [target for target in clonal if process.change[target] < 0]
        if taken and any(process.change[target] > 1 for target in clonal):
            raise InputError(f"processes.{name}.change: a clonal cell moves as one cell, with its label")


def vanishes_without(tree: Expression, name: str) -> bool:
    """Return whether the form of the tree shows that it is 0 where ``name`` is 0, all else being positive."""

    def gone(part: Expression) -> bool:
        return vanishes_without(part, name)

    match tree:
        case Number(value):
            return value == 0
        case Name(identifier):
            return identifier == name
        case Negate(operand):
            return gone(operand)
        case Binary("*", left, right):
            return gone(left) or gone(right)
        case Binary("/", left, _):
            return gone(left)
        case Binary(_, left, right):
            return gone(left) and gone(right)
        case Power(base, exponent):
            return exponent > 0 and gone(base)
        case Call("min", arguments):
            return any(gone(argument) for argument in arguments)
        case Call("sqrt" | "mm" | "hill", (x, *_)):
            return gone(x)
        case Call("clip", (x, low, _)):
            return gone(x) and gone(low)
        case Call("where", (Compare(">", Name(identifier), Number(value)), _, no)) if identifier == name:
            return value >= 0 and gone(no)
        case Call("max" | "where", arguments):
            return all(gone(argument) for argument in arguments if not isinstance(argument, Compare))
    return False

"""The other programs of an organ: signal rates, spill-over, entry weights, summaries, first cells."""

from __future__ import annotations

from tissuesim.codegen.instructions import DOUBLE, INTEGER, REAL, Builder, Literal, Operand, Program
from tissuesim.codegen.rates import Scope, Tables, used_names
from tissuesim.errors import InputError
from tissuesim.model.expression import Expression, Name, factor_out
from tissuesim.model.model import Model


def organ_scope(builder: Builder, model: Model, tables: Tables, *, integer_cells: bool) -> Scope:
    """A scope in which cell names stand for densities [cell/mm^3]."""
    scope = Scope(builder, model, tables)
    inverse_volume = builder.emit("inverse_volume", REAL)
    for column, name in enumerate(tables.cells):
        raw = builder.emit("load", INTEGER if integer_cells else DOUBLE, (), ("cells", column), name)
        scope.values[name] = builder.multiply(builder.real(raw), inverse_volume)
    return scope


def signal_rates(model: Model, tables: Tables, processes: list[str], *, integer_cells: bool) -> Program:
    """Per signal: ``loss`` [1/day] and ``right_hand_side = c + dt source`` at the start of the step.

    Its sums are the first lines of the ledger: ``before:<signal>`` and ``source:<signal>`` [amol].

    Raises:
        InputError: a process turns one signal into another: what is lost is taken at the end of the step and what is
            made at its start, so the two would not be the same amount.
    """
    for name in processes:
        coefficients = [k for field, k in model.processes[name].change.items() if field in tables.signals]
        if min(coefficients) < 0 < max(coefficients):
            raise InputError(
                f"processes.{name}.change turns one signal into another, which does not conserve amounts within a "
                "step; write a loss and a source"
            )
    b = Builder("signal_rates")
    dt = b.emit("step_length", REAL)
    scope = organ_scope(b, model, tables, integer_cells=integer_cells)
    volume = b.double(b.emit("volume", REAL))
    for column, signal in enumerate(tables.signals):
        losses: list[Operand] = []
        sources: list[Operand] = []
        for name in processes:
            k = model.processes[name].change.get(signal, 0)
            if k < 0:
                hazard = scope.hazard(name, signal, scope.lookup(signal))
                losses.append(b.multiply(Literal(float(-k), REAL), hazard))
            elif k > 0:
                rate = scope.lower(model.processes[name].rate, f"rate_{name}")
                sources.append(b.multiply(Literal(float(k), REAL), rate))
        b.store("loss", column, b.total(losses, label=f"loss_{signal}"))
        source = b.multiply(dt, b.total(sources, label=f"source_{signal}"))
        old = scope.lookup(signal)
        new = b.add(old, source)
        b.store("right_hand_side", column, new)
        b.accumulate_real(f"before:{signal}", b.multiply(volume, b.double(old)))
        b.accumulate_real(f"source:{signal}", b.multiply(volume, b.subtract(b.double(new), b.double(old))))
    return b.build(tables.regional_columns)


def spill_over(model: Model, tables: Tables, processes: list[str]) -> Program:
    """Amounts of signals that leave for the blood in a step, ``dt h c' V``, one sum per pool.

    The hazard is part of the implicit loss; it is evaluated again after the solve, so it may depend only on
    parameters, maps and scalars.
    """
    b = Builder("spill_over")
    dt = b.emit("step_length", REAL)
    scope = Scope(b, model, tables)
    volume = b.emit("volume", REAL)
    amounts: dict[str, list[Operand]] = {}
    for name in processes:
        change = model.processes[name].change
        signal = next(field for field, k in change.items() if k < 0)
        pool = next(field for field, k in change.items() if k > 0)
        hazard_tree = _entry_factor(model, name, signal)
        local = set(tables.cells) | set(tables.signals) | set(tables.states)
        if clash := used_names(model, [hazard_tree]) & local:
            raise InputError(
                f"processes.{name}.rate: spill-over of '{signal}' may depend on parameters, maps and pools, "
                f"not on {', '.join(sorted(clash))}"
            )
        moved = b.multiply(b.multiply(dt, scope.lower(hazard_tree)), scope.lookup(signal))
        amount = b.multiply(Literal(float(change[pool]), REAL), b.multiply(moved, volume))
        amounts.setdefault(pool, []).append(amount)
    for pool, terms in amounts.items():
        b.accumulate_real(f"to:{pool}", b.total(terms))
    return b.build(tables.regional_columns)


def _entry_factor(model: Model, process: str, factor: str) -> Expression:
    """The rate of a process with one factor taken out.

    Raises:
        InputError: the rate does not have that name as a factor.
    """
    rate = model.processes[process].rate
    for tree in (rate, model.expand(rate)):
        rest = factor_out(tree, factor)
        if rest is not None:
            return rest
    raise InputError(
        f"processes.{process}.rate must have '{factor}' as a factor: what moves is taken from it"
    )


def entry_weights(model: Model, tables: Tables, processes: list[str], *, integer_cells: bool) -> Program:
    """Per influx process: rate of entry into this voxel per unit of the pool [1/day], a column of ``out``."""
    b = Builder("entry_weights")
    scope = organ_scope(b, model, tables, integer_cells=integer_cells)
    volume = b.emit("volume", REAL)
    for name in processes:
        pool = next(field for field, k in model.processes[name].change.items() if k < 0)
        weight = scope.lower(_entry_factor(model, name, pool), f"weight_{name}")
        b.output(name, b.multiply(weight, volume))
    return b.build(tables.regional_columns)


def summaries(model: Model, tables: Tables, *, integer_cells: bool) -> Program:
    """One sum per summary of the model: expression x voxel volume; whole cells are counted exactly."""
    b = Builder("summaries")
    scope = organ_scope(b, model, tables, integer_cells=integer_cells)
    volume = b.emit("volume", REAL)
    for name, summary in model.summaries.items():
        tree = summary.expression
        if isinstance(tree, Name) and tree.id in tables.cells and not summary.over:
            kind = INTEGER if integer_cells else DOUBLE
            raw = b.emit("load", kind, (), ("cells", tables.cells.index(tree.id)), tree.id)
            b.accumulate_real(name, raw)
            continue
        value = b.multiply(scope.lower(tree), volume)
        if summary.over:
            inside = b.emit("load", REAL, (), ("maps", tables.maps.index(f"over_{name}")), f"over_{name}")
            value = b.multiply(value, inside)
        b.accumulate_real(name, value)
    return b.build(tables.regional_columns)

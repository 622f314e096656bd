"""A model as a tree to read, and as the canonical text behind its digest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from tissuesim.model.dimensions import shorten
from tissuesim.model.kinds import KINDS
from tissuesim.model.nodes import Expression
from tissuesim.model.parts import SECTIONS
from tissuesim.model.text import to_text
from tissuesim.units import factor

if TYPE_CHECKING:
    from tissuesim.model.model import Cells, Model, Parameter, Pool, Process, Signal, Summary

Branch = tuple[str, list["Branch"]]


def tree(model: Model) -> str:
    """Return the model as a tree of its sections, processes by kind, values in their own units."""
    writers = {
        "signals": lambda part: _field(part, _diffusion(part)),
        "cells": lambda part: _field(part, _movement(part)),
        "states": lambda part: _field(part, ""),
        "pools": lambda part: _field(part, f"{part.kind} in {part.compartment}" + _labeled(part)),
        "maps": lambda part: f"{part.name} [{part.unit}] default {in_unit(part.default, part.unit)}",
        "summaries": _summary,
        "definitions": lambda part: f"{part.name} = {shorten(part.expression)}",
        "parameters": _parameter,
    }
    branches: list[Branch] = []
    for section, write in writers.items():
        parts = getattr(model, section)
        if parts:
            branches.append((f"{section} ({len(parts)})", [(write(part), []) for part in parts.values()]))
    if model.processes:
        branches.append((f"processes ({len(model.processes)})", _processes(model)))
    return "\n".join([f"Model {model.name}", *_lines(branches, "")])


def in_unit(value: float, unit: str) -> str:
    """Return a canonical value as a number of ``unit``, six digits."""
    return f"{value / factor(unit):.6g}"


def _lines(branches: list[Branch], indent: str) -> Iterable[str]:
    for index, (text, below) in enumerate(branches):
        last = index == len(branches) - 1
        yield f"{indent}{'└── ' if last else '├── '}{text}"
        yield from _lines(below, indent + ("    " if last else "│   "))


def _field(part: Any, extra: str) -> str:
    return "; ".join(
        text
        for text in (f"{part.name} [{part.unit}] {part.label}", extra, f"starts at {shorten(part.initial)}")
        if text
    )


def _diffusion(signal: Signal) -> str:
    return f"diffuses with {signal.diffusivity}"


def _movement(cells: Cells) -> str:
    wandering = f"wanders with {cells.motility}" if cells.motility else ""
    climbing = f"climbs {cells.attractant} with {cells.chemotaxis}" if cells.attractant else ""
    return ", ".join(text for text in (wandering, climbing) if text) + _labeled(cells)


def _labeled(part: Cells | Pool) -> str:
    return ", clonal" if part.clonal else ""


def _summary(summary: Summary) -> str:
    how = "sum" if summary.sum is not None else "mean"
    where = f" over {', '.join(summary.over)}" if summary.over else ""
    return f"{summary.name} = {how} of {shorten(summary.expression)}{where}"


def _parameter(parameter: Parameter) -> str:
    if parameter.formula is not None:
        value = f"{shorten(parameter.formula)} [{parameter.unit}]"
    else:
        value = f"{in_unit(parameter.value or 0.0, parameter.unit)} {parameter.unit}".removesuffix(" 1")
    regions = ", ".join(f"{name} {in_unit(own, parameter.unit)}" for name, own in parameter.regions.items())
    regions = f" ({regions})" if regions else ""
    return f"{parameter.name} = {value}{regions}  [{parameter.grade}] {parameter.source}"


def _processes(model: Model) -> list[Branch]:
    groups: list[Branch] = []
    for kind in KINDS:
        members = [process for name, process in model.processes.items() if model.process_kind(name) == kind]
        if members:
            groups.append((kind, [(_process(process), []) for process in members]))
    return groups


def _process(process: Process) -> str:
    """Return a process as a reaction: ``wake: car_t_memory -> 2 car_t_effector at rate``."""
    sides = []
    for sign in (-1, 1):
        counted = [(name, abs(k)) for name, k in process.change.items() if k * sign > 0]
        sides.append(" + ".join(name if k == 1 else f"{k} {name}" for name, k in counted) or "nothing")
    return f"{process.name}: {' → '.join(sides)} at {shorten(process.rate)}"


def canonical_text(model: Model) -> str:
    """Return one text that is equal exactly for equal models whose parts stand in the same order."""
    return "\n".join(
        [f"name={model.name!r}", f"description={model.description!r}"]
        + [f"{section}.{_text(part)}" for section in SECTIONS for part in getattr(model, section).values()]
    )


def _text(value: Any) -> str:
    if isinstance(value, Expression):
        return to_text(value)
    if is_dataclass(value):
        return (
            "("
            + ", ".join(f"{field.name}={_text(getattr(value, field.name))}" for field in fields(value))
            + ")"
        )
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_text(entry)}" for key, entry in value.items()) + "}"
    return repr(value)

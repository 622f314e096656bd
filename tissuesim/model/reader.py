"""Mappings to parts: every key is known, every expression parsed, every quantity made canonical."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tissuesim.errors import InputError, nearest
from tissuesim.model.nodes import Expression
from tissuesim.model.parser import check_name, parse
from tissuesim.model.parts import (
    GRADES,
    LARGEST_COEFFICIENT,
    POOL_KINDS,
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
from tissuesim.units import dimension_of, parse_quantity, quantity
from tissuesim.yaml_file import kind

TOP_KEYS = ("name", "description", "extends", *SECTIONS)


class Entry:
    """One mapping of a file, read key by key; `close` refuses the keys nobody asked for."""

    def __init__(self, where: str, data: object) -> None:
        if not isinstance(data, Mapping):
            raise InputError(f"{where}: a mapping is needed, not {kind(data)}")
        self.where = where
        self.data = dict(data)
        self.known: list[str] = []

    def path(self, key: str) -> str:
        """Return the path of a key, as errors show it."""
        return f"{self.where}.{key}" if self.where else key

    def take(self, key: str, default: Any = None, *, required: bool = False) -> Any:
        """Return the value of a key, or the default."""
        self.known.append(key)
        value = self.data.get(key)
        if value is None:
            if required:
                raise InputError(f"{self.path(key)} is missing")
            return default
        return value

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a text; numbers are taken as written (``unit: 1``)."""
        value = self.take(key, default, required=required)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InputError(f"{self.path(key)}: a text is needed, not {kind(value)}")
        return " ".join(str(value).split())

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Return one of the allowed texts."""
        value = self.text(key, default or "", required=default is None)
        if value not in allowed:
            raise InputError(f"{self.path(key)}: '{value}' is not one of {', '.join(allowed)}")
        return value

    def unit(self, key: str, default: str) -> str:
        """Return a unit text that can be read."""
        value = self.text(key, default)
        try:
            dimension_of(value)
        except InputError as error:
            raise InputError(f"{self.path(key)}: {error}") from None
        return value

    def switch(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise InputError(f"{self.path(key)}: true or false is needed, not {kind(value)}")
        return value

    def expression(self, key: str, default: object = None, *, required: bool = False) -> Expression:
        """Return a tree."""
        return parse(self.take(key, default, required=required), self.path(key))

    def reference(self, key: str, *, required: bool = False) -> str | None:
        """Return the name of another part, or None."""
        value = self.take(key, required=required)
        return None if value is None else check_name(value, self.path(key))

    def close(self) -> None:
        """Raise InputError on the first key that was never asked for."""
        for key in self.data:
            if key not in self.known:
                hint = nearest(key, self.known)
                raise InputError(f"{self.path(key)}: unknown key{hint}; allowed are {', '.join(self.known)}")


def read_parts(data: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Return the keyword arguments of `Model` from the mapping of a model file, ``extends`` resolved."""
    top = Entry(where, data)
    parts: dict[str, Any] = {
        "name": check_name(top.text("name", required=True), top.path("name")),
        "description": top.text("description"),
    }
    for section in SECTIONS:
        entries = top.take(section, {})
        if not isinstance(entries, Mapping):
            raise InputError(f"{top.path(section)}: a mapping of names is needed, not {kind(entries)}")
        parts[section] = {}
        for name, entry in entries.items():
            path = f"{top.path(section)}.{name}"
            check_name(name, path)
            parts[section][name] = read_part(section, name, entry, path)
    top.known.append("extends")
    top.close()
    return parts


def read_part(section: str, name: str, data: object, where: str) -> Part:
    """Return one part of a section, such as ``signals``."""
    if section == "definitions" and isinstance(data, str | int | float) and not isinstance(data, bool):
        data = {"expression": data}
    entry = Entry(where, data)
    label = entry.text("label", name.replace("_", " "))
    part = _READERS[section](name, label, entry)
    entry.close()
    return part


def _signal(name: str, label: str, entry: Entry) -> Signal:
    return Signal(
        name,
        diffusivity=str(entry.reference("diffusivity", required=True)),
        label=label,
        unit=entry.unit("unit", "pM"),
        initial=entry.expression("initial", 0),
    )


def _cells(name: str, label: str, entry: Entry) -> Cells:
    return Cells(
        name,
        label,
        motility=entry.reference("motility"),
        chemotaxis=entry.reference("chemotaxis"),
        attractant=entry.reference("attractant"),
        half_saturation=entry.reference("half_saturation"),
        initial=entry.expression("initial", 0),
        clonal=entry.switch("clonal", False),
    )


def _state(name: str, label: str, entry: Entry) -> TissueState:
    return TissueState(name, label, unit=entry.unit("unit", "1"), initial=entry.expression("initial", 0))


def _pool(name: str, label: str, entry: Entry) -> Pool:
    return Pool(
        name,
        label,
        unit=entry.unit("unit", "cell"),
        kind=entry.choice("kind", POOL_KINDS, "real"),
        compartment=entry.text("compartment", "body"),
        initial=entry.expression("initial", 0),
        clonal=entry.switch("clonal", False),
    )


def _map(name: str, label: str, entry: Entry) -> Map:
    unit = entry.unit("unit", "1")
    default = quantity(entry.take("default", required=True), unit, entry.path("default"))
    return Map(name, default, label, unit)


def _summary(name: str, label: str, entry: Entry) -> Summary:
    trees = {key: entry.expression(key) for key in ("sum", "mean") if entry.take(key) is not None}
    if len(trees) != 1:
        raise InputError(f"{entry.where}: give either 'sum' or 'mean'")
    over = entry.take("over", [])
    over = [over] if isinstance(over, str) else over
    if not isinstance(over, list) or not all(isinstance(region, str) for region in over):
        raise InputError(f"{entry.path('over')}: a list of region names is needed")
    return Summary(name, label, over=tuple(over), **trees)


def _definition(name: str, label: str, entry: Entry) -> Definition:
    return Definition(name, entry.expression("expression", required=True), label)


def _parameter(name: str, label: str, entry: Entry) -> Parameter:
    value, formula = entry.take("value"), entry.take("formula")
    if (value is None) == (formula is None):
        why = "has neither" if value is None else "has both (set one of them to null)"
        raise InputError(f"{entry.where}: a parameter has a 'value' or a 'formula'; this one {why}")
    source, grade = entry.text("source", required=True), entry.choice("grade", GRADES)
    if formula is not None:
        unit, tree = entry.unit("unit", "1"), entry.expression("formula")
        return Parameter(name, formula=tree, unit=unit, label=label, source=source, grade=grade)
    number, unit = read_value(value, entry.path("value"))
    return Parameter(
        name,
        value=number,
        unit=unit,
        label=label,
        source=source,
        grade=grade,
        range=_range(entry, number, unit),
        variability=_variability(entry),
        regions=_regions(entry, unit),
    )


def read_value(value: object, where: str) -> tuple[float, str]:
    """Return (canonical float, unit text as written) of a quantity."""
    try:
        number, dimension = parse_quantity(value)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    _, _, written = str(value).strip().partition(" ")
    return number, written.strip() or str(dimension)


def _range(entry: Entry, value: float, unit: str) -> tuple[float, float] | None:
    given, path = entry.take("range"), entry.path("range")
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != 2:
        raise InputError(f"{path}: two values are needed, the smallest and the largest")
    low, high = (quantity(bound, unit, path) for bound in given)
    if not low <= value <= high:
        raise InputError(f"{path}: [{given[0]}, {given[1]}] does not contain the value {entry.data['value']}")
    return low, high


def _variability(entry: Entry) -> float:
    value = quantity(entry.take("variability", 0.0), "1", entry.path("variability"))
    if not 0 <= value <= 10:
        raise InputError(
            f"{entry.path('variability')}: {value:g} is not a coefficient of variation from 0 to 10"
        )
    return value


def _regions(entry: Entry, unit: str) -> dict[str, float]:
    given, path = entry.take("regions", {}), entry.path("regions")
    if not isinstance(given, Mapping):
        raise InputError(f"{path}: a mapping of region names to values is needed, not {kind(given)}")
    return {region: quantity(value, unit, f"{path}.{region}") for region, value in given.items()}


def _process(name: str, label: str, entry: Entry) -> Process:
    change, path = entry.take("change", required=True), entry.path("change")
    if not isinstance(change, Mapping) or not change:
        raise InputError(f"{path}: a mapping such as {{car_t_effector: 1}} is needed")
    for target, k in change.items():
        if type(k) is not int or k == 0 or abs(k) > LARGEST_COEFFICIENT:
            raise InputError(
                f"{path}.{target}: {k!r} is not a whole number, other than 0, "
                f"from -{LARGEST_COEFFICIENT} to {LARGEST_COEFFICIENT}"
            )
    conserves = entry.switch("conserves", True)
    return Process(name, entry.expression("rate", required=True), dict(change), label, conserves)


_READERS: dict[str, Callable[[str, str, Entry], Part]] = {
    "signals": _signal,
    "cells": _cells,
    "states": _state,
    "pools": _pool,
    "maps": _map,
    "summaries": _summary,
    "definitions": _definition,
    "parameters": _parameter,
    "processes": _process,
}

"""Every parameter of a model as a row of words: value, unit, range, source, grade."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from tissuesim.model.describe import in_unit
from tissuesim.model.model import Model
from tissuesim.model.parts import Parameter
from tissuesim.model.text import to_text

HEADER = ("parameter", "value", "unit", "range", "grade", "source", "label")


def parameter_rows(model: Model) -> list[tuple[str, ...]]:
    """Return one row per parameter in the order of ``HEADER``; a derived one has its formula for a value."""
    return [row for parameter in model.parameters.values() for row in _rows(parameter)]


def as_csv(rows: Iterable[tuple[str, ...]], header: tuple[str, ...] = HEADER) -> str:
    """Return rows under their header as comma-separated text."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def _rows(parameter: Parameter) -> list[tuple[str, ...]]:
    unit = parameter.unit
    if parameter.formula is not None or parameter.value is None:
        value = to_text(parameter.formula) if parameter.formula is not None else ""
    else:
        value = in_unit(parameter.value, unit)
    ends = parameter.range
    span = "" if ends is None else f"{in_unit(ends[0], unit)} to {in_unit(ends[1], unit)}"
    rest = (unit, span, parameter.grade, " ".join(parameter.source.split()), parameter.label)
    own: list[tuple[str, ...]] = [(parameter.name, value, *rest)]
    regions: list[tuple[str, ...]] = [
        (f"{parameter.name} [{region}]", in_unit(number, unit), *rest)
        for region, number in parameter.regions.items()
    ]
    return own + regions

"""How sure a result is: whether cells and signals add up, how near the steps were to their bounds, what was assumed."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tissuesim.errors import InputError
from tissuesim.run.directory import STABILITY

from ..plots.catalogue import organ_text
from .story import percent

if TYPE_CHECKING:
    from tissuesim.run import Run

MODEL_TREE = "model.txt"
GRADES = {
    "C": "read in the named source",
    "M": "commonly quoted, not re-checked",
    "A": "assumed",
    "cal": "calibrated",
}
PARAMETER = re.compile(r"^[│ ]*[├└]── (?P<name>\w+) = (?P<value>.*?)  \[(?P<grade>\w+)\] (?P<source>.*)$")
CELLS_IN, CELLS_OUT = ("initial", "entered", "gained", "arrived", "given"), ("lost", "left")
POOLS = "pools"
STEP = "step_length"
MARGINS = {  # of `stability.json`: what it is called in a report (docs/numerics.md)
    "rate": "Largest rate of a process \N{MULTIPLICATION SIGN} step",
    "movement": "Largest rate of crawling \N{MULTIPLICATION SIGN} sub-step",
    "growth": "Largest growth of a kind of cell in a step",
    "residual": "Worst residual of a signal, in tolerances",
    "clipping": "Most of a signal clipped at zero in a step, in tolerances",
}
AIMS = ("rate", "growth")  # the step is chosen for them from what the last one met; the others stop a run


@dataclass(frozen=True)
class LedgerRow:
    """One kind of cell or one signal of one organ: how much went through, and how much of it is unaccounted for."""

    organ: str
    name: str
    kind: str
    turnover: float
    gap: float
    clipped: float

    @property
    def relative(self) -> float:
        """The gap as a share of the turnover."""
        return abs(self.gap) / self.turnover if self.turnover > 0.0 else 0.0


@dataclass(frozen=True)
class Parameter:
    """A line of the model's parameters."""

    name: str
    value: str
    grade: str
    source: str


def ledger(run: Run) -> list[LedgerRow]:
    """Return the ledger of the last row of the totals, for every organ, cell and signal that has one.

    Cells: all that came (initial, entered, gained, ...) less all that went (lost, left) against the cells counted.
    Signals: what the solver reports as its own imbalance, and what was clipped at zero.
    """
    totals, rows = run.totals, []
    last = {
        str(name): float(column.values[-1])
        for name, column in totals.data_vars.items()
        if column.sizes.get("time")
    }
    for column in last:
        organ, _, rest = column.partition(".")
        if rest.endswith(".ledger.initial"):
            name = rest.split(".")[0]
            came, went = (
                sum(last.get(f"{organ}.{name}.ledger.{line}", 0.0) for line in lines)
                for lines in (CELLS_IN, CELLS_OUT)
            )
            present = last[name if organ == POOLS else f"{organ}.{name}.sum"]
            rows.append(LedgerRow(organ, name, "cell", came, came - went - present, 0.0))
        elif rest.endswith(".ledger.source"):
            name = rest.split(".")[0]
            source, gap, clipped = (
                last[f"{organ}.{name}.ledger.{line}"] for line in ("source", "imbalance", "clipped")
            )
            rows.append(LedgerRow(organ, name, "signal", source, gap, clipped))
    return rows


def ledger_summary(rows: list[LedgerRow]) -> list[dict[str, str]]:
    """Return the ledger in a few lines: cells and signals of each organ."""
    lines = []
    for organ in dict.fromkeys(row.organ for row in rows):
        for kind, unit in (("cell", "cells"), ("signal", "amol")):
            own = [row for row in rows if row.organ == organ and row.kind == kind]
            if not own:
                continue
            worst = max(own, key=lambda row: row.relative)
            lines.append(
                {
                    "organ": "blood, nodes, marrow" if organ == POOLS else organ_text(organ),
                    "what": f"{len(own)} kinds of cells" if kind == "cell" else f"{len(own)} signals",
                    "turnover": f"{_power(sum(row.turnover for row in own))} {unit}",
                    "gap": _gap(worst, unit),
                    "clipped": "none"
                    if kind == "cell"
                    else f"{_power(sum(abs(row.clipped) for row in own))} {unit}",
                }
            )
    return lines


def _gap(worst: LedgerRow, unit: str) -> str:
    if worst.gap == 0.0:
        return f"0 {unit}"
    return f"{worst.relative:.1e} of its turnover ({worst.name.replace('_', ' ')})"


def _power(value: float) -> str:
    return "0" if value == 0.0 else f"{value:.2e}".replace("e+", "e")


def stability(run: Run) -> dict[str, str]:
    """Return how long the steps were and what bounds them, in words; empty for a run that did not write its steps."""
    if STEP not in run.totals:
        return {}
    steps = run.totals[STEP].values
    steps = steps[np.isfinite(steps)]
    time = run.scenario.get("time", {})
    longest, shortest = _in_days(time.get("maximum_step")), _in_days(time.get("minimum_step"))
    result = {"Steps": f"{_length(float(steps.min()))} to {_length(float(steps.max()))}"}
    if longest:
        share = float(np.mean(steps < 0.5 * longest))
        result["Bound by fast processes or events"] = percent(f"in {share:.0%} of the rows written")
    if shortest:
        result["Shortest step allowed"] = f"{_length(shortest)}; a process that needs less stops the run"
    return result | measured_margins(run)


def measured_margins(run: Run) -> dict[str, str]:
    """Return how near the steps came to each bound, and in which organ; empty for a run that did not record it."""
    file = run.path / STABILITY
    if not file.is_file():
        return {}
    recorded = json.loads(file.read_text(encoding="utf-8"))
    lines = {}
    for key, name in MARGINS.items():
        organ, largest = max(
            ((organ, seen[key]) for organ, seen in recorded["organs"].items()), key=lambda each: each[1]
        )
        limit, where = recorded["limits"][key], f" ({organ_text(organ).lower()})" if largest > 0.0 else ""
        bound = "aim" if key in AIMS else "bound"
        over = "" if largest <= limit else "; above it for one step, after which steps became shorter"
        lines[name] = f"{largest:.2g}{where}, {bound} {limit:g}{over}"
    return lines


def _in_days(text: Any) -> float | None:
    """Return the number of a resolved length of time, such as '0.3333 day' or 0.25."""
    if text is None:
        return None
    return float(str(text).split()[0])


def _length(days: float) -> str:
    minutes = days * 1440.0
    return f"{minutes:.3g} min" if minutes < 90.0 else f"{minutes / 60.0:.3g} h"


def parameters(run: Run) -> list[Parameter]:
    """Return the parameters of the model as the run folder holds them; empty if it has no `model.txt`."""
    file = run.path / MODEL_TREE
    if not file.is_file():
        return []
    found = [PARAMETER.match(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows = [Parameter(**match.groupdict()) for match in found if match is not None]
    if not rows:
        raise InputError(f"'{file}' lists no parameters; it is not the tree of a model")
    return rows


def grade_table(rows: list[Parameter]) -> list[dict[str, str]]:
    """Return how many parameters have each grade, with what the grade means."""
    counts = Counter(row.grade for row in rows)
    return [
        {"grade": grade, "meaning": meaning, "count": str(counts[grade]),
         "share": percent(f"{counts[grade] / len(rows):.0%}")}
        for grade, meaning in GRADES.items()
        if counts[grade]
    ]  # fmt: skip

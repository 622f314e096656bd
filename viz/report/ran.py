"""What was run: patient, organs, treatments on a line of time, the certificate of the product, how to do it again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..plots.catalogue import organ_text
from ..style import day_text
from ..treatment import day_label

if TYPE_CHECKING:
    from tissuesim.run import Run

    from ..plots.courses import Courses

PRODUCT, RESETS = "product.json", "resets.json"
DISEASES = {
    "sle": "systemic lupus erythematosus",
    "ssc": "systemic sclerosis",
    "iim": "idiopathic inflammatory myopathy",
}


def facts(courses: Courses) -> list[tuple[str, str]]:
    """Return patient, disease, organs and model as pairs of a name and a text."""
    run, scenario = courses.run, courses.run.scenario
    rows = []
    if weight := _kilograms(scenario.get("patient", {}).get("body_weight")):
        rows.append(("Virtual patient", f"{weight:g} kg, seed {run.provenance.get('seed', '?')}"))
    if disease := scenario.get("disease"):
        rows.append(("Disease", DISEASES.get(str(disease), str(disease))))
    first, last = courses.span
    rows.append(("Time", f"{day_text(first)} to {day_text(last)} ({day_label(courses.treatments)})"))
    rows += [(organ_text(name).capitalize(), _organ(run, name)) for name in run.organs]
    rows.append(("Model", str(scenario.get("model", "unknown"))))
    kind = "whole cells, random events" if scenario.get("stochastic", True) else "expected values, no chance"
    rows.append(("Cells", kind))
    return rows


def _organ(run: Run, name: str) -> str:
    known = run.provenance.get("tissues", {}).get(name, {})
    dataset = run[name]
    if "center" in dataset:
        return f"{dataset.sizes.get('cell', 0):,} cells of a mesh"
    voxels, spacing = int((dataset["volume"].values > 0.0).sum()), float(dataset.attrs["spacing_mm"])
    volume = known.get("volume_ml", float(dataset["volume"].sum()) / 1000.0)
    text = f"{volume:.4g} mL in {voxels:,} voxels of {spacing:g} mm"
    return f"{text}; {known['anatomy']}" if "anatomy" in known else text


def _kilograms(mass: Any) -> float | None:
    """Return a resolved body weight, such as '70000000.0 mg' or '70 kg', in kg."""
    if mass is None:
        return None
    number, _, unit = str(mass).partition(" ")
    factor = {"kg": 1.0, "g": 1e-3, "mg": 1e-6, "": 1.0}.get(unit.strip())
    return None if factor is None else float(number) * factor


def timeline(courses: Courses) -> list[dict[str, Any]]:
    """Return every treatment with its days and its places on a line of time, in percent of the run.

    What was done more than once is one row with several ``marks``; a mark before the run begins stands at its edge.
    """
    first, last = courses.span
    scale = 100.0 / (last - first)

    def place(day: float) -> float:
        return round(min(max((day - first) * scale, 0.0), 100.0), 3)

    rows: dict[str, dict[str, Any]] = {}
    for treatment in courses.treatments:
        event = treatment.end is None
        end = treatment.start if treatment.end is None else treatment.end
        row = rows.setdefault(treatment.name, {"name": treatment.name, "when": [], "marks": []})
        row["when"].append(
            _number(treatment.start) if event else f"{_number(treatment.start)} to {_number(end)}"
        )
        left = place(treatment.start)
        row["marks"].append({"left": left, "width": round(place(end) - left, 3), "event": event})
    return [
        {**row, "when": f"{'day' if len(row['when']) == 1 else 'days'} {', '.join(row['when'])}"}
        for row in rows.values()
    ]


def _number(day: float) -> str:
    return day_text(day).removeprefix("day ")


def certificates(run: Run) -> list[dict[str, Any]]:
    """Return the certificates of the cell products, as the run folder holds them (none in older runs)."""
    file = run.path / PRODUCT
    if not file.is_file():
        return []
    loaded = json.loads(file.read_text(encoding="utf-8"))
    return list(loaded) if isinstance(loaded, list) else [loaded]


def resets(run: Run) -> list[dict[str, str]]:
    """Return when each compartment lost its last autoreactive B cell (nothing for older runs)."""
    file = run.path / RESETS
    if not file.is_file():
        return []
    content = json.loads(file.read_text(encoding="utf-8"))
    return [
        {
            "place": organ_text(name),
            "day": "" if row["last_day"] is None else day_text(round(float(row["last_day"]), 2)),
            "left": f"{int(row['cells_left']):,}",
        }
        for name, row in content["compartments"].items()
    ]


def command(run: Run) -> str:
    """Return the command line that made the run, as it can be typed again."""
    words = [str(word) for word in run.provenance.get("command", [])]
    if not words:
        return ""
    program = Path(words[0]).name
    return shlex.join([program if program != "__main__.py" else "tissuesim", *words[1:]])


def versions(run: Run) -> list[tuple[str, str]]:
    """Return what the result depends on beside the config: seed, commit, versions, machine."""
    known = run.provenance
    rows = [("Seed", known.get("seed")), ("Backend", known.get("backend")), ("Started", known.get("started"))]
    rows += [("Commit", known.get("git_commit")), ("Model digest", known.get("model"))]
    rows += [("Python", known.get("python")), ("Machine", known.get("platform"))]
    found = ", ".join(f"{name} {version}" for name, version in known.get("versions", {}).items())
    rows.append(("Packages", found))
    return [(name, str(value)) for name, value in rows if value]

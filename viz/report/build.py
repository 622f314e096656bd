"""`write_report`: everything a run says, in one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tissuesim import __version__
from tissuesim.errors import InputError
from tissuesim.readouts.clinical_endpoints import VISITS
from tissuesim.run import Run

from ..plots.courses import Courses
from ..plots.figures import courses_of
from ..style import day_text, title_text
from . import charts, pictures, ran, story, trust, volume

TEMPLATES = Path(__file__).with_name("templates")
FILE = "report.html"
LARGEST = 15_000_000  # bytes of a page
MOST_RUNS = 4


def write_report(
    run: Run | Path | str,
    out: Path | str | None = None,
    against: Sequence[Run | Path | str] = (),
    scorecard: Mapping[str, Any] | None = None,
) -> Path:
    """Write the report of ``run``, held against other runs if given, and return the file.

    ``out`` is an ``.html`` file or a folder (default: the run folder, ``report.html``). ``scorecard`` is the result of
    ``tissuesim verify`` on this machine, as ``tissuesim.verification.saved`` keeps it. InputError for a run without
    time series, for more than four runs, or if the page would be too large.
    """
    if len(against) >= MOST_RUNS:
        raise InputError(
            f"against: {len(against)} runs are given; at most {MOST_RUNS - 1} can be told apart in one chart"
        )
    runs = courses_of(run, against)
    page = render(runs, scorecard)
    if len(page.encode()) > LARGEST:
        raise InputError(
            f"the report would have {len(page.encode()) / 1e6:.0f} MB, and {LARGEST / 1e6:.0f} MB is the limit"
        )
    path = _target(runs[0].run, out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def render(runs: Sequence[Courses], scorecard: Mapping[str, Any] | None) -> str:
    """Return the page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    main = runs[0]
    organs = main.run.organs
    sections, behind = charts.sections(runs)
    scenes = volume.scenes(main.run, organs)
    parameters = trust.parameters(main.run)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = day_text
    visits = story.visits(runs)
    seen = [number for number in range(len(VISITS)) if any(visit.values[number] for visit in visits)]
    return environment.get_template("report.html").render(
        title=title_text(main.name),
        description=str(main.run.scenario.get("description") or "").strip(),
        status=main.run.status["status"],
        headline=story.headline(main),
        state=story.state(main),
        states=story.STATES,
        runs=[{"name": one.name, "state": story.state(one), "headline": story.headline(one)} for one in runs],
        facts=ran.facts(main),
        timeline=ran.timeline(main),
        span=main.span,
        certificates=ran.certificates(main.run),
        outcomes=story.outcomes(runs),
        visits=[replace(visit, values=tuple(visit.values[number] for number in seen)) for visit in visits],
        visit_days=[VISITS[number] for number in seen],
        resets=ran.resets(main.run),
        stills=pictures.stills(runs),
        maps=pictures.maps(main.run, organs),
        scenes=[scene["name"] for scene in scenes],
        scene_data=as_script(scenes),
        sections=sections,
        chart_data=as_script(behind),
        ledger=trust.ledger_summary(trust.ledger(main.run)),
        stability=trust.stability(main.run),
        scorecard=scorecard,
        grades=trust.grade_table(parameters) if parameters else [],
        parameters=parameters,
        command=ran.command(main.run),
        versions=ran.versions(main.run),
        version=__version__,
    )


def as_script(content: Any) -> str:
    """Return ``content`` as JSON that can stand inside a script element."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _target(run: Run, out: Path | str | None) -> Path:
    """Return ``out`` if it is an HTML file, else ``report.html`` in the folder ``out`` or in the run folder."""
    if out is not None and Path(out).suffix in (".html", ".htm"):
        return Path(out)
    return (Path(out) if out is not None else run.path) / FILE

"""What ``tissuesim bench`` does: a suite, and the ratios that are held to stored ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tissuesim.backends.base import load_backend
from tissuesim.bench.compare import best_ratios, falls, read_ratios, sections_of
from tissuesim.bench.suite import FULL, QUICK, SECTIONS, Progress, run_suite

ROUNDS = 3
"""Times that a section is measured at most before a ratio in it counts as fallen: others may use the machine."""


def measure(
    backend: str, quick: bool, sections: Sequence[str] | None, compare: Path | None, progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    """Return the report, and a sentence per ratio that fell by more than 30 %.

    Raises:
        InputError: an unknown backend or section, or no ratios to compare with.
    """
    stored = None if compare is None else read_ratios(compare)
    suite, loaded = QUICK if quick else FULL, load_backend(backend)
    report = run_suite(suite, loaded, progress, sections or SECTIONS)
    if stored is None:
        return report, []
    reports = [report]
    fallen = falls(stored, best_ratios(reports))
    while fallen and len(reports) < ROUNDS:
        progress(f"{len(fallen)} ratios are low; measuring their sections again")
        again = [name for name in sections_of(fallen) if name in SECTIONS]
        reports.append(run_suite(suite, loaded, progress, again))
        fallen = falls(stored, best_ratios(reports))
    report["guarded"] = {key: round(value, 4) for key, value in best_ratios(reports).items() if key in stored}
    return report, [str(fall) for fall in fallen]

"""The scorecard of this machine, kept so that a report can say what its solver was held to."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from tissuesim import __version__
from tissuesim.cache_folder import cache_folder
from tissuesim.verification.check import Check

FILE = "scorecard.json"


def save_scorecard(checks: Sequence[Check], *, quick: bool) -> None:
    """Keep ``checks`` in the cache folder, with version and time.

    A quick scorecard does not replace a full one of the same version. A folder that cannot be written is let be: the
    next report then says that nothing was checked.
    """
    path = cache_folder() / FILE
    before = saved_scorecard()
    if quick and before is not None and not before["quick"]:
        return
    content = {
        "version": __version__,
        "when": datetime.now(UTC).isoformat(timespec="minutes"),
        "quick": quick,
        "passed": all(check.passed for check in checks),
        "checks": [asdict(check) for check in checks],
    }
    unfinished = path.with_suffix(f".{os.getpid()}.partial")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(content), encoding="utf-8")
        unfinished.replace(path)


def saved_scorecard() -> dict[str, Any] | None:
    """Return the kept scorecard of this version, or None if there is none."""
    try:
        content = json.loads((cache_folder() / FILE).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return dict(content) if content.get("version") == __version__ else None

"""The run directory: its name, its birth and its status file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal, get_args

from tissuesim.errors import InputError, nearest
from tissuesim.run.files import plain, write_json, write_text

Status = Literal["running", "interrupted", "finished", "failed"]
STATUSES: tuple[str, ...] = get_args(Status)

CONFIG = "config.yaml"  # as the user gave it
SCENARIO = "scenario.yaml"  # resolved, loadable
STATUS = "status.json"
PROVENANCE = "provenance.json"
FIELDS = "fields.zarr"
TOTALS = "totals.zarr"
RESETS = "resets.json"
STABILITY = "stability.json"
CHECKPOINTS = "checkpoints"
PICTURES = "pictures"


def create_run_directory(
    root: Path | str,
    name: str,
    config_text: str,
    scenario: Mapping[str, Any],
    out: Path | str | None = None,
) -> Path:
    """Make a new run directory and return its path.

    Without ``out`` it is ``root/<name>-<UTC yyyymmddThhmmss>-<hash8>``, where hash8 belongs to the resolved
    scenario; a directory is never used twice (a counter is added when two runs start in one second). With
    ``out`` it is exactly that path, which must be new or empty. The directory receives ``config.yaml`` (the
    text as given), ``scenario.yaml`` (``scenario``, a plain mapping) and an empty ``checkpoints``.

    Raises InputError when ``out`` holds something already or a file stands in the way.
    """
    import yaml

    scenario_text = yaml.safe_dump(
        json.loads(json.dumps(scenario, default=plain)), sort_keys=False, allow_unicode=True, width=110
    )
    path = _claim(Path(out)) if out is not None else _new(Path(root), name, scenario_text)
    write_text(path / CONFIG, config_text)
    write_text(path / SCENARIO, scenario_text)
    (path / CHECKPOINTS).mkdir()
    return path


def _new(root: Path, name: str, scenario_text: str) -> Path:
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "run"
    digest = hashlib.sha256(scenario_text.encode()).hexdigest()[:8]
    stem = f"{slug}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{digest}"
    try:
        root.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"'{root}' is not a folder, so no run can be written into it.") from None
    for attempt in count(1):
        path = root / (stem if attempt == 1 else f"{stem}-{attempt}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise AssertionError("unreachable: count() has no end")


def _claim(path: Path) -> Path:
    if path.is_dir() and any(path.iterdir()):
        raise InputError(
            f"out: '{path}' exists and is not empty; name a new folder, or continue it with resume."
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"out: '{path}' cannot be a run folder, a file of that name exists.") from None
    return path


def write_status(path: Path | str, status: Status, **facts: Any) -> None:
    """Replace ``status.json`` of the run directory ``path`` by ``status``, the time (UTC) and ``facts``."""
    if status not in STATUSES:
        raise ValueError(f"status '{status}' is not one of {', '.join(STATUSES)}{nearest(status, STATUSES)}")
    updated = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(Path(path) / STATUS, {"status": status, "updated": updated, **facts})


def read_status(path: Path | str) -> dict[str, Any]:
    """Return the content of ``status.json`` in the run directory ``path``; InputError if there is none."""
    file = Path(path) / STATUS
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"'{path}' is not a run directory: it has no {STATUS}.") from None
    except json.JSONDecodeError as error:
        raise InputError(f"'{file}' is damaged: {error}.") from None
    return dict(content)

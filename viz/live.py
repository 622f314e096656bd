"""Follow a run that is still going on: one picture that is drawn anew whenever a frame arrives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tissuesim.errors import InputError
from tissuesim.run import Run, read_status
from tissuesim.run.directory import FIELDS, TOTALS

from .render import FIELD, default_view, render_run
from .stage import check_view

SECONDS_BETWEEN_LOOKS = 1.0
GOING_ON = "running"


def follow(
    path: Path | str,
    organ: str | None = None,
    field: str | None = None,
    out: Path | str | None = None,
    view: str | None = None,
    seconds: float = SECONDS_BETWEEN_LOOKS,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[float, Path]]:
    """Yield (day, picture) for each newest frame of the run at ``path``, until the run has ended.

    The picture is ``live.png`` in ``out`` (default: ``pictures`` of the run), replaced as a whole each time, so that
    a viewer that watches the file never sees half of it. Colors run to the highest value so far. The last frame of
    a run that has ended is drawn too. ``seconds`` is how often the store is looked at.
    """
    last: float | None = None
    while True:
        going = (
            read_status(path)["status"] == GOING_ON
        )  # before the frames: none can come after an end that was seen
        day = _newest(path, organ)
        if day is not None and day != last:
            last = day
            yield day, _draw(Run(path), day, organ, field, out, view)
        elif not going:
            return
        else:
            wait(seconds)


def _newest(path: Path | str, organ: str | None) -> float | None:
    """Return the day of the newest frame that all shown organs have, or None if there is none yet."""
    if not all((Path(path) / store).is_dir() for store in (FIELDS, TOTALS)):
        return None
    run = Run(path)  # anew, since an open store keeps what it has read
    days = []
    for name in run.organs if organ is None else (organ,):
        dataset = run[name]
        written = dataset["frame_written"].values
        if not written.any():
            return None
        days.append(float(dataset["time"].values[written.nonzero()[0][-1]]))
    return min(days)


def _draw(
    run: Run, day: float, organ: str | None, field: str | None, out: Path | str | None, view: str | None
) -> Path:
    folder = Path(out) if out is not None else run.path / "pictures"
    if folder.suffix:
        raise InputError(f"--out: '{out}' is a file; a run is followed in a folder, as live.png")
    shown = check_view(view or default_view(run, organ))
    partial = folder / ".live.partial.png"
    render_run(run, [day], organ, field if field is not None else FIELD, partial, shown)
    target = folder / "live.png"
    partial.replace(target)
    return target

"""What ``tissuesim render`` does: stills, a comparison, a movie, or pictures that follow a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tissuesim.errors import InputError


def draw(
    run: Path,
    *,
    days: Sequence[float] | None = None,
    organ: str | None = None,
    field: str | None = None,
    view: str | None = None,
    against: Path | None = None,
    movie: bool = False,
    live: bool = False,
    out: Path | None = None,
) -> Iterator[str]:
    """Draw ``run`` as asked and yield the lines to print: the files, the last line being their folder.

    InputError for options that exclude each other, and for what `render.render_run` refuses.
    """
    if sum((against is not None, movie, live)) > 1:
        raise InputError("--against, --movie and --live exclude each other")
    from .render import PICTURES

    one = against is not None or live or (days is not None and len(days) == 1)
    if out is not None and out.suffix in PICTURES and not (one or movie):
        raise InputError(f"--out: '{out}' is one file, and more than one picture is drawn; name a folder")
    if live:
        yield from _followed(run, days, organ, field, view, out)
        return
    paths: list[Path]
    if movie:
        from .movie import render_movie

        paths = render_movie(run, organ, field, out, view, days)
    elif against is not None:
        from .render import compare

        paths = [compare(run, against, days, organ, field, out, view)]
    else:
        from .render import render_run

        paths = render_run(run, days, organ, field, out, view)
        if days is None:  # the whole set: its last picture is the course
            from .timeseries import plot_timeseries

            paths.append(plot_timeseries(run, out=out))
    yield from map(str, paths)
    yield f"Pictures are in {paths[-1].resolve().parent}"


def _followed(
    run: Path,
    days: Sequence[float] | None,
    organ: str | None,
    field: str | None,
    view: str | None,
    out: Path | None,
) -> Iterator[str]:
    from .live import follow

    if days is not None:
        raise InputError("--day: a run that is followed shows its newest day")
    for day, path in follow(run, organ, field, out, view):
        yield f"day {day:g}: {path}"

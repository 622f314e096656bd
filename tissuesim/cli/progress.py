"""How far a run is, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .interrupt import Interrupt


@contextmanager
def progress_of(silent: bool, interrupt: Interrupt) -> Iterator[Callable[[float, float, float, float], None]]:
    """Give the callback of a run: a progress bar on stderr unless silent, and the way to interrupt."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("day {task.fields[day]:7.1f}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[rate]:.2e} voxel-updates/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=60.0, disable=silent)
    with bar:
        task = bar.add_task("run", total=1.0, day=0.0, rate=0.0)

        def show(day: float, end_day: float, start_day: float, voxel_updates_per_second: float) -> None:
            done = (day - start_day) / (end_day - start_day)
            bar.update(task, completed=done, day=day, rate=voxel_updates_per_second)
            if interrupt.requested:
                raise KeyboardInterrupt

        yield show

"""Stopping a run from outside: it ends between two steps and can be resumed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from .options import EXIT_INTERRUPTED
from .printing import stop


@dataclass
class Interrupt:
    """Whether somebody wants the run to stop; it then stops between two steps."""

    requested: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; the second one stops at once."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        print("Stopping after this step (once more: at once)", file=sys.stderr)


@contextmanager
def interruptible(folder: Path) -> Iterator[Interrupt]:
    """Ctrl-C, or the termination signal of a cluster, ends a run with the way to go on."""
    interrupt = Interrupt()
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    except KeyboardInterrupt:
        stop(f"Interrupted. Go on with: tissuesim resume {folder}", EXIT_INTERRUPTED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

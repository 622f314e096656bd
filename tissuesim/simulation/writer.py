"""Writing beside the computation: one thread, in the order in which things were handed to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

LARGEST_QUEUE = 4
"""Tasks that may wait: each holds a copy of the fields, so memory bounds them."""


class Writer:
    """Writes what it is given, in that order. An error of a task is raised by a later call, at the latest ``close``.

    After an error nothing more is written, not even what was handed over before the error was raised: a checkpoint must
    not be on disk when a frame before it is not.
    """

    def __init__(self) -> None:
        """Start nothing yet; the thread begins with the first task."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tissuesim-writer")
        self._waiting: deque[Future[None]] = deque()
        self._error: BaseException | None = None

    @property
    def failed(self) -> bool:
        """Whether something that was handed over is not written and never will be."""
        return self._error is not None

    def write(self, task: Callable[[], None], *, wait: bool) -> None:
        """Do a task after all earlier ones; ``wait`` until it is done."""
        self._waiting.append(self._thread.submit(self._do, task))
        while self._waiting and (wait or len(self._waiting) > LARGEST_QUEUE or self._waiting[0].done()):
            self._waiting.popleft().result()

    def close(self) -> None:
        """Wait for everything. Tasks may be written again afterwards."""
        while self._waiting:
            self._waiting.popleft().result()
        # an interrupt may have taken the call that would have raised it
        if self._error is not None:
            raise self._error

    def _do(self, task: Callable[[], None]) -> None:
        if self._error is not None:
            raise self._error
        try:
            task()
        except BaseException as error:
            self._error = error
            raise

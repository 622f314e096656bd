"""The few calls of CuPy that the cuda backend makes, on the host: the same glue runs in tests without a GPU.

Kernels are the CUDA texts compiled by g++. It is as strict as a device: arrays are opaque (no arithmetic, nothing
implicit to NumPy), fresh memory holds rubbish, a recorded graph runs only when it is launched, and the copy stream does
its work as late as it may.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from .host import call, load

RUBBISH = 0xA5
WORKING = threading.RLock()


class Memory:
    """What the emulated device has, and what is in use."""

    total = 8 * 2**30
    used = 0
    peak = 0

    @classmethod
    def take(cls, size: int) -> None:
        """Allocate."""
        cls.used += size
        cls.peak = max(cls.peak, cls.used)


class Buffer:
    """Memory of the device, given back when the last array on it is gone."""

    def __init__(self, size: int) -> None:
        """Fill it with rubbish: nobody may count on zeros."""
        self.bytes = np.full(size, RUBBISH, np.uint8)
        Memory.take(size)

    def __del__(self) -> None:
        """Give it back."""
        Memory.used -= self.bytes.size


class MemoryPointer:
    """``array.data``."""

    def __init__(self, values: np.ndarray) -> None:
        """Point to the values of an array."""
        self.values = values

    def copy_from_device_async(self, source: MemoryPointer, size: int, stream: Stream) -> None:
        """Copy on the device."""
        assert size == source.values.nbytes == self.values.nbytes
        target, there = self.values, source.values
        stream.do(lambda: np.copyto(target, there))


class ndarray:  # noqa: N801 - the name in CuPy
    """An opaque array: shape and type can be read, values only by ``get``."""

    def __init__(self, values: np.ndarray, buffer: Buffer) -> None:
        """Look at memory of the device."""
        self._values, self._buffer = values, buffer
        self.shape, self.dtype, self.size = values.shape, values.dtype, values.size
        self.ndim, self.nbytes = values.ndim, values.nbytes
        self.data = MemoryPointer(values)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, key: int | slice) -> ndarray:
        if isinstance(key, int) and not 0 <= key < len(self):
            raise IndexError(key)
        return ndarray(np.asarray(self._values[key]), self._buffer)

    def view(self, dtype: Any) -> ndarray:
        """The same bytes as another type."""
        return ndarray(self._values.view(dtype), self._buffer)

    def reshape(self, *shape: int) -> ndarray:
        """The same numbers in another shape."""
        return ndarray(self._values.reshape(*shape), self._buffer)

    def get(self, stream: Stream, out: np.ndarray | None = None, blocking: bool = True) -> np.ndarray:
        """Copy to the host."""
        target = np.empty(self.shape, self.dtype) if out is None else out
        stream.do(lambda: np.copyto(target, self._values))
        if blocking:
            assert not stream.recording, "a recorded stream cannot be waited for"
            stream.synchronize()
        return target

    def set(self, values: np.ndarray, stream: Stream) -> None:
        """Copy from the host."""
        assert values.shape == self.shape and values.dtype == self.dtype
        kept = values.copy()
        stream.do(lambda: np.copyto(self._values, kept))


class Event:
    """A point in the work of a stream."""

    def __init__(self, block: bool = False, disable_timing: bool = False) -> None:
        """Belong to no stream yet."""
        self.stream: Stream | None = None

    def synchronize(self) -> None:
        """Wait."""
        assert self.stream is not None, "not recorded"
        self.stream.synchronize()


class Graph:
    """Recorded work."""

    def __init__(self, work: list[Callable[[], None]]) -> None:
        """Keep it."""
        self.work = work
        self.launches = 0

    def launch(self, stream: Stream) -> None:
        """Do it."""
        self.launches += 1
        for action in self.work:
            stream.do(action)


class Stream:
    """Work in order. The stream in use for kernels works at once; another one as late as it may."""

    current: list[Stream] = []  # noqa: RUF012 - the stack of "with" statements, as in CuPy

    def __init__(self, non_blocking: bool = False) -> None:
        """Nothing to do yet."""
        assert non_blocking
        self.recording: list[Callable[[], None]] | None = None
        self.waiting: list[Callable[[], None]] = []
        self.used_for_kernels = False

    def __enter__(self) -> Stream:
        Stream.current.append(self)
        self.used_for_kernels = True
        return self

    def __exit__(self, *error: object) -> None:
        Stream.current.pop()

    def do(self, action: Callable[[], None]) -> None:
        """Record, do or remember."""
        if self.recording is not None:
            self.recording.append(action)
        elif self.used_for_kernels:
            action()
        else:
            self.waiting.append(action)

    def synchronize(self) -> None:
        """Do what waits; another thread that waits too goes on when it is done, not when it is begun."""
        with WORKING:
            while self.waiting:
                self.waiting.pop(0)()

    def record(self, event: Event | None = None) -> Event:
        """A point in the work."""
        event = event or Event()
        event.stream = self
        return event

    def wait_event(self, event: Event) -> None:
        """Do nothing before the event."""
        self.waiting.append(event.synchronize)

    def begin_capture(self) -> None:
        """Record from here on."""
        assert self.recording is None
        self.recording = []

    def end_capture(self) -> Graph:
        """What was recorded."""
        assert self.recording is not None
        work, self.recording = self.recording, None
        return Graph(work)


def _array(shape: tuple[int, ...], dtype: Any) -> ndarray:
    buffer = Buffer(int(np.prod(shape)) * np.dtype(dtype).itemsize)
    return ndarray(buffer.bytes.view(dtype).reshape(shape), buffer)


def empty(shape: tuple[int, ...], dtype: Any) -> ndarray:
    """Fresh memory."""
    return _array(shape, dtype)


def zeros(shape: tuple[int, ...], dtype: Any) -> ndarray:
    """Zeros, set on the current stream."""
    array = _array(shape, dtype)
    Stream.current[-1].do(lambda: array._values.fill(0))
    return array


def asarray(values: np.ndarray) -> ndarray:
    """Host to device, on the current stream."""
    array = _array(values.shape, values.dtype)
    array.set(np.ascontiguousarray(values), Stream.current[-1])
    return array


class RawKernel:
    """A kernel: every thread of the grid is done by one call."""

    def __init__(self, function: Any) -> None:
        """Wrap a function of a library."""
        self.function = function

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
        """Launch on the current stream."""
        assert 1 <= len(grid) <= 3 and block == (256,) and all(0 < size < 2**31 for size in grid)
        held = tuple(a._values if isinstance(a, ndarray) else a for a in arguments)
        owners = [a for a in arguments if isinstance(a, ndarray)]
        Stream.current[-1].do(lambda: call(self.function, held) or owners.clear)


class RawModule:
    """Compiled text."""

    def __init__(self, path: str) -> None:
        """Load it."""
        self.loaded = load(Path(path))

    def get_function(self, name: str) -> RawKernel:
        """A kernel by name."""
        return RawKernel(getattr(self.loaded, name))


def alloc_pinned_memory(size: int) -> bytearray:
    """Memory of the host."""
    return bytearray(size)


class Device:
    """The one device."""

    id = 0
    compute_capability = "90"


def get_default_memory_pool() -> Any:
    """Nothing is kept for reuse."""
    return SimpleNamespace(free_bytes=lambda: 0)


runtime = SimpleNamespace(
    getDeviceCount=lambda: 1,
    memGetInfo=lambda: (Memory.total - Memory.used, Memory.total),
    getDeviceProperties=lambda device: {
        "name": b"Emulated device",
        "totalGlobalMem": Memory.total,
        "multiProcessorCount": 2,
        "maxThreadsPerMultiProcessor": 2048,
    },
)
cuda = SimpleNamespace(
    Stream=Stream, Event=Event, Device=Device, alloc_pinned_memory=alloc_pinned_memory, runtime=runtime
)

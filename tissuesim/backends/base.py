"""What a backend is: arrays, transport, exchange and generated programs behind one set of names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError, nearest

BACKENDS = ("numpy", "numba", "cuda")


@dataclass(frozen=True)
class Mesh:
    """A tissue as the operators of a backend read it; faces in the order -x +x -y +y -z +z.

    ``region`` (n,), ``neighbors`` and ``geometry`` = conductance / volume [1/mm^2] (n, 6), ``volume`` [mm^3] and its
    inverse (n,), ``box_index`` (n,), ``order``: the voxels by rising box index.
    """

    region: Any
    neighbors: Any
    geometry: Any
    volume: Any
    inverse_volume: Any
    box_index: Any
    order: Any


@dataclass(frozen=True)
class Workspace:
    """What an operator needs for itself; nothing lasts beyond it, so these arrays may share memory.

    ``spare``, ``right_hand_side``, ``diagonal`` (n, signals); ``weights`` of entry (n, influxes) float64 [1/day];
    ``outflow`` of moving cells per face (n, 6).
    """

    spare: Any
    right_hand_side: Any
    diagonal: Any
    weights: Any
    outflow: Any


@dataclass(frozen=True)
class ColumnFacts:
    """Per column of rows: sum, sum weighted with volume, max(-x, 0) and max(x, 0); NaN where there is a NaN."""

    total: NDArray[np.float64]
    weighted: NDArray[np.float64]
    below_zero: NDArray[np.float64]
    greatest: NDArray[np.float64]


@dataclass(frozen=True)
class Backend:
    """One way to carry out a step. The modules of all backends have the same functions.

    ``arrays``: where fields live. ``transport``: sweeps of signals. ``movement``: crawling cells. ``exchange``: placing
    arrivals. ``ledger``: sums and residual of the signal solve. ``compile_programs(programs, dtype, stem)``: generated
    programs as functions with ``codegen.ARGUMENTS``. ``host``: the backend of the pools, which stay on the host.
    ``reason``: why this one, for the user.
    """

    name: str
    arrays: ModuleType
    transport: ModuleType
    movement: ModuleType
    exchange: ModuleType
    ledger: ModuleType
    compile_programs: Callable[..., dict[str, Callable[..., Any]]]
    reason: str = ""
    on_host: Backend | None = None

    @property
    def host(self) -> Backend:
        """The backend that computes the pools."""
        return self.on_host or self

    @property
    def labels(self) -> ModuleType:
        """What draws for the labels of clones, which stay on the host."""
        return import_module(f"tissuesim.backends.{self.host.name}.labels")


def load_backend(name: str) -> Backend:
    """The backend of that name; ``auto`` is cuda where a device can be used, else numba, else numpy.

    Raises:
        InputError: unknown name, or something it needs is not installed.
    """
    if name == "auto":
        return _choose()
    if name not in BACKENDS:
        raise InputError(
            f"backend: '{name}' is not one of auto, {', '.join(BACKENDS)}{nearest(name, BACKENDS)}"
        )
    return _load(name, f"{name}, as asked for")


def _choose() -> Backend:
    from tissuesim.backends.cuda.device import device_name, missing

    lacking = missing()
    if lacking is None:
        return _load("cuda", f"cuda on {device_name()}")
    no_device = lacking.split(";")[0]
    if _numba_available():
        return _load("numba", f"numba on the CPU (cuda would need {no_device})")
    return _load(
        "numpy", f"numpy, much slower than numba, which is not installed (cuda would need {no_device})"
    )


def _load(name: str, reason: str) -> Backend:
    on_host = None
    if name == "numba" and not _numba_available():
        raise InputError("backend: 'numba' needs the package numba; install it with: pip install numba")
    if name == "cuda":
        from tissuesim.backends.cuda.device import missing

        lacking = missing()
        if lacking is not None:
            raise InputError(f"backend: 'cuda' needs {lacking}")
        on_host = _load("numba" if _numba_available() else "numpy", "")
    rooms = ("arrays", "transport", "movement", "exchange", "ledger", "programs")
    modules = {room: import_module(f"tissuesim.backends.{name}.{room}") for room in rooms}
    compile_programs = modules.pop("programs").compile_programs
    return Backend(name, **modules, compile_programs=compile_programs, reason=reason, on_host=on_host)


def _numba_available() -> bool:
    return find_spec("numba") is not None

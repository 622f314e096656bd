"""What a backend is: arrays, transport, exchange and generated programs behind one set of names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tissuesim.errors import InputError, nearest

BACKENDS = ("numpy", "numba")


@dataclass(frozen=True)
class Backend:
    """One way to carry out a step. The modules of all backends have the same functions.

    ``transport``: sweeps and residuals of signals. ``movement``: crawling cells. ``exchange``:
    placing arrivals. ``ledger``: sums and residual of the signal solve.
    ``compile_programs(programs, dtype, stem)``: generated programs as functions with ``codegen.ARGUMENTS``.
    """

    name: str
    transport: ModuleType
    movement: ModuleType
    exchange: ModuleType
    ledger: ModuleType
    compile_programs: Callable[..., dict[str, Callable[..., Any]]]


def load_backend(name: str) -> Backend:
    """The backend of that name; ``auto`` is numba where it can be imported, else numpy.

    Raises:
        InputError: unknown name, or numba asked for and not installed.
    """
    if name == "auto":
        name = "numba" if _numba_available() else "numpy"
    if name not in BACKENDS:
        raise InputError(
            f"backend: '{name}' is not one of auto, {', '.join(BACKENDS)}{nearest(name, BACKENDS)}"
        )
    if name == "numba":
        if not _numba_available():
            raise InputError("backend: 'numba' needs the package numba; install it with: pip install numba")
        from tissuesim.backends.numba import exchange, ledger, movement, programs, transport

        return Backend(name, transport, movement, exchange, ledger, programs.compile_programs)
    from tissuesim.backends.numpy import exchange as numpy_exchange
    from tissuesim.backends.numpy import ledger as numpy_ledger
    from tissuesim.backends.numpy import movement as numpy_movement
    from tissuesim.backends.numpy import programs as numpy_programs
    from tissuesim.backends.numpy import transport as numpy_transport

    return Backend(
        name, numpy_transport, numpy_movement, numpy_exchange, numpy_ledger, numpy_programs.compile_programs
    )


def _numba_available() -> bool:
    from importlib.util import find_spec

    return find_spec("numba") is not None

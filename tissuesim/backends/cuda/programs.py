"""Generated programs as kernels; their sums stay on the device until somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tissuesim.backends.cuda.launch import blocks, launch, load_text
from tissuesim.backends.cuda.source import program_source
from tissuesim.backends.cuda.sums import Partials
from tissuesim.codegen.instructions import Program


class Results:
    """Totals, sums and maxima of a launch: unpacking them waits for the device."""

    def __init__(self, program: Program, partials: Partials | None, real: type[Any]) -> None:
        """Keep where they will be."""
        self._program, self._partials, self._real = program, partials, real

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Totals (int64), sums (float64) and maxima (real), in the order of the other backends."""
        sums, totals = len(self._program.sums), len(self._program.totals)
        values = np.zeros(0) if self._partials is None else self._partials.values()
        yield values[sums : sums + totals].astype(np.int64)
        yield values[:sums]
        yield values[sums + totals :].astype(self._real)


def _callable(program: Program, dtype: DTypeLike) -> Callable[..., Results]:
    real = np.dtype(dtype).type
    function = load_text(program_source(program), np.dtype(dtype)).get_function(program.name)
    added = len(program.sums) + len(program.totals)
    rows = added + len(program.maxima)

    def call(
        signals: Any, cells: Any, states: Any, maps: Any, loss: Any, right_hand_side: Any, out: Any, volume: Any,
        inverse_volume: Any, region: Any, parameters: Any, scalars: Any, box_index: Any, order: Any, dt: Any,
        operator: int, tick: int, substep: int, key0: int, key1: int,
    ) -> Results:  # fmt: skip
        n = int(volume.size)
        partials = Partials(rows, added, n) if rows else None
        words = (np.uint32(word & 0xFFFFFFFF) for word in (operator, tick, substep, key0, key1))
        launch(
            function, (blocks(n),), n, signals, cells, states, maps, loss, right_hand_side, out, volume, region,
            parameters, int(parameters.shape[1]), scalars, box_index, real(dt), *words,
            volume if partials is None else partials.array,
        )  # fmt: skip
        return Results(program, None if partials is None else partials.join(), real)

    return call


def compile_programs(
    programs: Iterable[Program], dtype: DTypeLike, stem: str
) -> dict[str, Callable[..., Results]]:
    """Functions by program name, with the arguments of ``codegen.ARGUMENTS``; machine code is kept across runs."""
    return {program.name: _callable(program, dtype) for program in programs}

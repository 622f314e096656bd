"""All items, in the order they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tissuesim.doctor import graphics_card, libraries, pictures, processor, storage, tools
from tissuesim.doctor.check import Check, Row

PICTURES = Check("VTK rendering", pictures.rendering, partial(libraries.install, "pyvista"))

CHECKS = (
    Check("Python", libraries.python, lambda: libraries.INSTALL_PYTHON),
    Check("Libraries", libraries.libraries, lambda: libraries.INSTALL),
    Check("NumPy", libraries.numpy, partial(libraries.reinstall, "numpy")),
    Check("Numba", processor.numba, partial(libraries.reinstall, "numba")),
    Check("Numba threads", processor.threads, processor.choose_threads, required=False),
    Check("Zarr", storage.zarr, partial(libraries.reinstall, "zarr")),
    PICTURES,
    Check("Kernel cache", storage.kernel_cache, lambda: storage.OTHER_CACHE),
    Check("Run folder", storage.run_folder, lambda: storage.OTHER_RUN_FOLDER),
    Check("NVIDIA driver", graphics_card.driver, graphics_card.install_driver, required=False),
    Check("CuPy", graphics_card.cupy, graphics_card.reinstall, required=False),
    Check("Device memory", graphics_card.memory, graphics_card.reinstall, required=False),
    Check("NVRTC", graphics_card.nvrtc, graphics_card.reinstall, required=False),
    Check("Dask", tools.dask, lambda: tools.INSTALL_DASK, required=False),
    Check("g++", tools.compiler, lambda: tools.INSTALL_COMPILER, required=False),
)


def examine(checks: Iterable[Check] = CHECKS) -> list[Row]:
    """Try out every item and return one row for each, in the same order."""
    chosen = list(checks)
    with ThreadPoolExecutor(max_workers=1) as beside:
        # The picture is drawn by another process, which takes as long as all the rest.
        later = {check: beside.submit(check.row) for check in chosen if check is PICTURES}
        return [
            row if isinstance(row, Row) else row.result()
            for row in [later.get(check) or check.row() for check in chosen]
        ]


def passed(rows: Iterable[Row]) -> bool:
    """Whether everything that a run needs is there."""
    return not any(row.fails for row in rows)

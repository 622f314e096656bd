"""What is written: Zarr stores, generated kernels, run folders."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tissuesim.cache_folder import cache_folder
from tissuesim.doctor.check import TroubleError
from tissuesim.doctor.libraries import load, reinstall
from tissuesim.run.layout import add_values, create_store

OTHER_TEMPORARY_FOLDER = "mkdir -p ~/tmp && export TMPDIR=~/tmp"
OTHER_CACHE = "export TISSUESIM_CACHE=/tmp/tissuesim-cache"
OTHER_RUN_FOLDER = "tissuesim run CONFIG --out /larger/disk/my_run"
LEAST_FREE_BYTES = 2_000_000_000  # a few runs of the shipped configs


def zarr() -> str:
    """Write a small array in the format of a run, in a temporary folder, and read it again."""
    import numpy as np

    library, version = load("zarr")
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    try:
        with tempfile.TemporaryDirectory(prefix="tissuesim-doctor-") as folder:
            path = Path(folder) / "store.zarr"
            create_store(path, lambda root: add_values(root, "box", ("z", "y", "x"), values, {}))
            array = library.open_group(path, mode="r")["box"]
            found, form = array[...], array.metadata.zarr_format
    except OSError as error:
        place = os.environ.get("TMPDIR") or "the temporary folder"
        raise TroubleError(
            f"{version}, cannot write in {place}: {error.strerror or error}", OTHER_TEMPORARY_FOLDER
        ) from None
    if form != 3 or not np.array_equal(found, values):
        raise TroubleError(f"{version}, an array of format {form} came back changed", reinstall("zarr"))
    return f"{version}, wrote and read an array of format {form}"


def kernel_cache() -> str:
    """Write a file beside the generated kernels."""
    folder = cache_folder() / "generated"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="doctor-"):
            kept = len(list(folder.glob("*.py")))
    except OSError as error:
        raise TroubleError(f"cannot write in {folder}: {error.strerror or error}", OTHER_CACHE) from None
    return f"{short(folder)}, {kept} kept"


def run_folder() -> str:
    """Write a file in the current folder, where runs are kept, and ask how much space is left."""
    try:
        folder = Path.cwd()
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        raise TroubleError(
            f"cannot write in the current folder: {error.strerror or error}", OTHER_RUN_FOLDER
        ) from None
    found = f"{free / 1e9:.1f} GB free in {short(folder)}"
    if free < LEAST_FREE_BYTES:
        raise TroubleError(f"only {found}", OTHER_RUN_FOLDER)
    return found


def short(folder: Path) -> str:
    """Return a folder with the home folder written as ``~``."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if home in folder.parents else str(folder)

"""What only some need: Dask for many runs at once, g++ for the tests."""

from __future__ import annotations

import shutil
import subprocess

from tissuesim.doctor.check import TroubleError
from tissuesim.doctor.libraries import load

INSTALL_DASK = 'pip install "dask[distributed]"'
INSTALL_COMPILER = "apt-get install g++"


def dask() -> str:
    """Add two numbers through Dask, by its threads."""
    try:
        library, version = load("dask")
        load("distributed")
    except TroubleError as trouble:
        raise TroubleError(trouble.found, INSTALL_DASK, missing=True) from None
    total = library.delayed(sum)([1, 2]).compute(scheduler="threads")
    if total != 3:
        raise TroubleError(f"{version}, but 1 + 2 gives {total}", INSTALL_DASK)
    return f"{version}, ran a task"


def compiler() -> str:
    """Compile an empty C++ program."""
    path = shutil.which("g++")
    if path is None:
        raise TroubleError("not there; only the tests need it", INSTALL_COMPILER, missing=True)
    done = subprocess.run(
        [path, "-std=c++17", "-fsyntax-only", "-x", "c++", "-"],
        input="#include <cmath>\nint main() { return 0; }\n",
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if done.returncode != 0:
        raise TroubleError("cannot compile an empty program", INSTALL_COMPILER)
    version = subprocess.run(
        [path, "-dumpfullversion"], capture_output=True, text=True, timeout=10, check=True
    )
    return f"{version.stdout.strip()}, for the tests"

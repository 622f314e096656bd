"""VTK: a small scene is drawn by another process, so that a graphics driver that crashes ends only that one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tissuesim.doctor.check import TroubleError
from tissuesim.doctor.libraries import install

SECONDS = 12.0
COMMAND = (sys.executable, "-P", "-m", "tissuesim.doctor.scene")
INSTALL_OPENGL = "apt-get install libegl1 libgl1 libgl1-mesa-dri"
INSTALL_VTK = "pip install --force-reinstall vtk pyvista"


def rendering() -> str:
    """Let another process draw a ball and say with what it did."""
    # As for the pictures of a run: without a window system, since an X server that is gone would end the renderer.
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    try:
        done = subprocess.run(
            COMMAND, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        raise TroubleError(f"no picture within {SECONDS:.0f} s", install_opengl()) from None
    if done.returncode < 0:
        raise TroubleError(f"the renderer was ended by signal {-done.returncode}", install_opengl())
    if done.returncode != 0:
        raise _trouble(done)
    facts = json.loads(done.stdout.splitlines()[-1])
    if facts["colors"] < 2:
        raise TroubleError(f"{facts['vtk']} draws an empty picture ({facts['window']})", install_opengl())
    return f"{facts['vtk']}, drew a ball with {facts['renderer']}"


def install_opengl() -> str:
    """Return the line that installs OpenGL; other systems bring it, and there VTK itself is installed again."""
    return INSTALL_OPENGL if sys.platform == "linux" else INSTALL_VTK


def _trouble(done: subprocess.CompletedProcess[str]) -> TroubleError:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    last = lines[-1] if lines else f"the renderer ended with code {done.returncode}"
    if last.startswith("ModuleNotFoundError"):
        return TroubleError(last.partition(": ")[2], install("pyvista"), missing=True)
    return TroubleError(last, install_opengl())

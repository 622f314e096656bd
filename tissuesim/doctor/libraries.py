"""Python and the libraries that tissuesim is installed with: there, new enough, and working."""

from __future__ import annotations

import platform
import re
import sys
from importlib import import_module, metadata
from typing import Any

from tissuesim.doctor.check import TroubleError

OLDEST_PYTHON = (3, 11)
INSTALL_PYTHON = "install Python 3.11 or newer: python.org/downloads"
INSTALL = "pip install tissuesim"
REQUIREMENT = re.compile(r"([\w.-]+)\s*>=\s*([\d.]+)$")


def python() -> str:
    """Hold the version of Python against the oldest that will do."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise TroubleError(f"{found}, too old", INSTALL_PYTHON)
    return found


def libraries() -> str:
    """Hold the versions of all required libraries against those tissuesim asks for."""
    try:
        own = metadata.version("tissuesim")
    except metadata.PackageNotFoundError:
        raise TroubleError("tissuesim runs from its sources, not installed", "pip install .") from None
    oldest, missing, old = oldest_versions(), [], []
    for name, version in oldest.items():
        try:
            if numbers(metadata.version(name)) < numbers(version):
                old.append(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing or old:
        told = [f"without {', '.join(missing)}"] * bool(missing) + [f"too old: {', '.join(old)}"] * bool(old)
        raise TroubleError("; ".join(told), INSTALL, missing=bool(missing))
    return f"tissuesim {own} and the {len(oldest)} libraries it asks for"


def numpy() -> str:
    """Add up a thousand numbers."""
    library, version = load("numpy")
    total = int(library.arange(1000, dtype=library.int64).sum())
    if total != 499_500:
        raise TroubleError(f"{version}, but 0 + 1 + ... + 999 gives {total}", reinstall("numpy"))
    return version


def load(name: str) -> tuple[Any, str]:
    """Import a library and return it with its version; TroubleError if it is absent or older than it should be."""
    try:
        library = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise  # the library is there, and something it needs itself is not
        raise TroubleError(f"no package {name}", install(name), missing=True) from None
    version = str(library.__version__)
    oldest = oldest_versions().get(name, "0")
    if numbers(version) < numbers(oldest):
        raise TroubleError(f"{version}, older than {oldest}", install(name))
    return library, version


def oldest_versions() -> dict[str, str]:
    """Return the oldest version of each required library; none is known of sources that are not installed."""
    try:
        lines = metadata.requires("tissuesim") or []
    except metadata.PackageNotFoundError:
        return {}
    found = [REQUIREMENT.match(line.strip()) for line in lines]  # lines of extras end in a condition
    return {match[1]: match[2] for match in found if match}


def install(name: str) -> str:
    """Return the line that installs a library, or brings it up to what tissuesim asks for."""
    oldest = oldest_versions().get(name)
    return f'pip install "{name}>={oldest}"' if oldest else f"pip install {name}"


def reinstall(name: str) -> str:
    """Return the line that installs a library again that is there and does not work."""
    return f"pip install --force-reinstall {name}"


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, such as (2, 1, 0) of ``2.1.0rc1``."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])

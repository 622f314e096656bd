"""Where a result came from: command, seed, versions, machine, commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from tissuesim.run.directory import PROVENANCE
from tissuesim.run.files import write_json

PACKAGES = ("tissuesim", "numpy", "numba", "llvmlite", "cupy", "zarr", "xarray", "pint", "pyvista", "vtk")


def provenance(command: Sequence[str], seed: int, backend: str, **facts: Any) -> dict[str, Any]:
    """Return what is needed to repeat a run: command, seed, backend, versions, machine and ``facts``.

    ``git_commit`` is the commit of the checkout this package is imported from, with ``-modified`` when the
    checkout has uncommitted changes, and None when the package is installed without one.
    """
    return {
        "command": list(command),
        "seed": seed,
        "backend": backend,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "versions": package_versions(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cpu_count": os.cpu_count(),
        "git_commit": git_commit(Path(__file__).resolve().parents[2]),
        **facts,
    }


def write_provenance(path: Path | str, content: dict[str, Any]) -> None:
    """Write ``content`` to ``provenance.json`` of the run directory ``path``."""
    write_json(Path(path) / PROVENANCE, content)


def package_versions() -> dict[str, str]:
    """Return the installed version of each package a result can depend on; absent ones are left out."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_commit(checkout: Path) -> str | None:
    """Return the commit of ``checkout`` (``-modified`` if its files differ), or None if it is no checkout."""
    if not (checkout / ".git").exists():
        return None
    commit = _git(checkout, "rev-parse", "HEAD")
    if commit is None:
        return None
    return commit + ("-modified" if _git(checkout, "status", "--porcelain", "--untracked-files=no") else "")


def _git(checkout: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(checkout), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()

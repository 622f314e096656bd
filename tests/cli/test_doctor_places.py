"""``tissuesim doctor``: pictures, stores, folders, and what only some need."""

from __future__ import annotations

import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from tissuesim.doctor import Row, pictures, storage, tools

Look = Callable[[str], Row]
Without = Callable[[str], None]


@pytest.mark.parametrize(
    ("code", "state", "found", "mend"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "problem",
            "ended by signal 11",
            pictures.INSTALL_OPENGL,
        ),
        ("import time; time.sleep(60)", "problem", "no picture within", pictures.INSTALL_OPENGL),
        ("import pivista", "missing", "No module named 'pivista'", 'pip install "pyvista>=0.44"'),
        ("raise OSError('libGL.so.1: cannot open')", "problem", "libGL.so.1", pictures.INSTALL_OPENGL),
        (
            'print(\'{"vtk": "9.5", "window": "W", "renderer": "R", "colors": 1}\')',
            "problem",
            "empty picture",
            pictures.INSTALL_OPENGL,
        ),
    ],
)
def test_a_renderer_that_dies_takes_nothing_with_it(
    monkeypatch: pytest.MonkeyPatch, code: str, state: str, found: str, mend: str, look: Look
) -> None:
    """A crash, a hang, a missing library, a blank picture: each is a row, and OpenGL comes with the line."""
    monkeypatch.setattr(pictures, "COMMAND", (sys.executable, "-c", code))
    monkeypatch.setattr(pictures, "SECONDS", 0.5 if "sleep" in code else 30.0)
    monkeypatch.setattr(pictures.sys, "platform", "linux")
    row = look("VTK rendering")
    assert (row.state, row.mend, row.fails) == (state, mend, True)
    assert found in row.found


def test_a_temporary_folder_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, look: Look
) -> None:
    """Zarr has no place for its array: the row names the reason, the line chooses another folder."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    row = look("Zarr")
    assert (row.state, row.mend) == ("problem", storage.OTHER_TEMPORARY_FOLDER)
    assert "cannot write" in row.found and "Not a directory" in row.found


def test_an_array_that_comes_back_changed(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """Reading is compared with what was written, not only done."""
    add_values = storage.add_values
    monkeypatch.setattr(
        storage,
        "add_values",
        lambda root, name, dims, values, facts: add_values(root, name, dims, values + 1, facts),
    )
    row = look("Zarr")
    assert (row.state, row.mend) == ("problem", "pip install --force-reinstall zarr")


def test_a_disk_that_is_nearly_full(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """A run would end with half its frames: less than 2 GB is a problem, and the run may go elsewhere."""
    usage = types.SimpleNamespace(free=2_000_000_000)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda folder: usage)
    assert look("Run folder").state == "ok"
    usage.free = 1_900_000_000
    row = look("Run folder")
    assert (row.state, row.mend) == ("problem", storage.OTHER_RUN_FOLDER)
    assert row.found.startswith("only 1.9 GB")


def test_a_current_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """No run folder can be made in the current folder: said before a run tries."""

    def refuse(dir: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(storage.tempfile, "TemporaryFile", refuse)
    row = look("Run folder")
    assert (row.state, row.mend) == ("problem", storage.OTHER_RUN_FOLDER)
    assert "Permission denied" in row.found


def test_dask_needs_its_other_half(monkeypatch: pytest.MonkeyPatch, look: Look, without: Without) -> None:
    """Dask without its scheduler cannot spread runs; with it, a task is computed."""
    dask = types.ModuleType("dask")
    dask.__version__ = "2026.1.0"  # type: ignore[attr-defined]
    dask.delayed = lambda function: (  # type: ignore[attr-defined]
        lambda terms: types.SimpleNamespace(compute=lambda scheduler: function(terms))
    )
    monkeypatch.setitem(sys.modules, "dask", dask)
    without("distributed")
    assert look("Dask") == Row("Dask", "missing", "no package distributed", tools.INSTALL_DASK, False)
    distributed = types.ModuleType("distributed")
    distributed.__version__ = "2026.1.0"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "distributed", distributed)
    assert look("Dask") == Row("Dask", "ok", "2026.1.0, ran a task", None, False)


def test_no_compiler_for_the_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, look: Look) -> None:
    """g++ is not there, or refuses an empty program: neither stops a run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    row = look("g++")
    assert (row.state, row.mend, row.fails) == ("missing", tools.INSTALL_COMPILER, False)
    (tmp_path / "g++").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "g++").chmod(0o755)
    assert look("g++").state == "problem"

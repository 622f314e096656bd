"""``tissuesim doctor``: what it prints, how it ends, and the rows of Python, libraries and Numba."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tissuesim import cli
from tissuesim.backends.cuda import device
from tissuesim.doctor import (
    Check,
    Row,
    TroubleError,
    examine,
    graphics_card,
    libraries,
    passed,
    pictures,
    processor,
    storage,
    tools,
)
from tissuesim.doctor.table import print_table

Look = Callable[[str], Row]
Without = Callable[[str], None]
ITEMS = ["Python", "Libraries", "NumPy", "Numba", "Numba threads", "Zarr", "VTK rendering", "Kernel cache"]
ITEMS += ["Run folder", "NVIDIA driver", "CuPy", "Device memory", "NVRTC", "Dask", "g++"]
REQUIRED = {"Python", "Libraries", "NumPy", "Numba", "Zarr", "VTK rendering", "Kernel cache", "Run folder"}


def test_a_healthy_machine_passes_and_tells_a_program_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], look: Look
) -> None:
    """Here, where the tests run, all that a run needs is found to work: exit code 0, one object, one row per item."""
    drawn = look("VTK rendering")
    if drawn.state != "ok":
        pytest.skip(f"no 3D renderer on this machine: {drawn.found}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        cli.main(["doctor", "--json"])
    out = capfd.readouterr().out
    found = json.loads(out)
    assert out.count("\n") == 1 and list(found) == ["passed", "checks"]
    rows = {row["name"]: row for row in found["checks"]}
    assert list(rows) == ITEMS
    assert {row["name"] for row in rows.values() if row["required"]} == REQUIRED
    assert {row["state"] for row in rows.values() if row["required"]} == {"ok"}
    assert found["passed"] is True and end.value.code == 0
    for row in rows.values():
        assert list(row) == ["name", "state", "found", "mend", "required"]
        assert row["found"] and (row["mend"] is None) == (row["state"] == "ok")
    assert metadata.version("zarr") in rows["Zarr"]["found"] and "format 3" in rows["Zarr"]["found"]
    assert list(tmp_path.iterdir()) == []


def test_what_a_run_needs_fails_and_what_it_can_do_without_does_not(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 if and only if something required is wrong; the item is named again below the table."""

    def trouble() -> str:
        raise TroubleError("is bad", "pip install it", missing=True)

    for required in (True, False):
        check = Check("Thing", trouble, lambda: "never", required=required)
        monkeypatch.setattr("tissuesim.doctor.examine", lambda check=check: examine([check]))
        with pytest.raises(SystemExit) as end:
            cli.main(["doctor"])
        out = capfd.readouterr().out
        assert int(end.value.code or 0) == (1 if required else 0)
        assert ("missing" if required else "not there") in out and "pip install it" in out
        assert ("A run needs what is wrong with: Thing." in out) is required


def test_an_error_nobody_foresaw_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that fails in its own way is told in one line, and the next item is looked at."""

    def fail() -> str:
        raise OSError("first line\nsecond line")

    rows = examine([Check("A", fail, lambda: "mend A"), Check("B", lambda: "fine", lambda: "mend B")])
    assert rows[0] == Row("A", "problem", "OSError: first line", "mend A", True)
    assert rows[1] == Row("B", "ok", "fine", None, True)
    assert not passed(rows)


@pytest.mark.parametrize(
    ("name", "package", "line"),
    [
        ("NumPy", "numpy", 'pip install "numpy>=2.0"'),
        ("Numba", "numba", 'pip install "numba>=0.60"'),
        ("Zarr", "zarr", 'pip install "zarr>=3.0.8"'),
        ("Dask", "dask", 'pip install "dask[distributed]"'),
    ],
)
def test_a_package_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, line: str, look: Look, without: Without
) -> None:
    """It is missing, and the line installs it in the version tissuesim asks for."""
    without(package)
    assert look(name) == Row(name, "missing", f"no package {package}", line, name in REQUIRED)


def test_a_package_that_is_too_old(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """An old Zarr writes another format: the row has both versions, the line brings the newer one."""
    old = types.ModuleType("zarr")
    old.__version__ = "2.18.3"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "zarr", old)
    assert look("Zarr") == Row(
        "Zarr", "problem", "2.18.3, older than 3.0.8", 'pip install "zarr>=3.0.8"', True
    )


def test_a_package_whose_own_needs_are_missing(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """A broken install is no absent one: the package that lacks is named, and the line installs again."""
    monkeypatch.delitem(sys.modules, "numba")

    def find(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'llvmlite'", name="llvmlite")

    monkeypatch.setattr(libraries, "import_module", find)
    row = look("Numba")
    assert (row.state, row.mend) == ("problem", "pip install --force-reinstall numba")
    assert "llvmlite" in row.found


def test_libraries_are_held_against_what_the_project_asks_for(
    monkeypatch: pytest.MonkeyPatch, look: Look
) -> None:
    """Every library of pyproject.toml that is absent or old is named; extras are not asked for."""
    there = {name: version for name, version in libraries.oldest_versions().items() if name != "pint"}
    there |= {"tissuesim": "0.1.0", "xarray": "2024.1.0"}
    assert "cupy-cuda12x" not in there and {"rich", "pydantic"} <= set(there)

    def version(name: str) -> str:
        if name not in there:
            raise metadata.PackageNotFoundError(name)
        return there[name]

    monkeypatch.setattr(metadata, "version", version)
    row = look("Libraries")
    assert (row.state, row.found, row.mend) == ("missing", "without pint; too old: xarray", libraries.INSTALL)
    there |= {"pint": "1.0", "xarray": "2026.1"}
    assert look("Libraries").state == "ok"


def test_an_old_python(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """Python 3.10 is a problem that another Python mends."""
    monkeypatch.setattr(libraries.sys, "version_info", (3, 10, 12, "final", 0))
    row = look("Python")
    assert (row.state, row.mend, row.fails) == ("problem", libraries.INSTALL_PYTHON, True)


def doctor(folder: Path, **settings: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a doctor that starts with other settings, by name."""
    done = subprocess.run(
        [sys.executable, "-m", "tissuesim", "doctor", "--json"],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["passed"] else 1), done.stderr
    return {row["name"]: row for row in found["checks"]}


def test_settings_that_numba_refuses(tmp_path: Path) -> None:
    """A layer that does not exist stops Numba, a kernel cache in no folder stops it too: the lines undo both."""
    rows = doctor(tmp_path, NUMBA_THREADING_LAYER="abacus", TISSUESIM_CACHE="/dev/null/cache")
    assert rows["Numba"]["state"] == "problem" and "NUMBA_THREADING_LAYER=abacus" in rows["Numba"]["found"]
    assert rows["Numba"]["mend"].startswith("unset NUMBA_THREADING_LAYER")
    assert rows["Kernel cache"]["state"] == "problem"
    assert "cannot write in /dev/null/cache" in rows["Kernel cache"]["found"]
    assert rows["Kernel cache"]["mend"] == "export TISSUESIM_CACHE=/tmp/tissuesim-cache"
    assert rows["Zarr"]["state"] == "ok"


def test_numba_told_not_to_compile(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """A switch left from debugging makes a run some hundred times slower: it is a problem with its line."""
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    row = look("Numba")
    assert (row.state, row.mend) == ("problem", "unset NUMBA_DISABLE_JIT")


def test_more_threads_than_processors(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """Threads above what a container grants wait for each other; the line has the right number, nothing fails."""
    import numba

    monkeypatch.setattr(processor, "usable_processors", lambda: numba.get_num_threads())
    assert look("Numba threads").state == "ok"
    monkeypatch.setattr(processor, "usable_processors", lambda: numba.get_num_threads() - 1)
    row = look("Numba threads")
    assert (row.state, row.fails) == ("problem", False)
    assert row.mend == f"export NUMBA_NUM_THREADS={numba.get_num_threads() - 1}"
    monkeypatch.setenv("NUMBA_NUM_THREADS", "many")
    assert "'many'" in look("Numba threads").found


@pytest.mark.parametrize(
    ("files", "granted"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_container(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], granted: float | None
) -> None:
    """Both versions of control groups are read; a process gets whole processors, one at least, none above its own."""
    monkeypatch.setattr(processor, "CONTROL_GROUP", tmp_path)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert processor.processor_quota() == granted
    allowed = processor.usable_processors()
    monkeypatch.setattr(processor, "processor_quota", lambda: 0.5)
    assert processor.usable_processors() == 1 <= allowed


def test_lines_that_mend_stay_whole_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A line can be copied from the table as it is: none is broken, no bracket is taken for markup."""
    monkeypatch.setenv("COLUMNS", "80")
    # fmt: off
    lines = [
        libraries.INSTALL_PYTHON, libraries.INSTALL, libraries.install("pyvista"), "unset NUMBA_THREADING_LAYER",
        storage.OTHER_TEMPORARY_FOLDER, storage.OTHER_CACHE, storage.OTHER_RUN_FOLDER,
        pictures.INSTALL_OPENGL, pictures.INSTALL_VTK, graphics_card.reinstall(), graphics_card.install_driver(),
        processor.choose_threads(), tools.INSTALL_DASK, tools.INSTALL_COMPILER, device.install_command(),
    ]
    # fmt: on
    row = Row("VTK rendering", "missing", "found " * 30, None, False)
    print_table([replace(row, mend=line) for line in lines])
    out = capfd.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert [line for line in lines if line not in out] == []

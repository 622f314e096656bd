"""What is packaged, and what `import tissuesim` brings."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import tissuesim

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAPPED = {"tissuesim": ROOT / "tissuesim"} | {
    name: ROOT / folder for name, folder in PROJECT["tool"]["setuptools"]["package-dir"].items()
}


def package_of(folder: Path, name: str, top: Path) -> str:
    """Return the dotted name of a folder under a mapped package."""
    return ".".join([name, *folder.relative_to(top).parts])


def test_every_package_is_listed() -> None:
    """A new subpackage cannot be forgotten in the wheel, and none is listed that is not there."""
    on_disk = {
        package_of(init.parent, name, top)
        for name, top in MAPPED.items()
        for init in top.rglob("__init__.py")
    }
    assert on_disk == set(PROJECT["tool"]["setuptools"]["packages"])


def test_every_data_file_is_listed() -> None:
    """Every config, kernel and style that is read at run time is in the wheel."""
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    for name, top in MAPPED.items():
        listed = {path for pattern in patterns.get(name, []) for path in top.glob(pattern)}
        data = {
            path
            for path in top.rglob("*")
            if path.is_file()
            and path.suffix in {".yaml", ".cu", ".cuh", ".h", ".typed", ".html", ".css", ".js"}
        }
        assert data == listed, name


def test_the_wheel_holds_one_root(tmp_path: Path) -> None:
    """A plain install brings tissuesim and nothing called kernels, viz or configs."""
    copy = tmp_path / "source"  # a build leaves traces in its source folder
    copy.mkdir()
    for name in ("tissuesim", "kernels", "viz", "configs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    pip = [sys.executable, "-m", "pip", "wheel"]
    build = subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "-q", "-w", tmp_path, copy],
        capture_output=True,
        text=True,
    )
    assert build.returncode == 0, build.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"tissuesim"}
    assert {"tissuesim/configs/kidney_car_t.yaml", "tissuesim/py.typed"} <= set(names)
    assert any(name.startswith("tissuesim/kernels/") and name.endswith(".cuh") for name in names)


def run_python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter from another folder."""
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


def test_no_stray_top_level_packages(tmp_path: Path) -> None:
    """After the install `kernels`, `viz` and `configs` are found only inside tissuesim."""
    code = (
        "from importlib.util import find_spec as f;"
        "assert not any(f(n) for n in ('kernels', 'viz', 'configs'));"
        "assert all(f('tissuesim.' + n) for n in ('kernels', 'viz', 'configs'))"
    )
    done = run_python(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_import_is_light(tmp_path: Path) -> None:
    """`import tissuesim` brings in no library at all; each comes with its first use."""
    code = (
        "import sys; before = set(sys.modules); import tissuesim;"
        "roots = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(roots - set(sys.stdlib_module_names)))"
    )
    assert run_python(code, tmp_path).stdout.strip() == "['tissuesim']"


def test_every_public_name_is_there(tmp_path: Path) -> None:
    """Each name of the public list can be had, and another gets a plain AttributeError."""
    code = (
        "import tissuesim as ts;"
        "missing = [n for n in ts.__all__ if getattr(ts, n, None) is None]; assert not missing, missing;"
        "assert set(ts.__all__) == set(dir(ts)); assert not hasattr(ts, 'simulate')"
    )
    done = run_python(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_version_stands_once() -> None:
    """The version of the distribution is the one of the package."""
    assert version("tissuesim") == tissuesim.__version__
    assert f"## {tissuesim.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"version: {tissuesim.__version__}" in (ROOT / "CITATION.cff").read_text()

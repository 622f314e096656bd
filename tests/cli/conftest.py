"""What the tests of ``tissuesim doctor`` share: one item tried out, with the requirements of the project."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Give the function that tries one item out; an editable install may hold older requirements than the project."""
    from tissuesim.doctor import CHECKS

    extras = [
        f'{line}; extra == "{extra}"'
        for extra, lines in PROJECT["optional-dependencies"].items()
        for line in lines
    ]
    monkeypatch.setattr(metadata, "requires", lambda name: [*PROJECT["dependencies"], *extras])
    return lambda name: next(check for check in CHECKS if check.name == name).row()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give the function that lets the import of a package fail as if it were not installed."""
    return lambda name: monkeypatch.setitem(sys.modules, name, None)

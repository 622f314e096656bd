"""The catalogue of built-in anatomies."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from tissuesim.anatomy import CATALOGUE, build_tissue


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_entry_is_there(name: str) -> None:
    """Claim: each name is a function of the room, named after what it builds, that needs no argument."""
    entry = CATALOGUE[name]
    make = getattr(import_module(f"tissuesim.anatomy.{entry.module}"), name)
    assert all(item.default is not item.empty for item in inspect.signature(make).parameters.values())
    assert entry.kind == ("patch" if name.endswith("_patch") else "organ")
    assert 0.01 <= entry.spacing <= (0.05 if entry.kind == "patch" else 4.0)


def test_a_tissue_is_kept_and_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Claim: a tissue built twice is built once, under any name; another seed or spacing is another tissue."""
    from tissuesim.anatomy import build

    monkeypatch.setenv("TISSUESIM_CACHE", str(tmp_path))
    first = build_tissue("kidney", "kidney", 3.0)

    def never(*arguments: object) -> None:
        raise AssertionError("built again")

    with monkeypatch.context() as patch:
        patch.setattr(build, "_build", never)
        again = build_tissue("kidney", "left", 3.0)
        assert again.name == "left" and again.n == first.n
        assert again.named("kidney").digest() == first.digest()
        with pytest.raises(AssertionError, match="built again"):
            build_tissue("kidney", "kidney", 3.0, seed=2)
    (kept,) = (tmp_path / "tissues").iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    assert build_tissue("kidney", "kidney", 3.0).digest() == first.digest(), "a damaged file is built again"

"""Tissues kept in a file: NumPy's .npz, or a Zarr group that other programs can open."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tissuesim.errors import InputError, nearest
from tissuesim.tissue import Tissue

SUFFIXES = (".npz", ".zarr")
_KIND = "tissuesim tissue"
_MAPS = "maps"


def save_tissue(tissue: Tissue, path: str | Path) -> None:
    """Write a tissue to ``path``, whose suffix says how; an earlier tissue there is replaced.

    InputError if the suffix is unknown, the folder does not exist, or something else stands there.
    """
    path = _known(Path(path))
    if not path.parent.is_dir():
        raise InputError(f"tissue file '{path}': the folder '{path.parent}' does not exist")
    if path.suffix == ".npz":
        if path.is_dir():
            raise InputError(f"tissue file '{path}' is a folder; choose another name")
        tissue.save(path)
        return
    if path.exists() and not _is_tissue(path):
        raise InputError(f"'{path}' exists and is no tissue; choose another name")
    group = _zarr().open_group(str(path), mode="w")
    header: dict[str, Any] = {"kind": _KIND}
    for name in (field.name for field in fields(Tissue)):
        value = getattr(tissue, name)
        if isinstance(value, np.ndarray):
            group.create_array(name, data=np.asarray(value))
        elif name != _MAPS:
            header[name] = value
    maps = group.create_group(_MAPS)
    for name, values in tissue.maps.items():
        maps.create_array(name, data=np.asarray(values))
    group.attrs.update(header)


def load_tissue(path: str | Path) -> Tissue:
    """Return the checked tissue saved at ``path``; InputError if it is missing, foreign or damaged."""
    path = _known(Path(path))
    if path.suffix == ".npz":
        return Tissue.load(path)
    if not path.exists():
        raise InputError(f"tissue file '{path}' does not exist")
    try:
        group = _zarr().open_group(str(path), mode="r")
        content: dict[str, Any] = dict(group.attrs)
        if content.pop("kind", None) != _KIND:
            raise ValueError("it holds something else")
        content |= {name: array[:] for name, array in group.arrays()}
        content[_MAPS] = {name: array[:] for name, array in group[_MAPS].arrays()}
        for key in ("shape", "origin", "region_names"):
            content[key] = tuple(content[key])
        tissue = Tissue(**content)
    except Exception as error:  # zarr, its codecs and json each raise their own kinds
        raise InputError(
            f"'{path}' is not a readable tissue file ({' '.join(str(error).split())})"
        ) from error
    return tissue.check()


def _zarr() -> Any:
    return import_module("zarr")


def _known(path: Path) -> Path:
    if path.suffix not in SUFFIXES:
        raise InputError(
            f"tissue file '{path}' has the unknown kind '{path.suffix}'; "
            f"allowed are {', '.join(SUFFIXES)}{nearest(path.suffix, SUFFIXES)}"
        )
    return path


def _is_tissue(path: Path) -> bool:
    try:
        return bool(_zarr().open_group(str(path), mode="r").attrs.get("kind") == _KIND)
    except Exception:  # no Zarr group at all
        return False

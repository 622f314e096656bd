"""Model files: finding them, ``extends``, and the overrides of parameter values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from tissuesim.errors import InputError, nearest
from tissuesim.model.parts import SECTIONS, Parameter
from tissuesim.model.reader import TOP_KEYS, read_parts
from tissuesim.units import quantity
from tissuesim.yaml_file import kind, read_mapping

LONGEST_CHAIN = 8


def shipped_models() -> dict[str, Path]:
    """Return the model files that come with tissuesim, by name."""
    return {path.stem: path for path in sorted(_models_folder().glob("*.yaml"))}


def load_parts(name_or_path: str | Path, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the keyword arguments of `Model` from a shipped model or a file; parts are not checked together.

    Args:
        name_or_path: name of a shipped model, or path of a ``.yaml`` file.
        overrides: parameter values by name, quantities such as ``"1.1 1/day"``; regional values keep
            their ratio.
    """
    path = find(name_or_path)
    try:
        parts = read_parts(_resolved(path, ()))
    except InputError as error:
        raise InputError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
    for name, value in (overrides or {}).items():
        if name not in parts["parameters"]:
            raise InputError(f"parameters.{name}: unknown parameter{nearest(name, parts['parameters'])}")
        parts["parameters"][name] = overridden(parts["parameters"][name], value)
    return parts


def overridden(parameter: Parameter, value: object) -> Parameter:
    """Return the parameter with another value, given as a quantity."""
    number = quantity(value, parameter.unit, f"parameters.{parameter.name}")
    if parameter.range is not None and number < 0.0 <= parameter.range[0]:
        raise InputError(
            f"parameters.{parameter.name}: {value} is below zero, which '{parameter.label or parameter.name}' cannot be"
        )
    regions = {region: parameter.regional(region, number) for region in parameter.regions}
    return replace(parameter, value=number, formula=None, regions=regions)


def find(name_or_path: str | Path, beside: Path | None = None) -> Path:
    """Return the path of a model file; a relative path is taken from the folder ``beside``."""
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml")) or "/" in text or "\\" in text:
        path = (beside or Path()) / text
        if not path.is_file():
            there = [str(other.name) for other in path.parent.glob("*.yaml")]
            raise InputError(f"{path}: there is no such file{nearest(path.name, there)}")
        return path
    shipped = shipped_models()
    if text not in shipped:
        raise InputError(
            f"unknown model '{text}'{nearest(text, shipped)}; shipped are {', '.join(shipped) or 'none'}, "
            "or give the path of a .yaml file"
        )
    return shipped[text]


def _models_folder() -> Path:
    """Return the folder of the shipped models, installed or in a source checkout."""
    try:
        folder = Path(str(files("tissuesim.configs"))) / "models"
    except ModuleNotFoundError:  # a checkout on PYTHONPATH, where configs/ lies beside the package
        folder = Path(__file__).resolve().parents[2] / "configs" / "models"
    return folder


def _resolved(path: Path, chain: tuple[Path, ...]) -> dict[str, Any]:
    """Return the mapping of a file laid over that of the file it extends."""
    here = path.resolve()
    if here in chain:
        raise InputError(f"{path}: extends itself ({' -> '.join(step.stem for step in (*chain, here))})")
    if len(chain) >= LONGEST_CHAIN:
        raise InputError(f"{path}: a model extends at most {LONGEST_CHAIN} others in a row")
    data = read_mapping(path)
    for key in data:
        if key not in TOP_KEYS:
            raise InputError(f"{path}: '{key}' is an unknown key{nearest(key, TOP_KEYS)}")
    _write_out_definitions(data)
    extends = data.pop("extends", None)
    if extends is None:
        return data
    if not isinstance(extends, str):
        raise InputError(f"{path}: extends: the name or the path of a model is needed, not {kind(extends)}")
    try:
        base_path = find(extends, beside=path.parent)
    except InputError as error:
        raise InputError(f"{path}: extends: {error}") from None
    return merge(_resolved(base_path, (*chain, here)), data, str(path))


def _write_out_definitions(data: dict[str, Any]) -> None:
    """Bring the short form of definitions into the long one, so that both merge alike."""
    definitions = data.get("definitions")
    if isinstance(definitions, dict):
        for name, entry in definitions.items():
            if isinstance(entry, str | int | float) and not isinstance(entry, bool):
                definitions[name] = {"expression": entry}


def merge(base: Mapping[str, Any], top: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return ``base`` with ``top`` laid over it: mappings key by key, ``null`` removes, the rest replaces."""
    return _merge(base, top, where, "")


def _merge(base: Mapping[str, Any], top: Mapping[str, Any], where: str, prefix: str) -> dict[str, Any]:
    result = dict(base)
    for key, value in top.items():
        if value is None and prefix:
            if key not in result:
                raise InputError(f"{where}: {prefix}{key}: null removes nothing here{nearest(key, base)}")
            del result[key]
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = _merge(result[key], value, where, f"{prefix}{key}.")
        elif value is not None or key not in SECTIONS:
            result[key] = value
    return result

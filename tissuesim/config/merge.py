"""Deep merge of mappings, and ``--set a.b.c=value``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tissuesim.errors import InputError
from tissuesim.yaml_file import parse_yaml


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``above`` laid over ``below``: mappings key by key, the rest replaced; null removes."""
    merged = dict(below)
    for key, value in above.items():
        if value is None and key in merged:
            del merged[key]
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def apply_set(data: dict[str, Any], text: str) -> None:
    """Change ``data`` in place as ``a.b.0.c=value`` says; the value is read as YAML, null removes the key."""
    path, equals, value_text = text.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise InputError(f"--set {text!r}: write key=value, for example organs.kidney.spacing='4 mm'")
    value = parse_yaml(value_text, f"--set {path.strip()}")
    place: Any = data
    for depth, key in enumerate(keys[:-1]):
        place = _enter(place, key, ".".join(keys[: depth + 1]))
    last = keys[-1]
    if isinstance(place, list):
        place[_index(place, last, path.strip())] = value
    elif value is None:
        place.pop(last, None)
    else:
        place[last] = value


def _enter(place: Any, key: str, path: str) -> Any:
    """Return the mapping or list under ``key``, made if it is not there."""
    if isinstance(place, list):
        inner = place[_index(place, key, path)]
    else:
        inner = place.get(key)
        if inner is None:
            inner = place[key] = {}
    if not isinstance(inner, dict | list):
        raise InputError(f"--set {path}: {inner!r} is a single value and has no keys below it")
    return inner


def _index(entries: list[Any], key: str, path: str) -> int:
    if not key.isdecimal() or int(key) >= len(entries):
        allowed = f"0 to {len(entries) - 1}" if entries else "none, the list is empty"
        raise InputError(f"--set {path}: '{key}' is no place in this list (allowed: {allowed})")
    return int(key)

"""Readers of plain mesh files: STL, PLY, OBJ and OFF with NumPy, VTP and legacy VTK with VTK.

VTK's own STL, PLY and OBJ readers are not used: on a damaged file some return half a mesh, and one crashes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .gltf import Named
from .polygons import Corners, fan
from .vtk_files import read_polygons

_STL_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_STL_HEADER = 84
_PLY_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8"},
}
_PLY_ORDER = {"binary_little_endian": "<", "binary_big_endian": ">"}


def read_plain(path: Path) -> list[Named]:
    """Return the triangle parts of a .stl, .ply, .obj, .off, .vtp or .vtk file; InputError if it is damaged."""
    try:
        parts = _READERS[path.suffix.lower()](path)
        for name, points, triangles in parts:
            if triangles.size and (triangles.min() < 0 or triangles.max() >= len(points)):
                raise ValueError(f"part '{name}' names a point that does not exist")
    except InputError:
        raise
    except (ValueError, IndexError, KeyError, OverflowError, OSError, MemoryError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"'{path}' is damaged or not a readable {path.suffix} file: {reason}") from error
    return parts


def _read_stl(path: Path) -> list[Named]:
    data = path.read_bytes()
    count = int.from_bytes(data[80:_STL_HEADER], "little") if len(data) >= _STL_HEADER else 0
    expected = _STL_HEADER + count * _STL_TRIANGLE.itemsize
    if data.lstrip()[:5].lower() == b"solid" and len(data) != expected:
        corners = _ascii_stl_corners(data)
    elif len(data) < max(expected, _STL_HEADER):
        raise ValueError(f"it is cut short, {len(data)} bytes of {max(expected, _STL_HEADER)}")
    else:
        corners = np.frombuffer(data, _STL_TRIANGLE, count, _STL_HEADER)["corners"].astype(np.float64)
    return [(path.stem, corners.reshape(-1, 3), np.arange(corners.size // 3).reshape(-1, 3))]


def _ascii_stl_corners(data: bytes) -> NDArray[np.float64]:
    text = data.decode("ascii", errors="replace").lower()
    found = re.findall(r"vertex\s+(\S+)\s+(\S+)\s+(\S+)", text)
    if text.count("endfacet") * 3 != len(found) or "endsolid" not in text:
        raise ValueError("it is cut short, its last facet or its end is missing")
    return np.array(found, dtype=np.float64).reshape(-1, 3, 3)


def _read_obj(path: Path) -> list[Named]:
    """Read vertices and faces; objects ('o') are parts, groups ('g') are not: they often are mere patches."""
    points: list[list[float]] = []
    parts: list[tuple[str, list[list[int]]]] = [(path.stem, [])]
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            points.append([float(word) for word in words[1:4]])
        elif words[0] == "f":
            numbers = [int(word.partition("/")[0]) for word in words[1:]]
            parts[-1][1].append([number - 1 if number > 0 else len(points) + number for number in numbers])
        elif words[0] == "o":
            parts.append((" ".join(words[1:]) or path.stem, []))
    place = np.array(points, dtype=np.float64).reshape(-1, 3)
    return [(name, place, _fan_lists(faces)) for name, faces in parts if faces]


def _read_off(path: Path) -> list[Named]:
    """Read the Geomview Object File Format: OFF, counts, points, polygons; colors and normals are passed over."""
    lines = [line.partition("#")[0].split() for line in path.read_text("utf-8", "replace").splitlines()]
    lines = [words for words in lines if words]
    if not lines or not lines[0][0].upper().endswith("OFF") or lines[0][0].upper() in ("4OFF", "NOFF4"):
        raise ValueError("it does not begin with OFF")
    counts = lines[0][1:] or lines.pop(1)
    points, faces = int(counts[0]), int(counts[1])
    if points < 0 or faces < 0 or len(lines) < 1 + points + faces:
        raise ValueError("it is cut short")
    place = np.array([[float(word) for word in words[:3]] for words in lines[1 : 1 + points]]).reshape(-1, 3)
    polygons = []
    for words in lines[1 + points : 1 + points + faces]:
        corners = [int(word) for word in words[1 : 1 + int(words[0])]]
        if len(corners) != int(words[0]):
            raise ValueError("it is cut short")
        polygons.append(corners)
    return [(path.stem, place, _fan_lists(polygons))]


def _fan_lists(faces: list[list[int]]) -> Corners:
    sizes = np.array([len(face) for face in faces], dtype=np.int64)
    return fan(sizes, np.array([corner for face in faces for corner in face], dtype=np.int64))


def _read_ply(path: Path) -> list[Named]:
    data = path.read_bytes()
    end = re.search(rb"end_header\r?\n", data)
    if not data.startswith(b"ply") or end is None:
        raise ValueError("it has no PLY header")
    form, elements = _ply_header(data[: end.start()].decode("ascii", errors="replace"))
    body = data[end.end() :]
    if form == "ascii":
        columns = _ply_ascii(elements, body.decode("ascii", errors="replace").split())
    else:
        columns = _ply_binary(elements, body, _PLY_ORDER[form])
    points = np.stack([columns["vertex", axis][1].astype(np.float64) for axis in "xyz"], axis=1)
    key = next(
        (key for key in (("face", "vertex_indices"), ("face", "vertex_index")) if key in columns), None
    )
    if key is None:
        raise ValueError("it has no faces")
    sizes, corners = columns[key]
    return [(path.stem, points, fan(sizes, corners.astype(np.int64)))]


# element -> (count, [(property, value type, type of the list's length or None)])
_Elements = dict[str, tuple[int, list[tuple[str, str, str | None]]]]
# (element, property) -> (length of each list, all values end to end)
_Columns = dict[tuple[str, str], tuple[NDArray[np.int64], NDArray[Any]]]


def _ply_header(header: str) -> tuple[str, _Elements]:
    form, name = "", ""
    elements: _Elements = {}
    for words in (line.split() for line in header.splitlines()):
        if words[:1] == ["format"]:
            form = words[1]
        elif words[:1] == ["element"]:
            name = words[1]
            elements[name] = (int(words[2]), [])
        elif words[:2] == ["property", "list"]:
            elements[name][1].append((words[4], _PLY_TYPES[words[3]], _PLY_TYPES[words[2]]))
        elif words[:1] == ["property"]:
            elements[name][1].append((words[2], _PLY_TYPES[words[1]], None))
    if form != "ascii" and form not in _PLY_ORDER:
        raise ValueError(f"its format '{form}' is unknown")
    return form, elements


def _ply_ascii(elements: _Elements, words: list[str]) -> _Columns:
    columns: _Columns = {}
    position = 0
    for name, (count, properties) in elements.items():
        sizes: dict[str, list[int]] = {key: [] for key, _, _ in properties}
        values: dict[str, list[str]] = {key: [] for key, _, _ in properties}
        for _ in range(count):
            for key, _, counted in properties:
                size = 1
                if counted:
                    size, position = int(words[position]), position + 1
                if size < 0 or position + size > len(words):
                    raise ValueError("it is cut short")
                sizes[key].append(size)
                values[key] += words[position : position + size]
                position += size
        for key, kind, _ in properties:
            columns[name, key] = (
                np.array(sizes[key], np.int64),
                np.array(values[key], np.float64).astype(kind),
            )
    return columns


def _ply_binary(elements: _Elements, body: bytes, order: str) -> _Columns:
    columns: _Columns = {}
    position = 0
    for name, (count, properties) in elements.items():
        if count == 0 or not properties:
            continue
        row = _row_type(properties, body, position, order)
        if position + count * row.itemsize <= len(body):
            table = np.frombuffer(body, row, count, position)
            if all(
                (table[f"#{key}"] == table[f"#{key}"][0]).all() for key, _, counted in properties if counted
            ):
                position += count * row.itemsize
                for key, _, _ in properties:
                    values = table[key].reshape(count, -1)
                    columns[name, key] = (np.full(count, values.shape[1], np.int64), values.reshape(-1))
                continue
        position = _ply_rows(columns, name, count, properties, body, position, order)
    return columns


def _row_type(
    properties: list[tuple[str, str, str | None]], body: bytes, position: int, order: str
) -> np.dtype[Any]:
    """Return the record of the first row; all rows have it if no list changes its length."""
    fields: list[Any] = []
    for key, kind, counted in properties:
        if counted is None:
            fields.append((key, order + kind))
            position += np.dtype(kind).itemsize
        else:
            size = int(np.frombuffer(body, order + counted, 1, position)[0])
            fields += [(f"#{key}", order + counted), (key, order + kind, (max(size, 0),))]
            position += np.dtype(counted).itemsize + max(size, 0) * np.dtype(kind).itemsize
    return np.dtype(fields)


def _ply_rows(
    columns: _Columns,
    name: str,
    count: int,
    properties: list[tuple[str, str, str | None]],
    body: bytes,
    position: int,
    order: str,
) -> int:
    """Read rows whose lists differ in length one by one; return the position behind them."""
    sizes: dict[str, list[int]] = {key: [] for key, _, _ in properties}
    values: dict[str, list[NDArray[Any]]] = {key: [] for key, _, _ in properties}
    for _ in range(count):
        for key, kind, counted in properties:
            size = 1
            if counted:
                size = int(np.frombuffer(body, order + counted, 1, position)[0])
                position += np.dtype(counted).itemsize
                if size < 0:
                    raise ValueError("a list has a negative length")
            values[key].append(np.frombuffer(body, order + kind, size, position))
            sizes[key].append(size)
            position += size * np.dtype(kind).itemsize
    for key, _, _ in properties:
        columns[name, key] = (np.array(sizes[key], np.int64), np.concatenate(values[key]))
    return position


_READERS = {
    ".stl": _read_stl,
    ".ply": _read_ply,
    ".obj": _read_obj,
    ".off": _read_off,
    ".vtp": read_polygons,
    ".vtk": read_polygons,
}

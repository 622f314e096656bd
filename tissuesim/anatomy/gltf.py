"""Reader of glTF 2.0 triangle meshes (.glb, .gltf) that keeps part names and applies node transforms.

Specification: Khronos glTF 2.0, sections 3.6 (buffers, accessors), 3.5.3 (transforms), 4.4 (GLB container).
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

Named = tuple[str, NDArray[np.float64], NDArray[np.int64]]  # part name, points (p, 3), triangles (t, 3)
_COMPONENT: dict[int, np.dtype[Any]] = {
    5121: np.dtype("<u1"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
_WIDTH = {"SCALAR": 1, "VEC3": 3}
_TRIANGLES = 4
_GLB_MAGIC, _JSON_CHUNK, _BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942


def read_gltf(path: Path) -> list[Named]:
    """Return the triangle parts of the file's scene, in its units; InputError if damaged or unusual."""
    try:
        document, binary = _read_document(path)
        _refuse_extensions(path, document)
        return _Document(path, document, binary).parts()
    except InputError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OSError, struct.error) as error:
        raise InputError(f"'{path}' is not a readable glTF file ({type(error).__name__}: {error})") from error


def _read_document(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    if path.suffix.lower() == ".gltf":
        return json.loads(data.decode("utf-8")), b""
    magic, version, length = struct.unpack_from("<III", data)
    if magic != _GLB_MAGIC or version != 2:
        raise ValueError("no GLB version 2 header")
    if length > len(data):
        raise ValueError(f"{len(data)} bytes of {length}: the file is cut short")
    chunks: dict[int, bytes] = {}
    position = 12
    while position + 8 <= length:
        size, kind = struct.unpack_from("<II", data, position)
        chunks.setdefault(kind, data[position + 8 : position + 8 + size])
        position += 8 + size + (-size) % 4
    return json.loads(chunks[_JSON_CHUNK].decode("utf-8")), chunks.get(_BINARY_CHUNK, b"")


def _refuse_extensions(path: Path, document: dict[str, Any]) -> None:
    required = [name for name in document.get("extensionsRequired", []) if "texture" not in name.lower()]
    if required:
        raise InputError(f"'{path}' needs the glTF extension {required[0]}; save it without compression")


class _Document:
    """One parsed glTF file."""

    def __init__(self, path: Path, document: dict[str, Any], binary: bytes) -> None:
        self.path, self.document, self.binary = path, document, binary
        self.buffers: dict[int, bytes] = {}

    def parts(self) -> list[Named]:
        found: list[Named] = []
        scenes = self.document.get("scenes", [])
        roots = scenes[self.document.get("scene", 0)].get("nodes", []) if scenes else self._roots()
        for root in roots:
            self._walk(root, np.eye(4), "", found, depth=0)
        return found

    def _roots(self) -> list[int]:
        nodes = self.document.get("nodes", [])
        children = {child for node in nodes for child in node.get("children", [])}
        return [number for number in range(len(nodes)) if number not in children]

    def _walk(
        self, number: int, above: NDArray[np.float64], trail: str, found: list[Named], depth: int
    ) -> None:
        if depth > 64:
            raise ValueError("nodes nest deeper than 64 levels")
        node = self.document["nodes"][number]
        transform = above @ _node_matrix(node)
        name = str(node.get("name") or trail)
        if "mesh" in node:
            mesh = self.document["meshes"][node["mesh"]]
            found.extend(self._mesh_parts(mesh, name or str(mesh.get("name", "")), transform))
        for child in node.get("children", []):
            self._walk(child, transform, name, found, depth + 1)

    def _mesh_parts(self, mesh: dict[str, Any], name: str, transform: NDArray[np.float64]) -> list[Named]:
        parts = []
        for primitive in mesh["primitives"]:
            mode = primitive.get("mode", _TRIANGLES)
            if mode < _TRIANGLES:  # points and lines carry no surface
                continue
            if mode != _TRIANGLES:
                raise InputError(
                    f"'{self.path}': part '{name}' holds triangle strips or fans; save plain triangles"
                )
            points = self._accessor(primitive["attributes"]["POSITION"]).astype(np.float64)
            if "indices" in primitive:
                corners = self._accessor(primitive["indices"]).astype(np.int64).reshape(-1, 3)
            else:
                corners = np.arange(len(points)).reshape(-1, 3)
            if corners.size and corners.max() >= len(points):
                raise ValueError(f"part '{name}' names a point that does not exist")
            if np.linalg.det(transform[:3, :3]) < 0:  # a mirror turns the triangles inside out
                corners = corners[:, ::-1]
            parts.append((name, points @ transform[:3, :3].T + transform[:3, 3], corners))
        return parts

    def _accessor(self, number: int) -> NDArray[Any]:
        """Return the array (count, width) or (count,) of an accessor."""
        accessor = self.document["accessors"][number]
        if "sparse" in accessor:
            raise InputError(f"'{self.path}' holds sparse accessors; save it with plain ones")
        kind, width, count = (
            _COMPONENT[accessor["componentType"]],
            _WIDTH[accessor["type"]],
            int(accessor["count"]),
        )
        if "bufferView" not in accessor:  # the specification reads this as zeros
            return np.zeros((count, width) if width > 1 else count, dtype=kind)
        view = self.document["bufferViews"][accessor["bufferView"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        stride = view.get("byteStride", kind.itemsize * width)
        shape = (count, width) if width > 1 else (count,)
        strides = (stride, kind.itemsize) if width > 1 else (stride,)
        # np.ndarray checks that shape and strides stay inside the buffer
        return np.ndarray(shape, kind, self._buffer(view["buffer"]), start, strides).copy()

    def _buffer(self, number: int) -> bytes:
        if number not in self.buffers:
            description = self.document["buffers"][number]
            data = self._load(description.get("uri"))
            if len(data) < description["byteLength"]:
                raise ValueError(f"buffer {number} holds {len(data)} bytes of {description['byteLength']}")
            self.buffers[number] = data
        return self.buffers[number]

    def _load(self, uri: str | None) -> bytes:
        if uri is None:
            return self.binary
        if uri.startswith("data:"):
            try:
                return base64.b64decode(uri.partition(",")[2], validate=True)
            except binascii.Error as error:
                raise ValueError(f"embedded buffer: {error}") from error
        target = self.path.parent / uri
        if target.resolve().parent != self.path.parent.resolve():
            raise InputError(f"'{self.path}' refers to '{uri}'; buffers must lie beside it")
        return target.read_bytes()


def _node_matrix(node: dict[str, Any]) -> NDArray[np.float64]:
    """Return the 4x4 transform of a node: its column-major matrix, or translation x rotation x scale."""
    if "matrix" in node:
        return np.asarray(node["matrix"], dtype=np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = (float(part) for part in node.get("rotation", (0.0, 0.0, 0.0, 1.0)))
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix[:3, :3] = rotation * np.asarray(node.get("scale", (1.0, 1.0, 1.0)), dtype=np.float64)
    matrix[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return matrix

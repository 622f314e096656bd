"""Surfaces with known volumes, and a writer of small GLB files."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pyvista

Part = tuple[str, np.ndarray, np.ndarray]


def sphere(radius: float, center: tuple[float, float, float] = (0, 0, 0), parts: int = 60) -> Any:
    """Return a closed, welded triangle sphere."""
    return pyvista.Sphere(radius=radius, center=center, theta_resolution=parts, phi_resolution=parts).clean()


def arrays(mesh: Any, name: str = "") -> Part:
    """Return (name, points, triangles) of a pyvista surface."""
    return name, np.asarray(mesh.points, dtype=np.float64), np.asarray(mesh.regular_faces)


def write_glb(
    path: Path, nodes: list[dict[str, Any]], meshes: list[Part], roots: list[int] | None = None
) -> Path:
    """Write a GLB with one mesh per (name, points, triangles); ``nodes`` are glTF nodes."""
    binary, views, accessors = b"", [], []
    for _, points, triangles in meshes:
        for data, kind, shape in (
            (points.astype("<f4"), 5126, "VEC3"),
            (triangles.astype("<u4"), 5125, "SCALAR"),
        ):
            views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": data.nbytes})
            count = len(data) if shape == "VEC3" else data.size
            accessors.append(
                {"bufferView": len(views) - 1, "componentType": kind, "count": count, "type": shape}
            )
            binary += data.tobytes()
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": roots if roots is not None else list(range(len(nodes)))}],
        "nodes": nodes,
        "meshes": [
            {"name": name, "primitives": [{"attributes": {"POSITION": 2 * k}, "indices": 2 * k + 1}]}
            for k, (name, _, _) in enumerate(meshes)
        ],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    length = 12 + 8 + len(text) + 8 + len(binary)
    path.write_bytes(
        struct.pack("<III", 0x46546C67, 2, length)
        + struct.pack("<II", len(text), 0x4E4F534A)
        + text
        + struct.pack("<II", len(binary), 0x004E4942)
        + binary
    )
    return path


@pytest.fixture
def meshes() -> SimpleNamespace:
    """Return the makers of surfaces: sphere, arrays, write_glb."""
    return SimpleNamespace(sphere=sphere, arrays=arrays, write_glb=write_glb)

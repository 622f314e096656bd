"""The glTF reader: transforms, names and damage."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import pyvista

from tissuesim.anatomy.gltf import read_gltf
from tissuesim.anatomy.mesh import Mesh, signed_volume
from tissuesim.errors import InputError


def test_node_transforms_multiply_down_the_tree(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: translation, rotation, scale and matrix of nested nodes apply in glTF's order."""
    quarter = np.sqrt(0.5)
    nodes = [
        {"name": "top", "translation": [10, 0, 0], "rotation": [0, 0, quarter, quarter], "children": [1]},
        {"name": "below", "matrix": [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 1, 0, 0, 1], "children": [2]},
        {"name": "cortex", "mesh": 0, "scale": [1, 1, 3]},
    ]
    corner = (
        "mesh",
        np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        np.array([[0, 2, 1], [0, 1, 3]]),
    )
    path = meshes.write_glb(tmp_path / "tree.glb", nodes, [corner], roots=[0])
    [(name, points, triangles)] = read_gltf(path)
    assert name == "cortex"
    assert triangles.tolist() == [[0, 2, 1], [0, 1, 3]]
    # scale (1,1,3), then 2 p + (1,0,0), then a quarter turn x -> y, then + (10,0,0)
    assert np.allclose(points, [[10, 1, 0], [10, 3, 0], [8, 1, 0], [10, 1, 6]], atol=1e-6)


def test_transforms_agree_with_vtk(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: the bounds of a transformed mesh are those that VTK's own reader finds."""
    turn = np.array([0.1, -0.3, 0.5, 0.8])
    nodes = [
        {
            "name": "a",
            "rotation": (turn / np.linalg.norm(turn)).tolist(),
            "translation": [5, 6, 7],
            "children": [1],
        },
        {"name": "b", "mesh": 0, "scale": [1, 2, 3], "translation": [-1, 0, 4]},
    ]
    path = meshes.write_glb(tmp_path / "turned.glb", nodes, [meshes.arrays(meshes.sphere(20))], roots=[0])
    [(_, points, _)] = read_gltf(path)
    expected = pyvista.read(path).combine().bounds
    assert np.allclose(
        np.stack([points.min(axis=0), points.max(axis=0)], axis=1).ravel(), expected, atol=1e-3
    )


def test_mirrored_node_keeps_the_surface_facing_out(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a negative scale turns triangles round, so the signed volume stays positive."""
    [part] = read_gltf(
        meshes.write_glb(
            tmp_path / "m.glb", [{"mesh": 0, "scale": [-1, 1, 1]}], [meshes.arrays(meshes.sphere(20))]
        )
    )
    assert signed_volume(Mesh(*part)) == pytest.approx(meshes.sphere(20).volume, rel=1e-5)


def test_embedded_and_neighboring_buffers(tmp_path: Path) -> None:
    """Claim: .gltf with a data URI or a file beside it reads like .glb; a path out of the folder does not."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype="<f4")
    document = {
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "n", "mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
    }
    (tmp_path / "p.bin").write_bytes(points.tobytes())
    data = "data:application/octet-stream;base64," + base64.b64encode(points.tobytes()).decode()
    for uri in (data, "p.bin"):
        document["buffers"] = [{"byteLength": 36, "uri": uri}]
        (tmp_path / "t.gltf").write_text(json.dumps(document))
        [(name, read, triangles)] = read_gltf(tmp_path / "t.gltf")
        assert name == "n"
        assert np.array_equal(read, points)
        assert triangles.tolist() == [[0, 1, 2]]
    document["buffers"] = [{"byteLength": 36, "uri": "../p.bin"}]
    (tmp_path / "t.gltf").write_text(json.dumps(document))
    with pytest.raises(InputError, match="must lie beside it"):
        read_gltf(tmp_path / "t.gltf")


def test_every_cut_of_a_file_is_refused(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a GLB cut anywhere or with garbled JSON is an InputError, never another error or a mesh."""
    whole = meshes.write_glb(
        tmp_path / "w.glb", [{"mesh": 0}], [meshes.arrays(meshes.sphere(20, parts=12))]
    ).read_bytes()
    path = tmp_path / "cut.glb"
    for length in (0, 3, 11, 15, 60, 400, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.glb' is not a readable glTF file"):
            read_gltf(path)
    path.write_bytes(whole.replace(b'"bufferViews"', b'"bufferVeiws"'))
    with pytest.raises(InputError, match="not a readable glTF file"):
        read_gltf(path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b'"indices": 1', b'"indices": 9', "not a readable"),
        (b'"count": ', b'"count":9', "not a readable"),
        (
            b'"version": "2.0"}',
            b'"version": "2.0"},"extensionsRequired":["KHR_draco_mesh_compression"]',
            "draco",
        ),
        (b'"mesh": 0}', b'"mesh": 0,"children":[0]}', "nest deeper"),
    ],
)
def test_wrong_references_are_refused(
    meshes: SimpleNamespace, old: bytes, new: bytes, sentence: str, tmp_path: Path
) -> None:
    """Claim: indices out of range, sizes beyond the buffer, compression and cycles are told, not followed."""
    path = meshes.write_glb(tmp_path / "w.glb", [{"mesh": 0}], [meshes.arrays(meshes.sphere(20, parts=12))])
    data = path.read_bytes()
    start, size = 20, int.from_bytes(data[12:16], "little")
    text = data[start : start + size].replace(old, new, 1)
    text += b" " * (-len(text) % 4)
    rest = data[start + size :]
    header = data[:8] + (20 + len(text) + len(rest)).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    path.write_bytes(header + data[16:20] + text + rest)
    with pytest.raises(InputError, match=sentence):
        read_gltf(path)

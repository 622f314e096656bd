"""The readers of STL, PLY, OBJ and VTP: what they hold, and damage of every kind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import pyvista

from tissuesim.anatomy.mesh import Mesh, signed_volume
from tissuesim.anatomy.readers import fan, read_plain
from tissuesim.errors import InputError

CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
# outward: four quads, and two triangles on each of the ends x = 0 and x = 1
FACES = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]


def volume(path: Path) -> float:
    """Return the signed volume of the only part of a file."""
    [(name, points, triangles)] = read_plain(path)
    return signed_volume(Mesh(name, points, triangles))


def test_polygons_are_split_into_fans() -> None:
    """Claim: a triangle, a quad and a pentagon become 1 + 2 + 3 triangles around their first corner."""
    sizes, corners = np.array([3, 4, 5]), np.arange(12)
    expected = [[0, 1, 2], [3, 4, 5], [3, 5, 6], [7, 8, 9], [7, 9, 10], [7, 10, 11]]
    assert fan(sizes, corners).tolist() == expected
    with pytest.raises(ValueError, match="do not match"):
        fan(sizes, corners[:-1])


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("mixed", [True, False])
def test_ply_with_extra_properties(form: str, mixed: bool, tmp_path: Path) -> None:
    """Claim: PLY of both byte orders and as text, with colors and with polygons of mixed size, is read."""
    faces = (
        FACES
        if mixed
        else [
            face[k : k + 3] if k == 0 else [face[0], *face[2:]]
            for face in FACES
            for k in range(len(face) - 2)
        ]
    )
    header = (
        f"ply\nformat {form} 1.0\ncomment a cube\nelement vertex 8\nproperty uchar red\nproperty double x\n"
        f"property float y\nproperty float z\nelement face {len(faces)}\nproperty list uchar int vertex_indices\n"
        "property short flag\nend_header\n"
    ).encode()
    if form == "ascii":
        rows = [f"7 {x} {y} {z}" for x, y, z in CUBE]
        rows += [" ".join(map(str, [len(face), *face, -1])) for face in faces]
        body = "\n".join(rows).encode()
    else:
        order = "<" if "little" in form else ">"
        row = np.dtype([("red", "u1"), ("x", order + "f8"), ("y", order + "f4"), ("z", order + "f4")])
        body = np.array([(7, *point) for point in CUBE], dtype=row).tobytes()
        for face in faces:
            body += (
                bytes([len(face)])
                + np.array(face, order + "i4").tobytes()
                + np.array(-1, order + "i2").tobytes()
            )
    path = tmp_path / "cube.ply"
    path.write_bytes(header + body)
    assert volume(path) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("kind", ["stl", "ply", "vtp"])
@pytest.mark.parametrize("binary", [True, False])
def test_files_written_by_vtk(meshes: SimpleNamespace, kind: str, binary: bool, tmp_path: Path) -> None:
    """Claim: what VTK writes, as text or binary, is read back with its volume and triangle count."""
    mesh = meshes.sphere(25, parts=20)
    mesh.save(tmp_path / f"s.{kind}", binary=binary)
    [(_, _, triangles)] = read_plain(tmp_path / f"s.{kind}")
    assert len(triangles) == mesh.n_cells
    assert volume(tmp_path / f"s.{kind}") == pytest.approx(mesh.volume, rel=1e-4)


def test_binary_stl_that_calls_itself_solid(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a binary STL whose header begins with 'solid' is known by its length."""
    path = tmp_path / "s.stl"
    meshes.sphere(25, parts=20).save(path)
    path.write_bytes(b"solid of revolution".ljust(80) + path.read_bytes()[80:])
    assert volume(path) == pytest.approx(meshes.sphere(25, parts=20).volume, rel=1e-4)


def test_obj_with_objects_texture_and_relative_numbers(tmp_path: Path) -> None:
    """Claim: objects are parts, groups are not, v/vt/vn and negative numbers are understood, quads split."""
    lines = [f"v {x} {y} {z} 0.5 0.5 0.5" for x, y, z in CUBE]
    lines += ["o renal cortex", "g a"] + ["f " + " ".join(f"{c + 1}/1/1" for c in face) for face in FACES[:4]]
    lines += ["g b"] + ["f " + " ".join(f"{c - 8}//1" for c in face) for face in FACES[4:]]
    lines += ["o pyramid", "f 1 2 3"]
    (tmp_path / "c.obj").write_text("# made by hand\n" + "\n".join(lines))
    parts = read_plain(tmp_path / "c.obj")
    assert [name for name, _, _ in parts] == ["renal cortex", "pyramid"]
    assert signed_volume(Mesh(*parts[0])) == pytest.approx(1, abs=1e-12)
    assert len(parts[1][2]) == 1


def test_vtp_with_lines_and_quads_keeps_its_parts(tmp_path: Path) -> None:
    """Claim: lines before polygons do not shift part_id; quads carry their part; missing names are numbered."""
    mesh = pyvista.PolyData(
        CUBE, faces=np.concatenate([[len(face), *face] for face in FACES]), lines=[2, 0, 7]
    )
    mesh.cell_data["part_id"] = [9, 1, 1, 1, 1, 1, 1, 1, 2]
    mesh.field_data["part_names"] = ["sides"]
    mesh.save(tmp_path / "parts.vtp")
    parts = {name: triangles for name, _, triangles in read_plain(tmp_path / "parts.vtp")}
    assert {name: len(triangles) for name, triangles in parts.items()} == {"sides": 10, "part 2": 2}
    assert set(parts["part 2"].ravel().tolist()) == set(FACES[-1])


@pytest.mark.parametrize("kind", ["stl", "ply", "vtp", "txt.stl", "txt.ply", "txt.vtp"])
def test_a_file_cut_anywhere_is_refused(
    meshes: SimpleNamespace, kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Claim: no cut of a mesh file is read as a smaller mesh, crashes, or prints; each is an InputError."""
    source = tmp_path / f"whole.{kind}"
    meshes.sphere(25, parts=12).save(source, binary="txt" not in kind)
    whole = source.read_bytes()
    path = tmp_path / f"cut.{kind}"
    for share in np.linspace(0, 0.99, 23):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(InputError, match=r"cut.* is damaged or not a readable"):
            read_plain(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["stl", "ply", "vtp", "obj"])
def test_noise_is_never_more_than_refused(meshes: SimpleNamespace, kind: str, tmp_path: Path) -> None:
    """Claim: bytes overwritten at random give an InputError or indices within the points, nothing else."""
    source = tmp_path / f"whole.{kind}"
    if kind == "obj":
        source.write_text("\n".join(f"v {x} {y} {z}" for x, y, z in CUBE) + "\nf 1 2 4\nf 1 4 3\nf 5 7 8 6\n")
    else:
        meshes.sphere(25, parts=8).save(source)
    random = np.random.default_rng(8)
    path = tmp_path / f"noise.{kind}"
    refused = 0
    for _ in range(40):
        data = bytearray(source.read_bytes())
        for place in random.integers(0, len(data), 6):
            data[place] = int(random.integers(0, 256))
        path.write_bytes(data)
        try:
            parts = read_plain(path)
        except InputError:
            refused += 1
        else:
            assert all(t.size == 0 or (t.min() >= 0 and t.max() < len(p)) for _, p, t in parts)
    assert refused > 0 or kind == "stl"


@pytest.mark.parametrize("kind", ["ply", "obj", "vtp"])
def test_a_corner_that_does_not_exist_is_refused(kind: str, tmp_path: Path) -> None:
    """Claim: a face that names point 99 of 8 is an InputError."""
    path = tmp_path / f"cube.{kind}"
    if kind == "obj":
        path.write_text("\n".join(f"v {x} {y} {z}" for x, y, z in CUBE) + "\nf 1 2 99\n")
    else:
        mesh = pyvista.PolyData.from_regular_faces(CUBE, np.array([[0, 1, 7]]))
        mesh.save(path, binary=False)
        text = path.read_text()
        path.write_text(
            text.replace("3 0 1 7", "3 0 1 99") if kind == "ply" else text.replace("0 1 7", "0 1 99")
        )
    with pytest.raises(InputError, match="does not exist"):
        read_plain(path)

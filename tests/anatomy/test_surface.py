"""Import of surfaces of known volume, and refusal of what encloses none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import pyvista

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.mesh import Edges, Mesh, signed_volume
from tissuesim.anatomy.repair import close, weld
from tissuesim.anatomy.surface import read_surface
from tissuesim.errors import InputError
from tissuesim.tissue import Tissue


def volume_ml(tissue: Tissue) -> float:
    """Return the volume of a tissue in mL."""
    return float(tissue.volume.sum()) / 1000


@pytest.mark.parametrize("suffix", ["stl", "ply", "obj", "vtp", "vtk", "off"])
def test_sphere_volume_from_every_kind_of_file(meshes: SimpleNamespace, suffix: str, tmp_path: Path) -> None:
    """Claim: a sphere reads as one closed part with its mesh volume, whatever the file."""
    mesh = meshes.sphere(25)
    path = tmp_path / f"sphere.{suffix}"
    if suffix == "off":
        points = "".join(f"{x!r} {y!r} {z!r}\n" for x, y, z in mesh.points.tolist())
        faces = "".join(f"3 {a} {b} {c}\n" for a, b, c in mesh.regular_faces.tolist())
        path.write_text(f"OFF\n{mesh.n_points} {mesh.n_cells} 0\n{points}{faces}")
    elif suffix == "obj":
        points = "".join(f"v {x!r} {y!r} {z!r}\n" for x, y, z in mesh.points.tolist())
        path.write_text(points + "".join(f"f {a} {b} {c}\n" for a, b, c in (mesh.regular_faces + 1).tolist()))
    else:
        mesh.save(path)
    surface = read_surface(path)
    [part] = surface.parts
    assert part.mending.volume == pytest.approx(mesh.volume, rel=1e-5)
    assert part.mending.watertight
    assert "mm, guessed" in str(surface.report["units"])


def test_sphere_volume(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a sphere of 25 mm keeps its mesh volume to 0.1 % in 2 mm voxels, and the report says so."""
    mesh = meshes.sphere(25)
    mesh.save(tmp_path / "sphere.stl")
    tissue = build_tissue("sphere.stl", "ball", 2.0, base=tmp_path)
    assert volume_ml(tissue) == pytest.approx(mesh.volume / 1000, rel=1e-3)
    assert tissue.report["reference_volume_ml"] == pytest.approx(mesh.volume / 1000, rel=1e-5)
    assert abs(float(str(tissue.report["volume_error"]))) < 1e-3
    assert tissue.report["volume_reference"] == "signed volume of the closed surface"
    assert tissue.report["components"] == 1


@pytest.mark.parametrize("spacing", [2.0, 4.0])
def test_torus_volume(spacing: float, tmp_path: Path) -> None:
    """Claim: a torus (not convex, with a hole through it) keeps its volume to 0.5 % at 2 and 4 mm."""
    torus = pyvista.ParametricTorus(ringradius=30, crosssectionradius=10).triangulate().clean()
    torus.save(tmp_path / "torus.ply")
    tissue = build_tissue(str(tmp_path / "torus.ply"), "torus", spacing)
    exact = 2 * np.pi**2 * 30 * 10**2 / 1000
    assert volume_ml(tissue) == pytest.approx(exact, rel=5e-3)
    center = np.linalg.norm(tissue.centers()[:, :2], axis=1)
    assert center.min() > 20 - spacing


def test_orientation_does_not_matter(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a sphere turned inside out, and one with a tenth of its faces flipped, keep their volume."""
    name, points, triangles = meshes.arrays(meshes.sphere(25))
    flipped = triangles.copy()
    flipped[::10] = flipped[::10, ::-1]
    for faces in (triangles[:, ::-1], flipped):
        pyvista.PolyData.from_regular_faces(points, faces).save(tmp_path / "turned.vtp")
        tissue = build_tissue(str(tmp_path / "turned.vtp"), name, 4.0)
        assert volume_ml(tissue) == pytest.approx(meshes.sphere(25).volume / 1000, rel=2e-3)
    assert tissue.report["volume_reference"] == "signed volume of the closed surface"
    assert f"{len(triangles[::10])} triangles turned" in tissue.report["parts"][0]["mended"]  # type: ignore[index]


def test_shell_within_a_shell_is_hollow(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: one part with a nested inner surface is a shell, as even-odd filling has it."""
    shell = meshes.sphere(25) + meshes.sphere(15)
    shell.extract_surface(algorithm=None).save(tmp_path / "shell.ply")
    tissue = build_tissue(str(tmp_path / "shell.ply"), "shell", 4.0)
    assert volume_ml(tissue) == pytest.approx(
        (meshes.sphere(25).volume - meshes.sphere(15).volume) / 1000, rel=5e-3
    )


def test_small_hole_is_closed_flat(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a sphere without its cap of 10 mm radius is closed by the plane of the cut."""
    cut = meshes.sphere(25, parts=90).clip("z", origin=(0, 0, np.sqrt(25**2 - 10**2)), invert=True)
    cut.triangulate().save(tmp_path / "cut.stl")
    tissue = build_tissue(str(tmp_path / "cut.stl"), "cut", 2.0)
    height = 25 - np.sqrt(25**2 - 10**2)
    exact = 4 / 3 * np.pi * 25**3 - np.pi * height**2 * (25 - height / 3)
    assert volume_ml(tissue) == pytest.approx(exact / 1000, rel=4e-3)
    part = tissue.report["parts"][0]  # type: ignore[index]
    assert part["filled_loops"] == 1
    assert 0.02 < part["filled_area_share"] < 0.06


def test_closing_makes_every_edge_even(meshes: SimpleNamespace) -> None:
    """Claim: with random faces taken out, closing leaves a surface with the signed volume of the sphere."""
    _, points, triangles = meshes.arrays(meshes.sphere(25))
    keep = np.random.default_rng(2).random(len(triangles)) > 0.05
    closed, loops, share = close(weld(Mesh("holes", points, triangles[keep])))
    assert loops > 50
    assert 0.02 < share < 0.08
    assert Edges.of(closed.triangles).consistent()
    assert signed_volume(closed) == pytest.approx(meshes.sphere(25).volume, rel=2e-3)
    edges = np.sort(closed.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count % 2 == 0).all()


def test_welding_drops_what_has_no_area(meshes: SimpleNamespace) -> None:
    """Claim: doubled points, degenerate and doubled triangles go; the volume stays."""
    _, points, triangles = meshes.arrays(meshes.sphere(25))
    soup = np.arange(3 * len(triangles)).reshape(-1, 3)
    extra = np.array([[0, 0, 1], [0, 1, 2]])
    welded = weld(Mesh("soup", points[triangles].reshape(-1, 3), np.concatenate([soup, extra])))
    assert len(welded.points) == len(points)
    assert len(welded.triangles) == len(triangles)
    assert signed_volume(welded) == pytest.approx(meshes.sphere(25).volume, rel=1e-9)


@pytest.mark.parametrize(
    ("size", "units", "longest"), [(0.05, None, 50), (50, None, 50), (5, "cm", 50), (5, "mm", 5)]
)
def test_units_are_guessed_or_told(
    meshes: SimpleNamespace, size: float, units: str | None, longest: float, tmp_path: Path
) -> None:
    """Claim: longest side < 3 means metres, > 30 millimetres; `units` overrules; the report says which."""
    meshes.sphere(size / 2).save(tmp_path / "s.stl")
    surface = read_surface(tmp_path / "s.stl", units)
    assert np.ptp(surface.parts[0].solids[0].points, axis=0).max() == pytest.approx(longest, rel=1e-5)
    assert f"{longest:g} mm" in str(surface.report["units"])


def test_open_units_are_asked_for(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a side between 3 and 30 is answered by asking for `units`, a wrong unit with its nearest."""
    meshes.sphere(5).save(tmp_path / "s.stl")
    with pytest.raises(InputError, match="say which with `units`"):
        read_surface(tmp_path / "s.stl")
    with pytest.raises(InputError, match="did you mean 'mm'"):
        read_surface(tmp_path / "s.stl", "mmm")


def test_a_lone_surface_gets_a_kidneys_regions(tmp_path: Path) -> None:
    """Claim: the built-in kidney, turned and enlarged, imported by its surface keeps shares and hilum."""
    tissue = build_tissue("kidney", "kidney", 2.0)
    dense = np.pad(tissue.scatter(tissue.fraction, 0.0), 2)
    grid = pyvista.ImageData(dimensions=dense.shape[::-1], spacing=(2.0, 2.0, 2.0))
    grid["fraction"] = dense.ravel()
    outer = grid.contour([0.5], "fraction").scale(1.2).rotate_z(90).triangulate()
    outer.save(tmp_path / "outer.stl")
    imported = build_tissue(str(tmp_path / "outer.stl"), "kidney", 2.0)
    assert volume_ml(imported) == pytest.approx(volume_ml(tissue) * 1.2**3, rel=0.01)
    for name in ("cortex", "medulla", "pelvis"):
        share = imported.region_volumes()[name] / imported.volume.sum()
        assert share == pytest.approx(tissue.region_volumes()[name] / tissue.volume.sum(), abs=0.03)
    hilum = np.asarray(imported.report["hilum_direction"])
    assert hilum @ [0, 1, 0] > 0.98  # x of the kidney became y
    pelvis = imported.centers()[imported.in_regions(["pelvis"])].mean(axis=0) - imported.centers().mean(
        axis=0
    )
    assert pelvis @ hilum > 12


def kidney_parts(meshes: SimpleNamespace) -> list:
    """Return a thick cortex, a pyramid inside it, and between them a gap that belongs to no part."""
    shell = (meshes.sphere(30) + meshes.sphere(22)).extract_surface(algorithm=None)
    return [
        meshes.arrays(shell, "cortex_of_kidney"),
        meshes.arrays(meshes.sphere(12, (4, 0, 0)), "renal_pyramid_L_a"),
    ]


def test_named_parts_become_regions_and_enclosed_gaps_the_sinus(
    meshes: SimpleNamespace, tmp_path: Path
) -> None:
    """Claim: pyramids are medulla, cortex is cortex, the cavity between them is pelvis, nothing is lost."""
    parts = kidney_parts(meshes)
    path = meshes.write_glb(
        tmp_path / "kidney.glb", [{"name": part[0], "mesh": k} for k, part in enumerate(parts)], parts
    )
    tissue = build_tissue(str(path), "kidney", 2.0)
    volumes = {name: volume / 1000 for name, volume in tissue.region_volumes().items()}
    ball = [meshes.sphere(radius).volume / 1000 for radius in (30, 22, 12)]
    assert volume_ml(tissue) == pytest.approx(ball[0], rel=5e-3)
    assert volumes["medulla"] == pytest.approx(ball[2], rel=0.05)
    # the half of the gap that lies nearer to the wrapping cortex counts as cortex
    assert volumes["cortex"] + volumes["pelvis"] == pytest.approx(ball[0] - ball[2], rel=0.01)
    assert volumes["pelvis"] > 0.3 * (ball[1] - ball[2])
    assert abs(float(str(tissue.report["volume_error"]))) < 0.02
    assert "union of parts" in str(tissue.report["volume_reference"])


def test_multi_part_vtp_keeps_names(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: the cell array part_id and the field part_names of a .vtp name the parts."""
    named = kidney_parts(meshes)
    merged = pyvista.merge(
        [pyvista.PolyData.from_regular_faces(part[1], part[2]) for part in named], merge_points=False
    )
    surface = merged.extract_surface(algorithm=None)
    surface.cell_data["part_id"] = np.repeat([1, 2], [len(part[2]) for part in named])
    surface.field_data["part_names"] = [part[0] for part in named]
    surface.save(tmp_path / "parts.vtp")
    tissue = build_tissue(str(tmp_path / "parts.vtp"), "kidney", 2.0)
    assert {part["name"]: part["region"] for part in tissue.report["parts"]} == {  # type: ignore[attr-defined]
        "cortex_of_kidney": "cortex",
        "renal_pyramid_L_a": "medulla",
    }
    assert tissue.region_volumes()["medulla"] == pytest.approx(meshes.sphere(12).volume, rel=0.05)


def damaged(meshes: SimpleNamespace, kind: str, folder: Path) -> Path:
    """Write a file that holds no solid; return its path."""
    _, points, triangles = meshes.arrays(meshes.sphere(25, parts=16))
    whole = folder / "whole.stl"
    meshes.sphere(25).save(whole)
    path = folder / f"{kind}.stl"
    if kind == "cut":
        path.write_bytes(whole.read_bytes()[:-1000])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path = folder / "text.ply"
        path.write_text("this is no mesh\n")
    elif kind == "vtp":
        path = folder / "broken.vtp"
        meshes.sphere(25).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif kind == "words":
        path = folder / "words.obj"
        path.write_text("# no faces here\nv 0 0 0\n")
    elif kind == "nan":
        points[7] = np.nan
        path = folder / "nan.ply"
        pyvista.PolyData.from_regular_faces(points, triangles).save(path)
    elif kind == "infinite":
        points[7, 2] = np.inf
        path = folder / "infinite.ply"
        pyvista.PolyData.from_regular_faces(points, triangles).save(path)
    elif kind == "flat":
        pyvista.Plane(i_size=50, j_size=50).triangulate().save(path)
    elif kind == "patch":
        pyvista.PolyData.from_regular_faces(
            points, triangles[points[triangles].mean(axis=1)[:, 2] > 10]
        ).save(path)
    elif kind == "point":
        path = folder / "point.ply"
        pyvista.PolyData.from_regular_faces(points * 0, triangles).save(path)
    elif kind == "missing":
        path = folder / "nowhere.glb"
    elif kind == "suffix":
        path = folder / "mesh.stll"
        path.write_bytes(whole.read_bytes())
    return path


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("cut", "is cut short"),
        ("empty", "cut short|no triangles|damaged"),
        ("text", "damaged|no triangles|not a readable"),
        ("vtp", "damaged|not a readable"),
        ("words", "no triangles"),
        ("nan", "not a finite number"),
        ("infinite", "not a finite number"),
        ("flat", "encloses no volume"),
        ("patch", "open sheet, not a solid"),
        ("point", "encloses no volume"),
        ("missing", "does not exist"),
        ("suffix", "unknown kind '.stll'"),
    ],
)
def test_what_is_no_solid_is_refused_in_one_sentence(
    meshes: SimpleNamespace, kind: str, sentence: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Claim: a damaged, empty, flat, open, missing or foreign file is an InputError that names it."""
    path = damaged(meshes, kind, tmp_path)
    with pytest.raises(InputError, match=sentence) as refusal:
        build_tissue(str(path), "bad", 2.0)
    assert path.name in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert capfd.readouterr().err == ""

"""The quality report: what it says of mended, thin and lost regions, its table, saved tissues, pictures of defects."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.importer import organ_from_file
from tissuesim.anatomy.mesh_command import import_file
from tissuesim.anatomy.quality import estimate, examine_file, quality_report, read_options
from tissuesim.anatomy.quality_table import print_report
from tissuesim.anatomy.saved import load_tissue, save_tissue
from tissuesim.anatomy.selection import ImportOptions
from tissuesim.anatomy.surface import OpenSurfaceError, read_surface
from tissuesim.anatomy.thin import thin_shares
from tissuesim.errors import InputError


def shell(meshes: SimpleNamespace, folder: Path, thickness: float, *, hole: bool = False) -> Path:
    """Write a ball of 25 mm with a coat of some thickness."""
    coat = meshes.arrays(meshes.sphere(25 + thickness), "coat")
    if hole:
        coat = (coat[0], coat[1], np.delete(coat[2], [40, 900], axis=0))
    parts = [coat, meshes.arrays(meshes.sphere(25), "ball")]
    nodes = [{"name": part[0], "mesh": number} for number, part in enumerate(parts)]
    return Path(meshes.write_glb(folder / "shell.glb", nodes, parts))


def test_the_report_tells_volumes_mending_and_thin_regions(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: per region file and voxel volume and error; two holes counted; a coat of 1.5 voxels is called thin."""
    _, report = examine_file(shell(meshes, tmp_path, 3.0, hole=True), 2.0, ImportOptions())
    assert report["watertight"] is False
    assert "2 holes closed (6 open edges" in report["parts"][0]["mended"]
    ball = 4 / 3 * np.pi * 25**3 / 1000
    rows = {row["name"]: row for row in report["regions"]}
    assert rows["ball"]["file_ml"] == pytest.approx(ball, rel=5e-3)
    assert rows["ball"]["voxels_ml"] == pytest.approx(ball, rel=0.03)
    assert rows["ball"]["error"] == pytest.approx(rows["ball"]["voxels_ml"] / rows["ball"]["file_ml"] - 1)
    assert rows["ball"]["thin_share"] < 0.05
    assert rows["coat"]["thin_share"] > 0.5
    assert any(
        "thinner than two voxels" in warning and "'coat' (" in warning for warning in report["warnings"]
    )
    assert report["bounding_box_mm"][1][2] - report["bounding_box_mm"][0][2] == pytest.approx(56, rel=1e-3)
    assert report["voxels"] == sum(row["voxels"] for row in report["regions"])
    assert report["components"] == 1
    json.dumps(report, allow_nan=False)


def test_a_film_is_told(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a coat of 0.05 mm is thin as a whole in voxels of 4 mm, and one warning says so."""
    _, report = examine_file(shell(meshes, tmp_path, 0.05), 4.0, ImportOptions())
    [coat] = [row for row in report["regions"] if row["name"] == "coat"]
    assert coat["thin_share"] == 1.0
    assert sum("'coat'" in warning and "thin" in warning for warning in report["warnings"]) == 1


@pytest.mark.parametrize(("thickness", "is_thin"), [(1.0, True), (1.7, True), (2.4, False), (6.0, False)])
def test_thin_is_less_than_two_voxels(
    thickness: float, is_thin: bool, meshes: SimpleNamespace, tmp_path: Path
) -> None:
    """Claim: a coat of 1 or 1.7 voxels is thin, of 2.4 or 6 voxels is not, the ball within never."""
    shares = thin_shares(organ_from_file(shell(meshes, tmp_path, 2 * thickness)), 2.0)
    assert (shares["coat"] > 0.5) == is_thin
    assert shares["ball"] < 0.05


def test_the_estimate_grows_with_voxels() -> None:
    """Claim: the default run's 20,864 voxels give back its 48 s for 485 days within a fifth, and 21 MB."""
    cost = estimate(20_864)
    assert cost["seconds_per_simulated_day"] * 485 == pytest.approx(48, rel=0.2)
    assert cost["memory_mb"] == pytest.approx(20.9, rel=0.01)


def test_the_table_fits_80_columns(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: no line is longer than 80 columns, and every region and warning is there."""
    _, report = examine_file(shell(meshes, tmp_path, 3.0, hole=True), 2.0, ImportOptions())
    out = io.StringIO()
    print_report(report, Console(file=out, width=80))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(out.getvalue().split())
    for word in ("coat", "ball", "Warning:", "watertight", "mm, guessed", "an estimate"):
        assert word in text


@pytest.mark.parametrize("suffix", ["npz", "zarr"])
def test_a_saved_tissue_is_the_same_tissue(suffix: str, meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: written and read, or named by a config as anatomy, a tissue keeps its digest."""
    tissue, _ = examine_file(shell(meshes, tmp_path, 6.0), 4.0, ImportOptions())
    path = tmp_path / f"kept.{suffix}"
    save_tissue(tissue, path)
    save_tissue(tissue, path)  # written over
    assert load_tissue(path).digest() == tissue.digest()
    again = build_tissue(f"kept.{suffix}", tissue.name, 4.0, base=tmp_path)
    assert again.digest() == tissue.digest()
    thin = {"coat": 0.0, "ball": 0.0}
    assert quality_report(again, thin) == quality_report(tissue, thin)


def test_saving_destroys_nothing_else(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a folder that is no tissue, an unknown suffix and a missing folder are refused."""
    tissue, _ = examine_file(shell(meshes, tmp_path, 6.0), 8.0, ImportOptions())
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "letter.txt").write_text("keep me")
    with pytest.raises(InputError, match="exists and is no tissue"):
        save_tissue(tissue, tmp_path / "mine.zarr")
    assert (tmp_path / "mine.zarr" / "letter.txt").read_text() == "keep me"
    with pytest.raises(InputError, match=r"unknown kind '.npy'.*did you mean '.npz'"):
        save_tissue(tissue, tmp_path / "a.npy")
    with pytest.raises(InputError, match="does not exist"):
        save_tissue(tissue, tmp_path / "no" / "a.npz")
    with pytest.raises(InputError, match="is not a readable tissue file"):
        load_tissue(tmp_path / "mine.zarr")


def open_bowl(meshes: SimpleNamespace, folder: Path) -> Path:
    """Write half a sphere."""
    _, points, triangles = meshes.arrays(meshes.sphere(25, parts=16))
    half = triangles[points[triangles].mean(axis=1)[:, 2] > 0]
    return Path(
        meshes.write_glb(folder / "bowl.glb", [{"name": "bowl", "mesh": 0}], [("bowl", points, half)])
    )


def test_a_refused_surface_tells_where_and_is_drawn(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: the error holds the rim of the bowl in the file's coordinates; the picture lies where it says."""
    path = open_bowl(meshes, tmp_path)
    with pytest.raises(OpenSurfaceError, match=r"open sheet, not a solid: it has \d+ open edges") as refusal:
        read_surface(path)
    rim = refusal.value.border
    assert len(rim) >= 14
    assert np.abs(rim[..., 2]).max() < 3.0
    assert np.linalg.norm(rim, axis=-1) == pytest.approx(25, rel=1e-3)
    target = tmp_path / "where.png"
    with pytest.raises(InputError, match=r"where is shown in '.*where\.png'"):
        import_file(path, "2 mm", picture=target)
    assert target.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match=r"bowl-open-edges\.png"):
        import_file(path, "2 mm", out=tmp_path / "bowl.npz")
    assert (tmp_path / "bowl-open-edges.png").is_file()
    assert not (tmp_path / "bowl.npz").exists()


def test_options_of_the_command_line() -> None:
    """Claim: labels, regions and sizes are read as written, and what is wrong is told with the option."""
    options = read_options("um", ["1=cortex", "12 = deep medulla"], ["a=x,y*", "a=z"], "10um,10um,50um")
    assert options.labels == {1: "cortex", 12: "deep medulla"}
    assert options.regions == {"a": ("x", "y*", "z")}
    assert options.voxel_size == pytest.approx((0.01, 0.01, 0.05))
    assert read_options(entries=["1cm,-2mm,0mm"]).vessel_entries == ((10.0, -2.0, 0.0),)
    assert read_options(voxel_size="2 mm").voxel_size == (2.0, 2.0, 2.0)
    for arguments, sentence in (
        ({"labels": ["x=1"]}, "--label: 'x=1' is not NUMBER=NAME"),
        ({"regions": ["cortex"]}, "--region: 'cortex' is not NAME=PATTERN"),
        ({"units": "mmm"}, "--units: 'mmm' .*did you mean 'mm'"),
        ({"voxel_size": "1mm,2mm"}, "--voxel-size: '1mm,2mm' is not one or three lengths"),
        ({"entries": ["1mm,2mm"]}, "--vessel-entry: '1mm,2mm' is no place x,y,z"),
    ):
        with pytest.raises(InputError, match=sentence):
            read_options(**arguments)  # type: ignore[arg-type]

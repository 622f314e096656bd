"""Label volumes: formats, orientation, tables, partial volume, mirrored files, what is no label volume."""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.importer import contents, organ_from_file
from tissuesim.anatomy.label_files import read_volume
from tissuesim.anatomy.selection import ImportOptions
from tissuesim.errors import InputError
from tissuesim.tissue import Tissue

SIZE = (20, 24, 30)
STEP = np.array([2.0, 3.0, 1.5])


def labels() -> np.ndarray:
    """Return a box (i, j, k) without any symmetry: 1 fills most of it, 2 a corner, 7 a single voxel."""
    values = np.zeros(SIZE, np.uint8)
    values[3:17, 2:20, 4:25] = 1
    values[3:9, 2:8, 4:10] = 2
    values[16, 19, 24] = 7
    return values


def write(path: Path, values: np.ndarray, affine: np.ndarray, unit: str = "mm") -> Path:
    """Write a volume by its suffix; ``affine`` maps voxel numbers to the world."""
    if path.name.endswith((".nii", ".nii.gz")):
        nibabel = pytest.importorskip("nibabel")
        image = nibabel.Nifti1Image(values, affine)
        image.header.set_xyzt_units(unit)
        nibabel.save(image, path)
    elif path.suffix == ".nrrd":
        header: dict[str, Any] = {"space": "left-posterior-superior", "space directions": affine[:3, :3].T}
        header |= {"space origin": affine[:3, 3], "space units": [unit] * 3}
        pytest.importorskip("nrrd").write(str(path), values, header)
    elif path.suffix in (".mhd", ".mha"):
        step = np.linalg.norm(affine[:3, :3], axis=0)
        lines = {
            "NDims": "3",
            "DimSize": " ".join(map(str, values.shape)),
            "ElementType": "MET_UCHAR",
            "ElementSpacing": " ".join(map(repr, step.tolist())),
            "TransformMatrix": " ".join(map(repr, (affine[:3, :3] / step).T.reshape(-1).tolist())),
            "Offset": " ".join(map(repr, affine[:3, 3].tolist())),
            "CompressedData": str(path.suffix == ".mhd"),
            "ElementDataFile": "LOCAL" if path.suffix == ".mha" else f"{path.stem}.zraw",
        }
        head = "".join(f"{key} = {value}\n" for key, value in lines.items()).encode()
        body = values.tobytes(order="F")
        if path.suffix == ".mha":
            path.write_bytes(head + body)
        else:
            path.write_bytes(head)
            path.with_suffix(".zraw").write_bytes(zlib.compress(body))
    else:
        extra = {"spacing": float(affine[2, 2]), "unit": unit}
        resolution = (1 / affine[0, 0], 1 / affine[1, 1])
        pytest.importorskip("tifffile").imwrite(
            path, values.transpose(2, 1, 0), imagej=True, resolution=resolution, metadata=extra
        )
    return path


def straight(origin: tuple[float, float, float] = (10.0, -20.0, 30.0)) -> np.ndarray:
    """Return the affine of a grid along the axes."""
    affine = np.diag([*STEP, 1.0])
    affine[:3, 3] = origin
    return affine


def volumes(tissue: Tissue) -> dict[str, float]:
    """Return mL by region."""
    return {name: volume / 1000 for name, volume in tissue.region_volumes().items()}


@pytest.mark.parametrize("suffix", ["nii", "nii.gz", "nrrd", "mhd", "mha", "tif"])
def test_every_kind_of_file_keeps_place_and_volume(suffix: str, tmp_path: Path) -> None:
    """Claim: labels lie where the file's affine has them, with the volume of their voxels, whatever the kind."""
    values, affine = labels(), straight((0, 0, 0) if suffix == "tif" else (10.0, -20.0, 30.0))
    tissue = build_tissue(str(write(tmp_path / f"a.{suffix}", values, affine)), "a", 1.0)
    box = float(np.prod(STEP)) / 1000
    found = volumes(tissue)
    for number in (1, 2):
        # a voxel has the region that fills most of it, which costs a small box half a voxel per side
        assert found[f"label_{number}"] == pytest.approx(np.count_nonzero(values == number) * box, rel=0.06)
    assert tissue.volume.sum() / 1000 == pytest.approx(np.count_nonzero(values) * box, rel=1e-9)
    for number in (1, 2):
        middle = np.average(
            tissue.centers()[tissue.region == tissue.region_names.index(f"label_{number}")], axis=0
        )
        there = affine[:3, :3] @ np.argwhere(values == number).mean(axis=0) + affine[:3, 3]
        np.testing.assert_allclose(middle, there, atol=0.6)
    assert "mm" in str(tissue.report["units"])


def test_axes_of_the_file_are_turned_into_the_world(tmp_path: Path) -> None:
    """Claim: voxels stored along -z, x, -y give the same tissue as the same voxels stored along x, y, z."""
    plain = build_tissue(str(write(tmp_path / "a.nii", labels(), straight())), "a", 1.5)
    turned = labels().transpose(2, 0, 1)[::-1, :, ::-1]
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    affine[2, 0], affine[0, 1], affine[1, 2] = -STEP[2], STEP[0], -STEP[1]
    affine[:3, 3] = [10.0, -20.0 + STEP[1] * (SIZE[1] - 1), 30.0 + STEP[2] * (SIZE[2] - 1)]
    other = build_tissue(str(write(tmp_path / "b.nii", turned, affine)), "a", 1.5)
    np.testing.assert_array_equal(plain.scatter(plain.fraction, 0.0), other.scatter(other.fraction, 0.0))
    np.testing.assert_array_equal(plain.scatter(plain.region, 255), other.scatter(other.region, 255))
    assert plain.origin == other.origin


def test_an_oblique_grid_keeps_its_volume(tmp_path: Path) -> None:
    """Claim: a grid turned by 30 degrees about z is sampled where it lies, its volume kept to 1 %."""
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    affine = straight()
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag(STEP)
    tissue = build_tissue(str(write(tmp_path / "a.nii", labels(), affine)), "a", 1.0)
    assert abs(float(str(tissue.report["volume_error"]))) < 0.01
    there = affine[:3, :3] @ np.argwhere(labels() > 0).mean(axis=0) + affine[:3, 3]
    np.testing.assert_allclose(np.average(tissue.centers(), axis=0, weights=tissue.volume), there, atol=0.2)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("stored", ["affine", "values"])
def test_a_mirrored_volume_gives_the_mirror_image(axis: int, stored: str, tmp_path: Path) -> None:
    """Claim: mirrored by its affine or by its stored order, a volume gives the mirrored tissue to the bit."""
    affine = straight((0.3, -20.7, 30.1))
    mirror = np.diag([-1.0 if k == axis else 1.0 for k in range(3)] + [1.0])
    other, values = mirror @ affine, labels()
    if stored == "values":
        values = np.flip(values, axis)
        other[axis, 3] += other[axis, axis] * (SIZE[axis] - 1)
        other[axis, axis] *= -1
    boxes = []
    for name, data, place in (("a", labels(), affine), ("b", values, other)):
        tissue = build_tissue(str(write(tmp_path / f"{name}.nii", data, place)), "a", 1.3)
        boxes.append((tissue.scatter(tissue.fraction, 0.0), tissue.scatter(tissue.region, 255)))
    for here, there in zip(*boxes, strict=True):
        np.testing.assert_array_equal(np.flip(here, 2 - axis), there)


def test_voxels_larger_than_labels_hold_fractions(tmp_path: Path) -> None:
    """Claim: a voxel of 6 mm half filled with labels of 1.5 to 3 mm has that share of tissue."""
    values = np.zeros((6, 4, 8), np.uint8)
    values[:, :, :3] = 1  # 4.5 of 12 mm along z
    affine = np.diag([2.0, 3.0, 1.5, 1.0])
    affine[:3, 3] = [1.0, 1.5, 0.75]
    tissue = build_tissue(str(write(tmp_path / "a.nii", values, affine)), "a", 6.0, units="mm")
    assert tissue.n == 4
    np.testing.assert_allclose(tissue.fraction, 0.75)


def test_tables_name_labels_and_strays_are_told(tmp_path: Path) -> None:
    """Claim: a sidecar names labels and its strays are told; a config's table overrules it; patterns choose."""
    path = write(tmp_path / "a.nii.gz", labels(), straight())
    (tmp_path / "a.labels.json").write_text(json.dumps({"1": "liver", "2": "gall bladder", "9": "spleen"}))
    tissue = build_tissue(str(path), "a", 2.0)
    assert tissue.region_names == ("liver", "gall_bladder")
    assert tissue.report["warnings"] == ["labels 7 are in no table and left out (0.009 mL)"]
    chosen = build_tissue(str(path), "a", 2.0, options=ImportOptions(labels={2: "core", 7: "core"}))
    assert chosen.region_names == ("core",)
    one = build_tissue(str(path), "a", 2.0, options=ImportOptions(regions={"all": ("liver", "gall*")}))
    assert volumes(one)["all"] == pytest.approx(sum(volumes(tissue).values()), rel=1e-9)
    before = contents(path)
    (tmp_path / "a.labels.json").write_text(json.dumps({"1": "other"}))
    assert contents(path) != before  # a changed table is not answered from the cache
    with pytest.raises(InputError, match=r"has no label 3; it has 0, 1, 2, 7"):
        organ_from_file(path, ImportOptions(labels={3: "x"}))


def test_a_kidney_is_told_by_names_or_fitted(tmp_path: Path) -> None:
    """Claim: renal names become cortex and medulla; a lone label of a kidney gets the built-in inner anatomy."""
    path = write(tmp_path / "a.nii", labels(), straight())
    named = build_tissue(str(path), "a", 2.0, options=ImportOptions(labels={1: "outer_cortex", 2: "pyramid"}))
    assert named.region_names == ("cortex", "medulla", "pelvis")
    assert volumes(named)["medulla"] == pytest.approx(np.count_nonzero(labels() == 2) * 0.009, rel=0.2)
    fitted = build_tissue(str(path), "a", 2.0, options=ImportOptions(labels={1: "kidney_left"}))
    assert "by depth and position" in str(fitted.report["regions"])
    assert min(volumes(fitted).values()) > 0


@pytest.mark.parametrize(
    ("unit", "told", "scale"), [("mm", None, 1), ("meter", None, 1000), ("mm", "cm", 10)]
)
def test_units_of_the_header_are_used_and_overruled(
    unit: str, told: str | None, scale: int, tmp_path: Path
) -> None:
    """Claim: the header's unit counts, `units` overrules it, and the report says which."""
    affine = straight()
    affine[:3] *= 0.001 if unit == "meter" else 1
    path = write(tmp_path / "a.nii", labels(), affine, unit)
    organ = organ_from_file(path, ImportOptions(units=told))
    assert organ.upper[0] - organ.lower[0] == pytest.approx(28.0 * (scale if told else 1), rel=1e-5)
    assert ("as told" if told else "as the file says") in str(organ.report["units"])


def refused(kind: str, folder: Path) -> tuple[Path, ImportOptions]:
    """Write a file that is no label volume."""
    path, options, affine = folder / f"{kind}.nii", ImportOptions(), straight()
    if kind == "image":
        write(path, labels().astype(np.float32) * 0.37, affine)
    elif kind == "negative":
        write(path, labels().astype(np.int16) - 1000, affine)
    elif kind == "many":
        write(path, np.arange(np.prod(SIZE), dtype=np.int32).reshape(SIZE), affine)
    elif kind == "empty":
        write(path, labels() * 0, affine)
    elif kind == "series":
        write(path, np.stack([labels(), labels()], axis=-1), affine)
    elif kind == "bare":
        path = folder / "bare.tif"
        pytest.importorskip("tifffile").imwrite(path, labels())
    elif kind == "missing":
        path = folder / "nowhere.nrrd"
    elif kind == "away":
        path = write(folder / "away.mhd", labels(), affine)
        path.with_suffix(".zraw").unlink()
    elif kind == "outside":
        path = write(folder / "outside.mhd", labels(), affine)
        path.write_text(path.read_text().replace("outside.zraw", "../secret.zraw"))
    elif kind == "table":
        write(path, labels(), affine)
        (folder / "table.labels.json").write_text("[1, 2]")
    return path, options


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("image", "its values are no whole numbers"),
        ("negative", "negative values down to -1000"),
        ("many", "different values"),
        ("empty", "holds no label to be tissue; it has 0"),
        ("series", "not a box of three axes"),
        ("bare", "does not say how large its voxels are; give `voxel_size`"),
        ("missing", "does not exist"),
        ("away", "needs 'away.zraw' beside it"),
        ("outside", "must lie beside it"),
        ("table", "is no table of label names"),
    ],
)
def test_what_is_no_label_volume_is_refused(kind: str, sentence: str, tmp_path: Path) -> None:
    """Claim: images, series, empty and incomplete volumes are refused in one sentence that names the file."""
    path, options = refused(kind, tmp_path)
    with pytest.raises(InputError, match=sentence) as refusal:
        organ_from_file(path, options)
    assert path.name.split(".")[0] in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_stack_takes_the_voxel_size_it_is_told(tmp_path: Path) -> None:
    """Claim: a TIFF without a size is read with `voxel_size`, its first axis along z."""
    path = tmp_path / "stack.tif"
    pytest.importorskip("tifffile").imwrite(path, labels().transpose(2, 1, 0))
    organ = organ_from_file(path, ImportOptions(voxel_size=(2.0, 3.0, 1.5), units="mm"))
    assert organ.upper[1] - organ.lower[1] == pytest.approx(18 * 3.0)
    assert read_volume(path, (2.0, 3.0, 1.5)).values.shape == SIZE


def test_a_missing_library_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: without nibabel a NIfTI is refused with the pip command."""
    path = write(tmp_path / "a.nii", labels(), straight())
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(InputError, match="needs the package nibabel: pip install nibabel"):
        organ_from_file(path)

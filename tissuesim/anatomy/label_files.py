"""Readers of label volumes: NIfTI, NRRD and TIFF by their libraries, MetaImage with NumPy."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .lattice import LARGEST_BOX

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mhd", ".mha", ".tif", ".tiff")
_PACKAGES = {"nibabel": "nibabel", "nrrd": "pynrrd", "tifffile": "tifffile"}
_META_TYPES = {
    **{"MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4"},
    **{
        "MET_UINT": "u4",
        "MET_LONG_LONG": "i8",
        "MET_ULONG_LONG": "u8",
        "MET_FLOAT": "f4",
        "MET_DOUBLE": "f8",
    },
}
_UNIT_WORDS = {
    **{"meter": "m", "metre": "m", "m": "m", "cm": "cm", "centimeter": "cm", "mm": "mm", "millimeter": "mm"},
    **{
        "um": "um",
        "µm": "um",
        "\\u00b5m": "um",
        "μm": "um",
        "micron": "um",
        "microns": "um",
        "micrometer": "um",
    },
}


@dataclass(frozen=True)
class Volume:
    """Values (i, j, k) of a file and its affine: world = affine (i, j, k, 1), centers of voxels, in ``units``."""

    values: NDArray[Any]
    affine: NDArray[np.float64]  # (4, 4)
    units: str | None  # 'm', 'cm', 'mm', 'um'; None where the file does not say
    world: str  # what the file calls its axes


def volume_suffix(path: Path) -> str:
    """Return the suffix of a label volume such as '.nii.gz', '' for any other file."""
    name = path.name.lower()
    return next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if name.endswith(suffix)), "")


def read_volume(path: Path, voxel_size: tuple[float, float, float] | None = None) -> Volume:
    """Return the volume in a file; InputError if it is missing or damaged, or a library for it is.

    ``voxel_size`` (mm) is for TIFF stacks, which often do not say it.
    """
    if not path.is_file():
        raise InputError(f"label volume '{path}' does not exist")
    suffix = volume_suffix(path)
    try:
        if suffix.startswith(".nii"):
            volume = _read_nifti(path)
        elif suffix.startswith(".n"):
            volume = _read_nrrd(path)
        elif suffix.startswith(".m"):
            volume = _read_meta_image(path)
        else:
            volume = _read_tiff(path, voxel_size)
        if not np.isfinite(volume.affine).all() or abs(np.linalg.det(volume.affine[:3, :3])) < 1e-18:
            raise ValueError("its voxels have no size")
    except InputError:
        raise
    except Exception as error:  # the libraries, zlib, gzip and NumPy each raise their own kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"'{path}' is damaged or not a readable {suffix} file: {reason}") from error
    return volume


def _library(name: str, path: Path) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise InputError(
            f"'{path}' needs the package {_PACKAGES[name]}: pip install {_PACKAGES[name]}"
        ) from None


def _box(shape: tuple[int, ...], values: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """Return the values as a box of three axes; axes of length 1 beyond the third are dropped."""
    if len(shape) > 3:
        shape = shape[:3] + tuple(size for size in shape[3:] if size != 1)
    if len(shape) != 3 or min(shape, default=0) < 1:
        raise ValueError(f"it holds {' x '.join(map(str, shape))} values, not a box of three axes")
    if int(np.prod(shape, dtype=object)) > LARGEST_BOX:
        raise ValueError(f"it holds {' x '.join(map(str, shape))} voxels, at most {LARGEST_BOX:,} are read")
    return np.asarray(values()).reshape(shape)


def _read_nifti(path: Path) -> Volume:
    nibabel = _library("nibabel", path)
    with nibabel.imageglobals.LoggingOutputSuppressor():  # it prints what it mends in a header
        image = nibabel.load(path)
    unit = _UNIT_WORDS.get(str(image.header.get_xyzt_units()[0]))
    values = _box(image.shape, lambda: np.asanyarray(image.dataobj))
    return Volume(
        values, np.asarray(image.affine, np.float64), unit, "x right, y anterior, z superior (NIfTI)"
    )


def _read_nrrd(path: Path) -> Volume:
    nrrd = _library("nrrd", path)
    header = nrrd.read_header(str(path))
    shape = tuple(int(size) for size in header["sizes"])
    values = _box(shape, lambda: nrrd.read(str(path))[0])
    affine = np.eye(4)
    directions = np.asarray(header.get("space directions", np.empty((0, 0))), np.float64)
    if directions.shape == (3, 3):
        affine[:3, :3] = directions.T
    elif "spacings" in header:
        affine[:3, :3] = np.diag(np.asarray(header["spacings"], np.float64)[:3])
    if "space origin" in header:
        affine[:3, 3] = np.asarray(header["space origin"], np.float64)
    said = header.get("space units", header.get("units", [None]))
    return Volume(values, affine, _UNIT_WORDS.get(str(said[0])), str(header.get("space", "as in the file")))


def _read_meta_image(path: Path) -> Volume:
    """Read ITK's MetaImage: header lines ``Key = Value``, then the values in the file or in one beside it."""
    data = path.read_bytes()
    found = re.search(rb"ElementDataFile\s*=\s*([^\r\n]*)\r?\n?", data)
    if found is None:
        raise ValueError("it has no ElementDataFile")
    lines = data[: found.start()].decode("ascii", errors="replace").splitlines()
    header = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    shape = tuple(int(size) for size in header["DimSize"].split())
    if int(header.get("ElementNumberOfChannels", "1")) != 1:
        raise ValueError("it holds several values per voxel")
    order = ">" if _true(header, "BinaryDataByteOrderMSB", "ElementByteOrderMSB") else "<"
    kind = np.dtype(order + _META_TYPES[header["ElementType"]])
    name = found.group(1).decode("utf-8", errors="replace").strip()
    body = data[found.end() :] if name == "LOCAL" else _beside(path, name).read_bytes()
    values = _box(shape, lambda: _meta_values(body, kind, shape, _true(header, "CompressedData")))
    affine = np.eye(4)
    turn = _numbers(header, ("TransformMatrix", "Rotation", "Orientation"), np.eye(3).reshape(-1))
    spacing = _numbers(header, ("ElementSpacing", "ElementSize"), np.ones(3))
    affine[:3, :3] = turn.reshape(3, 3).T * spacing  # its rows are the directions of the axes
    affine[:3, 3] = _numbers(header, ("Offset", "Position", "Origin"), np.zeros(3))
    return Volume(values, affine, None, header.get("AnatomicalOrientation", "as in the file"))


def _meta_values(body: bytes, kind: np.dtype[Any], shape: tuple[int, ...], compressed: bool) -> NDArray[Any]:
    size = int(np.prod(shape, dtype=object)) * kind.itemsize
    if compressed:
        body = zlib.decompressobj().decompress(body, size)
    if len(body) < size:
        raise ValueError(f"it is cut short, {len(body)} bytes of {size}")
    return np.frombuffer(body, kind, size // kind.itemsize).reshape(shape[::-1]).transpose()


def _true(header: dict[str, str], *keys: str) -> bool:
    return any(header.get(key, "").lower() == "true" for key in keys)


def _numbers(
    header: dict[str, str], keys: tuple[str, ...], otherwise: NDArray[np.float64]
) -> NDArray[np.float64]:
    text = next((header[key] for key in keys if key in header), None)
    if text is None:
        return otherwise
    numbers = np.array([float(word) for word in text.split()])
    if numbers.shape != otherwise.shape:
        raise ValueError(f"it gives {numbers.size} numbers where {otherwise.size} are needed")
    return numbers


def _beside(path: Path, name: str) -> Path:
    target = path.parent / name
    if target.resolve().parent != path.parent.resolve():
        raise InputError(f"'{path}' refers to '{name}'; its values must lie beside it")
    if not target.is_file():
        raise InputError(f"'{path}' needs '{name}' beside it, which does not exist")
    return target


def data_files(path: Path) -> list[Path]:
    """Return the files beside a volume that hold its values."""
    if volume_suffix(path) not in (".mhd", ".nhdr") or not path.is_file():
        return []
    found = re.search(rb"(?:ElementDataFile\s*=|data file:)\s*([^\r\n]*)", path.read_bytes())
    target = path.parent / found.group(1).decode("utf-8", errors="replace").strip() if found else path
    return [target] if target.is_file() and target != path else []


def _read_tiff(path: Path, voxel_size: tuple[float, float, float] | None) -> Volume:
    """Read a stack of pages (z, y, x); rows run along +y. The voxel size is told, or ImageJ's or OME's."""
    with _library("tifffile", path).TiffFile(path) as tiff:
        series = tiff.series[0]
        shape = tuple(int(size) for size in series.shape if size != 1 or len(series.shape) <= 3)
        values = _box(shape, series.asarray).transpose(2, 1, 0)
        told = None if voxel_size is None else (list(voxel_size), "mm")
        size, unit = told or _ome_size(tiff.ome_metadata or "") or _imagej_size(tiff)
    if not size:
        raise InputError(f"'{path}' does not say how large its voxels are; give `voxel_size` (x, y, z)")
    return Volume(values, np.diag([*size, 1.0]), unit, "x along rows, y down the page, z through the pages")


def _ome_size(text: str) -> tuple[list[float], str | None] | None:
    found = [re.search(rf'PhysicalSize{axis}="([^"]+)"', text) for axis in "XYZ"]
    unit = re.search(r'PhysicalSizeXUnit="([^"]+)"', text)
    if not all(found):
        return None
    return [float(match.group(1)) for match in found if match], _UNIT_WORDS.get(
        unit.group(1) if unit else "um"
    )


def _imagej_size(tiff: Any) -> tuple[list[float], str | None]:
    said, tags = tiff.imagej_metadata or {}, tiff.pages[0].tags
    if "spacing" not in said or "XResolution" not in tags or "YResolution" not in tags:
        return [], None
    across = [tags[key].value[1] / tags[key].value[0] for key in ("XResolution", "YResolution")]
    return [*across, float(said["spacing"])], _UNIT_WORDS.get(str(said.get("unit", "")).lower())

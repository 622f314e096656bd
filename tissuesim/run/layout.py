"""How our Zarr stores are laid out: format 3, CF attributes, xarray conventions, complete from birth."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import struct
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONVENTIONS = "CF-1.11"
TIME = {"units": "day", "long_name": "Days since infusion", "standard_name": "time", "axis": "T"}


def create_store(path: Path, fill: Callable[[Any], None], groups: Sequence[str] = ()) -> None:
    """Create a Zarr v3 store at ``path``: ``fill(root_group)`` adds everything it will ever have.

    The metadata never change afterwards, so they are consolidated here (root and ``groups``) and xarray opens
    the store at any time while values arrive. The store appears under its name only when it is complete.
    """
    import zarr

    unfinished = path.with_name(f".{path.name}.{os.getpid()}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    root = zarr.create_group(unfinished, zarr_format=3, attributes={"Conventions": CONVENTIONS})
    fill(root)
    with warnings.catch_warnings():
        # Every reader we care for understands them; zarr warns that the format text does not have them yet.
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        for group in groups:
            zarr.consolidate_metadata(unfinished, path=group, zarr_format=3)
        zarr.consolidate_metadata(unfinished, zarr_format=3)
    unfinished.rename(path)


def consolidate(path: Path) -> None:
    """Take the groups that were added to a finished store into the metadata of its root."""
    import zarr

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(path, zarr_format=3)


def add_array(
    group: Any,
    name: str,
    dims: tuple[str, ...],
    shape: tuple[int, ...],
    dtype: str,
    attributes: Mapping[str, Any],
    *,
    chunks: tuple[int, ...] | None = None,
    missing: bool = True,
) -> Any:
    """Add an array filled with "not there" (NaN, or -1 for integers) and return it.

    With ``missing`` the fill value is also declared as CF ``_FillValue``, so that xarray masks it.
    """
    from zarr.codecs import ZstdCodec

    empty = float("nan") if np.dtype(dtype).kind == "f" else -1
    declared = {"_FillValue": _encoded_fill(dtype)} if missing else {}
    return group.create_array(
        name,
        shape=shape,
        chunks=tuple(max(1, extent) for extent in (chunks or shape)),
        dtype=dtype,
        fill_value=empty,
        compressors=[ZstdCodec(level=1)],
        dimension_names=dims,
        attributes={**attributes, **declared},
    )


def add_values(
    group: Any, name: str, dims: tuple[str, ...], values: NDArray[Any], attributes: Mapping[str, Any]
) -> None:
    """Add an array that is complete from the start (coordinates, regions, maps)."""
    from zarr.codecs import ZstdCodec

    array = group.create_array(
        name,
        shape=values.shape,
        chunks=tuple(max(1, extent) for extent in values.shape),
        dtype=values.dtype,
        compressors=[ZstdCodec(level=1)],
        dimension_names=dims,
        attributes=dict(attributes),
    )
    array[...] = values


def write_together(writes: Sequence[tuple[Any, Any, NDArray[Any]]]) -> None:
    """Write ``(array, selection, values)`` for many arrays at once and return when all are on disk.

    Half the time of one after the other: the arrays are small, and each write by itself mostly waits. The
    thread makes it work where an event loop is running already (a notebook).
    """
    from zarr import AsyncArray

    async def write() -> None:
        arrays = [AsyncArray(array.metadata, array.store_path) for array, _, _ in writes]
        pairs = zip(arrays, writes, strict=True)
        await asyncio.gather(*(array.setitem(place, values) for array, (_, place, values) in pairs))

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, write()).result()


def _encoded_fill(dtype: str) -> Any:
    # xarray's convention for Zarr v3: the bytes of a little-endian double in base64; integers as they are.
    if np.dtype(dtype).kind == "f":
        return base64.standard_b64encode(struct.pack("<d", float("nan"))).decode()
    return -1

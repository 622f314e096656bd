"""Checkpoints: one file each, complete or absent, its checksum in its name, the last two kept."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError
from tissuesim.run.files import flush_directory, plain, write_atomically

KEPT = 2
FACTS = "facts.json"
NAME = re.compile(r"checkpoint_tick([+-]\d+)_([0-9a-f]{64})\.npz")

log = logging.getLogger("tissuesim")


def save_checkpoint(
    directory: Path | str, tick: int, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]
) -> Path:
    """Write one checkpoint and return its path; afterwards only the newest two are left in ``directory``.

    The file is a plain, uncompressed ``.npz`` of ``arrays`` (any names, any shapes, no Python objects) with
    ``facts`` as JSON inside. It appears under its final name, which holds the tick and the SHA-256 of the
    content, only when it is complete and on disk, so a killed writer leaves the older ones untouched.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    unnamed = directory / "checkpoint.new"
    for left_over in directory.glob(f".{unnamed.name}.*.partial"):
        left_over.unlink(missing_ok=True)  # of a writer that was killed
    write_atomically(unnamed, lambda handle: _write_archive(handle, arrays, facts))
    path = directory / f"checkpoint_tick{tick:+d}_{_digest(unnamed)}.npz"
    unnamed.replace(path)
    _forget_others(directory, path, tick)
    flush_directory(directory)
    return path


def load_latest_checkpoint(directory: Path | str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """Return ``(arrays, facts)`` of the newest checkpoint whose checksum is right, or None if there is none.

    A damaged file is passed over with one warning line and the older one is used; InputError when all of
    them are damaged.
    """
    candidates = _checkpoints(Path(directory))
    for path in candidates:
        match = NAME.fullmatch(path.name)
        if match is not None and _digest(path) == match.group(2):
            return _read_archive(path)
        log.warning("checkpoint '%s' is damaged (wrong checksum); trying the one before it", path.name)
    if candidates:
        raise InputError(
            f"all {len(candidates)} checkpoints in '{directory}' are damaged; start the run again."
        )
    return None


def _checkpoints(directory: Path) -> list[Path]:
    """Return the checkpoint files, newest (largest tick) first."""
    found = [path for path in directory.glob("*.npz") if NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: (-_tick(path), path.name))


def _tick(path: Path) -> int:
    match = NAME.fullmatch(path.name)
    assert match is not None, path
    return int(match.group(1))


def _forget_others(directory: Path, newest: Path, tick: int) -> None:
    # A file of a later tick is a damaged one that this run was resumed without: it goes too.
    others = [path for path in _checkpoints(directory) if path != newest]
    earlier = [path for path in others if _tick(path) < tick]
    for path in set(others) - set(earlier[: KEPT - 1]):
        path.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _write_archive(handle: IO[bytes], arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    # The same layout as numpy.savez, written out here because savez cannot hold an array called "file".
    with zipfile.ZipFile(handle, mode="w", compression=zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", mode="w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
        archive.writestr(FACTS, json.dumps(facts, default=plain))


def _read_archive(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(path) as archive:
        for entry_name in archive.namelist():
            if entry_name == FACTS:
                continue
            with archive.open(entry_name) as entry:
                arrays[entry_name.removesuffix(".npy")] = np.lib.format.read_array(entry, allow_pickle=False)
        facts = dict(json.loads(archive.read(FACTS)))
    return arrays, facts

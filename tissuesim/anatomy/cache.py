"""Tissues kept across runs, known by everything that decides their content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tissuesim.cache_folder import cache_folder
from tissuesim.errors import InputError
from tissuesim.tissue import Tissue

SMALLEST_KEPT = 500
"""Voxels; smaller tissues are built faster than they are looked up."""

SWITCH = "TISSUESIM_TISSUE_CACHE"
"""Set to 0, every tissue is built anew."""


def cached_tissue(facts: Mapping[str, Any], content: bytes, build: Callable[[], Tissue], name: str) -> Tissue:
    """Return the tissue of ``facts`` (spacing, seed, ...) and ``content`` (of a file), from the cache or by ``build``.

    The key also holds the text of the code that builds tissues, so a new version builds anew. A damaged file in the
    cache is built again. The tissue bears ``name``.
    """
    if os.environ.get(SWITCH) == "0":
        return build()
    digest = hashlib.sha256(json.dumps([_code(), dict(facts)], sort_keys=True, default=str).encode())
    digest.update(content)
    path = cache_folder() / "tissues" / f"{digest.hexdigest()[:32]}.npz"
    if path.is_file():
        try:
            return Tissue.load(path).named(name)
        except InputError:
            path.unlink(missing_ok=True)
    tissue = build()
    if tissue.n >= SMALLEST_KEPT:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        tissue.save(partial, compressed=False)
        partial.replace(path)
    return tissue


@cache
def _code() -> str:
    """Hash of the text of the rooms that decide a tissue."""
    digest = hashlib.sha256()
    for room in ("tissuesim.anatomy", "tissuesim.tissue"):
        for file in sorted(Path(str(files(room))).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()

"""Where generated text, machine code and tissues are kept across runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder: ``$TISSUESIM_CACHE``, else ``tissuesim`` in the user's cache folder."""
    chosen = os.environ.get("TISSUESIM_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tissuesim"

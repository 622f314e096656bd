"""CUDA texts read from ``tissuesim.kernels`` and pasted into one string."""

from __future__ import annotations

import re
from importlib.resources import files

INCLUDE = re.compile(r'^\s*#include "([\w./]+)"', re.MULTILINE)


def read_kernel(name: str) -> str:
    """Return the text of one file of ``tissuesim.kernels``, for example ``"random.cuh"``."""
    return files("tissuesim.kernels").joinpath(name).read_text(encoding="utf-8")


def paste_includes(text: str, name: str = "generated.cu") -> str:
    """Return ``text`` with every ``#include "file"`` of ``tissuesim.kernels`` pasted in, each once.

    ``#line`` keeps compiler messages true to the files. One string serves NVRTC, CuPy's cache (which
    ignores included headers) and g++ alike.
    """
    return _paste(text, name, set())


def _paste(text: str, name: str, seen: set[str]) -> str:
    lines = [f'#line 1 "{name}"']
    for number, line in enumerate(text.splitlines(), start=1):
        match = INCLUDE.match(line)
        if match is None:
            lines.append("" if line.strip() == "#pragma once" else line)
            continue
        included = match.group(1)
        if included not in seen:
            seen.add(included)
            lines.append(_paste(read_kernel(included), included, seen).rstrip("\n"))
        lines.append(f'#line {number + 1} "{name}"')
    return "\n".join(lines) + "\n"

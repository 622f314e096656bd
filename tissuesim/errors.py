"""The one kind of error a user can cause, and the nearest-name hint that goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Bad input, told in one sentence: path of the key, value, what is allowed. The CLI exits 2 on it."""


class NumericsError(RuntimeError):
    """The solver refuses to go on (NaN, negative amount, missed tolerance), told in one sentence."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known name closest to ``name``, or an empty string."""
    match = get_close_matches(str(name), [str(candidate) for candidate in known], n=1, cutoff=0.6)
    return f" (did you mean '{match[0]}'?)" if match else ""

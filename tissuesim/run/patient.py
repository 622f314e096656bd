"""What the readouts need to know of a run beside its totals: the kind of each organ, and the disease."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tissuesim.readouts import KINDS


def organ_kinds(scenario: Mapping[str, Any]) -> dict[str, str]:
    """The kind of each organ of a resolved scenario, by name.

    It is what ``organs.<name>.kind`` says; else the built-in anatomy, a patch counting as its organ; else the name of
    the organ, if that begins with a kind (``kidney_left``). An organ of no known kind has only what every organ has.
    """
    found = {}
    for name, organ in (scenario.get("organs") or {}).items():
        anatomy = str(organ.get("anatomy", "")).removesuffix("_patch")
        candidates = (organ.get("kind"), anatomy, *(kind for kind in KINDS if name.startswith(kind)))
        found[name] = next(
            (str(kind) for kind in candidates if kind in KINDS), str(organ.get("kind") or name)
        )
    return found


def disease_name(scenario: Mapping[str, Any]) -> str | None:
    """The disease of a resolved scenario: the name, or the stem of its file; None if there is none.

    Runs tell whose instruments they are read with in their totals; this is for those written before they did.
    """
    given = scenario.get("disease")
    if isinstance(given, Mapping):
        given = given.get("name")
    return None if given is None else PurePath(str(given)).stem

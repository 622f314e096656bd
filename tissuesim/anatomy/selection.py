"""Which parts or labels of a file are which region: the user's patterns, a kidney's words, or each name its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from tissuesim.errors import InputError, nearest

from .kidney import CORTEX, MEDULLA, PELVIS, REGIONS

OUTSIDE = "outside"  # what `regions` gives this name is cut out of the tissue
MOST_REGIONS = 250  # region numbers are bytes
# Word in a name -> region and painting order (later ones win where parts overlap). The first word
# found decides: 'hilum_of_kidney' is pelvis although it names the kidney.
_WORDS: tuple[tuple[str, int, int], ...] = (
    ("papilla", MEDULLA, 6),
    ("pyramid", MEDULLA, 5),
    ("medulla", MEDULLA, 5),
    ("pelvis", PELVIS, 1),
    ("calyx", PELVIS, 1),
    ("calyces", PELVIS, 1),
    ("hilum", PELVIS, 0),
    ("sinus", PELVIS, 0),
    ("ureter", PELVIS, 0),
    ("column", CORTEX, 4),
    ("cortex", CORTEX, 3),
    ("cortical", CORTEX, 3),
    ("capsule", CORTEX, 2),
    ("kidney", CORTEX, 2),
    ("renal", CORTEX, 2),
)
UNNAMED_RANK = 2
WRAPPING_RANKS = (2, 3)  # capsule and outer cortex: gaps beside them are cortex, not sinus


@dataclass(frozen=True)
class ImportOptions:
    """What a config says about a file: the organ's name, units, regions, labels and the size of a voxel.

    ``regions`` maps a region to patterns of part or label names, painted in this order (later ones win); its region
    'outside' is cut out. ``labels`` maps label numbers of a volume to names. ``voxel_size`` is x, y, z in mm,
    ``vessel_entries`` are places x, y, z in mm, in the axes of the file.
    """

    organ: str = ""
    units: str | None = None
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    labels: Mapping[int, str] = field(default_factory=dict)
    voxel_size: tuple[float, float, float] | None = None
    vessel_entries: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class Regions:
    """Region names, and for each part its region (-1: cut out, None: left out) in painting order."""

    names: tuple[str, ...]
    of_part: tuple[int | None, ...]
    order: tuple[int, ...]  # parts, lowest first

    def label(self, part: int) -> int:
        """Return what a part paints: its region + 1, 0 where it cuts out."""
        region = self.of_part[part]
        assert region is not None
        return region + 1

    def words(self, part: int) -> str:
        """Return the region of a part as text."""
        region = self.of_part[part]
        return "left out" if region is None else OUTSIDE if region < 0 else self.names[region]


def kidney_kind(name: str) -> tuple[int, int] | None:
    """Return (region of a kidney, painting order) a name stands for, or None."""
    words = name.lower()
    return next(((region, rank) for word, region, rank in _WORDS if word in words), None)


def tells_kidney(names: list[str]) -> bool:
    """Return whether most names are parts of a kidney and of more than one region."""
    kinds = [kind for kind in map(kidney_kind, names) if kind is not None]
    return 2 * len(kinds) > len(names) and len({region for region, _ in kinds}) > 1


def names_kidney(text: str) -> bool:
    """Return whether a text such as a file's or an organ's name is about a kidney."""
    return re.search(r"kidney|renal|(?:^|[^a-z])ren(?:$|[^a-z])", text.lower()) is not None


def kidney_regions(names: list[str]) -> Regions:
    """Return a kidney's regions by the words in the names, in anatomical painting order."""
    kinds = [kidney_kind(name) or (CORTEX, UNNAMED_RANK) for name in names]
    order = sorted(range(len(names)), key=lambda part: kinds[part][1])
    return Regions(REGIONS, tuple(region for region, _ in kinds), tuple(order))


def named_regions(names: list[str], sizes: list[float]) -> Regions:
    """Return each name as a region of its own; smaller parts are painted over larger ones."""
    clean = [_clean(name) or f"part_{number + 1}" for number, name in enumerate(names)]
    regions = tuple(dict.fromkeys(clean))
    if len(regions) > MOST_REGIONS:
        raise InputError(
            f"the file names {len(regions)} parts, at most {MOST_REGIONS} regions are possible; choose with `regions`"
        )
    order = sorted(range(len(names)), key=lambda part: -sizes[part])
    return Regions(regions, tuple(regions.index(name) for name in clean), tuple(order))


def chosen_regions(names: list[str], patterns: Mapping[str, tuple[str, ...]]) -> Regions:
    """Return the regions that the patterns choose; InputError for a pattern that fits no name.

    A pattern with * or ? must fit the whole name, a plain one any part of it, in capitals or not. The first region
    that fits a name takes it; later regions are painted over earlier ones.
    """
    regions = tuple(name for name in patterns if name != OUTSIDE)
    if not regions or len(regions) > MOST_REGIONS:
        raise InputError(f"`regions` names {len(regions)} regions; 1 to {MOST_REGIONS} are possible")
    chosen: list[int | None] = [None] * len(names)
    rank = [0] * len(names)
    for place, (region, wanted) in enumerate(patterns.items()):
        for pattern in wanted:
            found = [part for part, name in enumerate(names) if _fits(name, pattern)]
            if not found:
                raise InputError(
                    f"regions.{region}: no part is named '{pattern}'{nearest(pattern, names)}; "
                    f"the file has {_listed(names)}"
                )
            for part in found:
                if chosen[part] is None:
                    chosen[part] = -1 if region == OUTSIDE else regions.index(region)
                    rank[part] = place
    order = sorted((part for part, region in enumerate(chosen) if region is not None), key=rank.__getitem__)
    return Regions(regions, tuple(chosen), tuple(order))


def _fits(name: str, pattern: str) -> bool:
    name, pattern = name.lower(), pattern.lower()
    return fnmatchcase(name, pattern) if any(sign in pattern for sign in "*?[") else pattern in name


def _clean(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_")


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")

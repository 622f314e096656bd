"""Where a disease lives in an organ: patterns made from regions, depth, height, vessels and correlated noise.

A pattern ranks the places of an organ; the highest ones are diseased, as many as the volume of the lesion asks for.
The rank belongs to the place and not to the voxel, so every spacing sees the same lesion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError
from tissuesim.tissue import Tissue
from tissuesim.tissue.tissue import volume_text

from .distance import distance_to
from .lattice import Lattice
from .noise import placed_normal

if TYPE_CHECKING:
    from tissuesim.config.disease import Lesion

_STREAM = 40

Rank = Callable[[Tissue, "Lesion", int], NDArray[np.float64]]


def susceptibility(tissue: Tissue, lesions: Iterable[tuple[str, Lesion]], seed: int) -> NDArray[np.float64]:
    """Return the share (n,) of each voxel that lies in one of the lesions, 0 to 1; where two overlap, the larger.

    ``lesions`` are names and patterns; ``seed``, the name of the organ and that of the lesion decide patches and
    ragged edges, so that one more lesion or organ moves no other. InputError where the organ has no such region or
    less volume than a lesion asks for.
    """
    covered = np.zeros(tissue.n)
    for name, lesion in lesions:
        try:
            covered = np.maximum(covered, lesion_map(tissue, lesion, seed, name))
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    return covered


def lesion_map(tissue: Tissue, lesion: Lesion, seed: int, name: str) -> NDArray[np.float64]:
    """Return the share (n,) of each voxel that lies in the lesion of this name."""
    allowed = tissue.in_regions(lesion.regions) if lesion.regions else np.ones(tissue.n, np.bool_)
    home = float(tissue.volume[allowed].sum())
    if not home > 0:
        raise InputError(
            f"regions {', '.join(lesion.regions)} of '{tissue.name}' hold no voxel at this spacing"
        )
    wanted = home
    if lesion.volume is not None:
        wanted = lesion.volume.within("mL", "volume")
    elif lesion.share is not None:
        wanted = home * lesion.share.within("1", "share")
    if wanted > home * (1 + 1e-9):
        raise InputError(
            f"a lesion of {volume_text(wanted)} does not fit into {', '.join(lesion.regions) or 'the whole'} of "
            f"'{tissue.name}', which has {volume_text(home)}"
        )
    if lesion.pattern == "whole":
        return np.where(allowed, min(wanted / home, 1.0), 0.0)
    return _highest(
        tissue, RANKS[lesion.pattern](tissue, lesion, _key(seed, tissue.name, name)), allowed, wanted
    )


def _key(seed: int, organ: str, lesion: str) -> int:
    """The seed of the noise of one lesion in one organ: 64 bits."""
    digest = hashlib.sha256(f"tissuesim/lesion/{seed}/{organ}/{lesion}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def _highest(
    tissue: Tissue, rank: NDArray[np.float64], allowed: NDArray[np.bool_], wanted: float
) -> NDArray[np.float64]:
    """Fill the allowed voxels from the highest rank down to a volume; the last one is filled in part."""
    chosen = np.flatnonzero(allowed)
    order = chosen[np.lexsort((tissue.box_index[chosen], -rank[chosen]))]
    volume = tissue.volume[order]
    before = np.cumsum(volume) - volume
    covered = np.zeros(tissue.n)
    covered[order] = np.clip((wanted - before) / volume, 0.0, 1.0)
    return covered


def _rim(tissue: Tissue, lesion: Lesion, seed: int) -> NDArray[np.float64]:
    """The outermost layer: of pericardium, pleura."""
    return -_map(tissue, "depth", lesion)


def _subpleural(tissue: Tissue, lesion: Lesion, seed: int) -> NDArray[np.float64]:
    """Basal and below the surface: falls with depth and with height above the base, with a ragged edge."""
    height = tissue.centers()[:, 2]
    rank = -_below_pleura(tissue, lesion) / lesion.length("reach") - height / lesion.length("rise")
    return rank + lesion.raggedness.within("1", "raggedness") * _noise(tissue, lesion.length("lobule"), seed)


def _patches(tissue: Tissue, lesion: Lesion, seed: int) -> NDArray[np.float64]:
    """Patches of one size anywhere in the regions."""
    return _noise(tissue, lesion.length("correlation"), seed)


def _perivascular(tissue: Tissue, lesion: Lesion, seed: int) -> NDArray[np.float64]:
    """Where the vessels are densest."""
    return _map(tissue, "vascular_density", lesion)


RANKS: dict[str, Rank] = {
    "rim": _rim,
    "subpleural": _subpleural,
    "patches": _patches,
    "perivascular": _perivascular,
}


def _map(tissue: Tissue, name: str, lesion: Lesion) -> NDArray[np.float64]:
    if name not in tissue.maps:
        raise InputError(
            f"pattern '{lesion.pattern}' needs the map '{name}', which '{tissue.name}' does not have"
        )
    return tissue.maps[name]


def _below_pleura(tissue: Tissue, lesion: Lesion) -> NDArray[np.float64]:
    """Distance (mm) to the pleura, fissures too; the map of depth would also count the walls of airways."""
    if "pleura" not in tissue.region_names or tissue.points is not None:
        return _map(tissue, "depth", lesion)
    pleura = tissue.scatter(tissue.in_regions(["pleura"]), False)
    return tissue.gather(distance_to(pleura, tissue.spacing))


def _noise(tissue: Tissue, correlation: float, seed: int) -> NDArray[np.float64]:
    """The correlated normal field at the voxels; at the cells of a mesh from a lattice of an eighth of its length."""
    if tissue.points is None:
        field = placed_normal(
            Lattice(tissue.spacing, tissue.origin, tissue.shape), correlation, seed, _STREAM
        )
        return tissue.gather(field)
    centers, step = tissue.centers(), correlation / 8
    low, high = centers.min(axis=0), centers.max(axis=0)
    lattice = Lattice.covering(tuple(low.tolist()), tuple(high.tolist()), step)
    cell = np.clip(((centers - lattice.origin) / step).astype(np.int64), 0, np.array(lattice.shape)[::-1] - 1)
    field = placed_normal(lattice, correlation, seed, _STREAM)
    return np.asarray(field[cell[:, 2], cell[:, 1], cell[:, 0]])

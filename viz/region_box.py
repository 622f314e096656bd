"""A tissue as a dense box that can be asked for its region at any place: what anatomy pictures are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tissuesim.tissue import Tissue

NOTHING = 255  # where there is no tissue
_MIDDLE = (0.3, 0.7)  # share of an axis in which a section is looked for
_SEEN = 0.002  # of a section's tissue: a region with less does not show
_CORNER = 0.12  # of each side: a block of tissue has something in every such corner
_CHUNK = 500_000  # places at once


@dataclass(frozen=True)
class RegionBox:
    """Tissue fraction and region number per voxel, (z, y, x), ``NOTHING`` outside; mm."""

    fraction: NDArray[np.float64]
    region: NDArray[np.uint8]
    spacing: float
    origin: NDArray[np.float64]  # x, y, z of the lower corner

    @classmethod
    def of(cls, tissue: Tissue) -> RegionBox:
        """Return the box of a tissue."""
        fraction = tissue.scatter(tissue.fraction, 0.0)
        region = tissue.scatter(tissue.region, NOTHING)
        return cls(fraction, region, tissue.spacing, np.asarray(tissue.origin))

    @property
    def size(self) -> NDArray[np.float64]:
        """Lengths of the sides x, y, z, mm."""
        return np.asarray(self.fraction.shape[::-1]) * self.spacing

    def sample(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Return (tissue share, region) at ``points`` (..., 3): linear between centers, region by weight."""
        flat = points.reshape(-1, 3)
        share, region = np.empty(len(flat)), np.empty(len(flat), dtype=np.uint8)
        for start in range(0, len(flat), _CHUNK):
            part = slice(start, start + _CHUNK)
            share[part], region[part] = self._sample(flat[part])
        return share.reshape(points.shape[:-1]), region.reshape(points.shape[:-1])

    def _sample(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        count = np.asarray(self.fraction.shape)
        place = ((points - self.origin) / self.spacing - 0.5)[:, ::-1]
        low = np.floor(place).astype(np.int64)
        weight = place - low
        share = np.zeros(len(points))
        labels = np.unique(self.region[self.region != NOTHING])
        votes = np.zeros((len(labels), len(points)))
        for corner in np.ndindex(2, 2, 2):
            index = low + corner
            held = np.all((index >= 0) & (index < count), axis=1)
            index = np.clip(index, 0, count - 1)
            part = np.where(corner, weight, 1.0 - weight).prod(axis=1) * held
            part *= self.fraction[tuple(index.T)]
            region = self.region[tuple(index.T)]
            share += part
            for number, label in enumerate(labels):
                votes[number] += part * (region == label)
        return share, np.where(share > 0.0, labels[np.argmax(votes, axis=0)], np.uint8(NOTHING))

    def sections(self) -> NDArray[np.float64]:
        """Return x, y, z (mm) of the three planes near the middle that show most regions, then most tissue."""
        return np.array([self._section(axis) for axis in range(3)])

    def _section(self, axis: int) -> float:
        layers = np.moveaxis(self.region, 2 - axis, 0)
        count = len(layers)
        first, last = int(_MIDDLE[0] * count), max(int(np.ceil(_MIDDLE[1] * count)), 1)
        best = max(
            range(first, last), key=lambda layer: _worth(layers[layer], abs(layer + 0.5 - count / 2) / count)
        )
        return float(self.origin[axis] + (best + 0.5) * self.spacing)

    def is_block(self) -> bool:
        """Whether the tissue fills a box, as a patch does: something lies in all of its corners."""
        tissue = self.region != NOTHING
        cells = [max(1, round(_CORNER * size)) for size in tissue.shape]
        ends = [(slice(None, size), slice(-size, None)) for size in cells]
        return all(tissue[z, y, x].any() for z in ends[0] for y in ends[1] for x in ends[2])


def _worth(layer: NDArray[np.uint8], off_middle: float) -> tuple[int, float]:
    """Return (regions seen, tissue area less a little for being far from the middle)."""
    counts = np.bincount(layer.ravel(), minlength=NOTHING + 1)[:NOTHING]
    tissue = int(counts.sum())
    return int((counts > _SEEN * tissue).sum()) if tissue else 0, tissue * (1.0 - 0.2 * off_middle)


def colors_of(region: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[Any]:
    """Return the colors (..., 3) of region numbers; black where there is nothing."""
    padded = np.zeros((NOTHING + 1, 3), dtype=np.uint8)
    padded[: len(table)] = table
    return np.asarray(padded[region])

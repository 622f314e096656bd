"""A still without 3D graphics: the section through the middle, the fallback where no renderer works."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .frames import Frame, Pictures
from .style import GROUND
from .view import View

DOT_PIXELS = 3  # half width of a dot


def section_image(
    pictures: Pictures,
    frame: Frame,
    view: View,
    colors: NDArray[np.uint8],
    dots: dict[str, str],
    image: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return the picture (height, width, 3): the field in the organ's middle plane, cells near it as dots.

    ``view`` must not be tilted; ``dots`` gives the color of each layer of cells. With an ``image`` of other organs
    in the same view this one is painted onto it.
    """
    rows = (np.arange(view.height) - (view.height - 1) / 2) * -view.mm_per_pixel
    columns = (np.arange(view.width) - (view.width - 1) / 2) * view.mm_per_pixel
    size = np.array(pictures.fraction.shape[::-1]) * pictures.spacing
    middle = pictures.origin + size / 2
    plane = view.focus + (middle - view.focus) @ view.toward_camera * view.toward_camera
    place = plane + rows[:, None, None] * view.screen_up + columns[None, :, None] * view.screen_right
    index = np.floor((place - pictures.origin) / pictures.spacing).astype(np.int64)[..., ::-1]
    inside = np.all((index >= 0) & (index < pictures.fraction.shape), axis=-1)
    clipped = np.clip(index, 0, np.array(pictures.fraction.shape) - 1)
    values = np.where(inside, frame.values[tuple(np.moveaxis(clipped, -1, 0))], np.nan)

    if image is None:
        image = np.empty((*values.shape, 3), dtype=np.uint8)
        image[:] = _rgb(GROUND)
    tissue = np.isfinite(values)
    level = np.clip(values[tissue] / pictures.top, 0.0, 1.0) * (len(colors) - 1)
    image[tissue] = colors[np.round(level).astype(np.int64)]
    for layer in frame.layers:
        near = np.abs((layer.positions - plane) @ view.toward_camera) <= 2 * pictures.spacing
        _stamp(image, layer.positions[near] - plane, view, dots[layer.key])
    return image


def _stamp(image: NDArray[np.uint8], offsets: NDArray[np.float64], view: View, color: str) -> None:
    row = np.round((view.height - 1) / 2 - offsets @ view.screen_up / view.mm_per_pixel).astype(np.int64)
    column = np.round((view.width - 1) / 2 + offsets @ view.screen_right / view.mm_per_pixel).astype(np.int64)
    for down, right in np.ndindex(2 * DOT_PIXELS + 1, 2 * DOT_PIXELS + 1):
        if (down - DOT_PIXELS) ** 2 + (right - DOT_PIXELS) ** 2 > (DOT_PIXELS + 0.5) ** 2:
            continue
        y, x = row + down - DOT_PIXELS, column + right - DOT_PIXELS
        seen = (y >= 0) & (y < view.height) & (x >= 0) & (x < view.width)
        image[y[seen], x[seen]] = _rgb(color)


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[start : start + 2], 16) for start in (1, 3, 5))

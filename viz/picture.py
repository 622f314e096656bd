"""What `run.plot()` and `run.render()` return: the files they wrote, which show themselves in a notebook."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import overload

SCENE_HEIGHT = 560  # pixels of an interactive scene in a notebook


class Picture(Sequence[Path]):
    """One or more picture files. In a notebook the last one shows; elsewhere it stands for its path.

    ``paths`` are all files, ``path`` the one that shows. ``Path(picture)`` and ``open(picture)`` take ``path``;
    as a sequence it is ``paths``. ``scene`` may give an HTML document that shows instead of the still, such as an
    interactive scene; where it returns None the still shows.
    """

    def __init__(
        self, paths: Path | Sequence[Path], *, scene: Callable[[], str | None] | None = None
    ) -> None:
        """Take the written ``paths``, at least one; the last is the one to look at."""
        self.paths: tuple[Path, ...] = (paths,) if isinstance(paths, Path) else tuple(paths)
        if not self.paths:
            raise ValueError("a picture needs at least one file")
        self._scene = scene

    @property
    def path(self) -> Path:
        """The file that shows."""
        return self.paths[-1]

    def __fspath__(self) -> str:
        return str(self.path)

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Path, ...]: ...
    def __getitem__(self, index: int | slice) -> Path | tuple[Path, ...]:
        return self.paths[index]

    def __str__(self) -> str:
        return "\n".join(str(path) for path in self.paths)

    def __repr__(self) -> str:
        return f"Picture({', '.join(str(path) for path in self.paths)})"

    def _repr_png_(self) -> bytes | None:
        return self.path.read_bytes() if self.path.suffix == ".png" else None

    def _repr_svg_(self) -> str | None:
        return self.path.read_text(encoding="utf-8") if self.path.suffix == ".svg" else None

    def _repr_html_(self) -> str | None:
        """Return the interactive scene, or a movie that plays; None leaves it to the still."""
        if self.path.suffix == ".gif":
            data = base64.b64encode(self.path.read_bytes()).decode()
            return f'<img alt="{html.escape(self.path.stem)}" src="data:image/gif;base64,{data}">'
        document = None if self._scene is None else self._scene()
        if document is None:
            return None
        return (
            f'<iframe title="{html.escape(self.path.stem)}" srcdoc="{html.escape(document)}" '
            f'style="width: 100%; height: {SCENE_HEIGHT}px; border: 0"></iframe>'
        )

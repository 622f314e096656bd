"""Pictures to movies: an MP4 from a stream of pictures, and a small GIF from an MP4."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .offscreen import Image

FRAMES_PER_SECOND = 15
GIF_WIDTH, GIF_RATE = 640, 12


class Encoder:
    """Pictures to an MP4 by ffmpeg; the file appears under its name when it is complete."""

    def __init__(self, path: Path) -> None:
        """Prepare the movie ``path``."""
        self.path, self._partial = path, path.with_name(f".{path.stem}.partial.mp4")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Encoder:
        return self

    def add(self, image: Image) -> None:
        """Append one picture (height, width, 3); all have the same even size."""
        if self._process is None:
            size = f"{image.shape[1]}x{image.shape[0]}"
            self._process = subprocess.Popen(
                [
                    ffmpeg(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size,
                    "-r", str(FRAMES_PER_SECOND), "-i", "-", "-c:v", "libx264", "-crf", "20", "-pix_fmt", "yuv420p",
                    "-movflags", "+faststart", str(self._partial),
                ],
                stdin=subprocess.PIPE,
            )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(image.tobytes())

    def __exit__(self, kind: object, *_: object) -> None:
        """Finish the file, or leave none if something went wrong."""
        if self._process is not None:
            self._process.communicate()
        if kind is None and self._process is not None and self._process.returncode == 0:
            self._partial.replace(self.path)
        else:
            self._partial.unlink(missing_ok=True)
            if kind is None:
                raise OSError(f"ffmpeg could not write '{self.path}'")


def ffmpeg() -> str:
    """Return the ffmpeg program that comes with imageio-ffmpeg, or that of the system."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def write_gif(movie: Path) -> Path:
    """Write ``movie`` once more as a GIF beside it, smaller, with a palette of its own colors."""
    path = movie.with_suffix(".gif")
    shrink = f"fps={GIF_RATE},scale={GIF_WIDTH}:-2:flags=lanczos"
    colors = "split[a][b];[a]palettegen=stats_mode=diff[p];[b][p]paletteuse=dither=none:diff_mode=rectangle"
    command = [
        ffmpeg(), "-y", "-loglevel", "error", "-i", str(movie),
        "-vf", f"{shrink},{colors}", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return path

"""What a notebook, a program and a person make of a picture."""

import html
import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread, imsave

from tissuesim.viz.picture import Picture


@pytest.fixture
def files(tmp_path):
    """Two different PNGs."""
    paths = [tmp_path / "first.png", tmp_path / "last.png"]
    for number, path in enumerate(paths):
        imsave(path, np.full((4, 6, 3), 0.5 * number))
    return paths


def test_a_picture_is_its_files(files):
    """All paths are there in order, and the last stands for the picture wherever a path is wanted."""
    picture = Picture(files)
    assert list(picture) == files and len(picture) == 2 and picture[0] == files[0]
    assert picture.path == files[1] == Path(picture) and os.fspath(picture) == str(files[1])
    assert str(picture).splitlines() == [str(path) for path in files]
    assert imread(picture).mean() == pytest.approx(imread(files[1]).mean())
    assert Picture(files[0]).paths == (files[0],)
    with pytest.raises(ValueError, match="at least one"):
        Picture([])


def test_a_notebook_gets_the_last_still(files):
    """The bytes a notebook shows are those of the file, and no HTML takes their place."""
    picture = Picture(files)
    assert picture._repr_png_() == files[1].read_bytes() and picture._repr_html_() is None
    assert picture._repr_svg_() is None


def test_a_notebook_gets_a_drawing_as_svg(tmp_path):
    """An SVG shows as SVG, never as the bytes of a PNG."""
    path = tmp_path / "course.svg"
    path.write_text("<svg/>", encoding="utf-8")
    assert Picture(path)._repr_svg_() == "<svg/>" and Picture(path)._repr_png_() is None


def test_an_interactive_scene_shows_whole_and_a_missing_one_does_not(files):
    """The document of the scene comes back from the frame as it was; without one the still is left to show."""
    document = '<!doctype html><p title="a & b">scene</p>'
    shown = Picture(files, scene=lambda: document)._repr_html_()
    assert html.unescape(shown.split('srcdoc="')[1].split('" style')[0]) == document
    assert Picture(files, scene=lambda: None)._repr_html_() is None


def test_a_movie_plays(tmp_path):
    """A GIF is put into the page itself: a notebook that is sent on still has it."""
    path = tmp_path / "kidney.gif"
    path.write_bytes(b"GIF89a")
    assert "data:image/gif;base64,R0lGODlh" in Picture(path)._repr_html_()

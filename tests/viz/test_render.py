"""Stills: drawn in another process, on one scale, complete, with a fallback that says so."""

import os
import stat

import numpy as np
import pytest
from matplotlib.image import imread

from tissuesim.errors import InputError
from tissuesim.run import Run
from tissuesim.viz import offscreen
from tissuesim.viz.command import draw
from tissuesim.viz.frames import read_pictures
from tissuesim.viz.offscreen import draw_frames
from tissuesim.viz.render import captions_of, panel, render_day, render_run
from tissuesim.viz.stage import shots_and_camera
from tissuesim.viz.style import GROUND, color_table

GROUND_RGB = np.array([int(GROUND[start : start + 2], 16) for start in (1, 3, 5)])


@pytest.fixture(scope="module")
def scenes(run_directory):
    """Pictures of days -5, 9 and 180 in 3D; the tests of the scene are skipped where there is no renderer."""
    pictures = read_pictures(Run(run_directory), "kidney", [-5.0, 9.0, 180.0], "inflammation")
    (shot,), camera = shots_and_camera("cut", [pictures])
    images, trouble = offscreen.render_scenes([offscreen.Scene("cut", (shot,), (camera,) * 3)])
    if trouble is not None:
        pytest.skip(f"no 3D renderer on this machine: {trouble}")
    return pictures, images[0]


def near(image, colors, tolerance=12):
    """Return which pixels are close to one of ``colors``."""
    image = image[::5, ::5]
    flat = image.reshape(-1, 1, 3).astype(np.int16)
    return (
        (np.abs(flat - np.asarray(colors).reshape(1, -1, 3)).max(axis=2) <= tolerance)
        .any(axis=1)
        .reshape(image.shape[:2])
    )


def test_the_organ_fills_the_picture(scenes):
    """The organ covers a third to nine tenths of the picture and does not touch its border."""
    _, images = scenes
    for image in images:
        background = near(image, GROUND_RGB, 2)
        assert 0.3 < 1.0 - background.mean() < 0.9
        for border in (background[0], background[-1], background[:, 0], background[:, -1]):
            assert border.all()


def test_inflammation_is_bright_before_and_dark_after(scenes):
    """With one scale for all days, the healed organ is much darker than the inflamed one."""
    _, (before, _, after) = scenes
    bright = color_table("state")[120:]
    assert near(before, bright).mean() > 0.03 and near(after, bright).mean() < 0.001


def test_cells_are_seen_where_they_are(scenes):
    """Blue dots before, green dots at the peak, none of either on day 180: as in the counts."""
    pictures, images = scenes
    for frame, image in zip(pictures.frames, images, strict=True):
        red, green, blue = (image[..., channel].astype(int) for channel in range(3))
        sky = (blue > red + 60) & (green > red + 40) & (blue > green + 20) & (blue > 150)
        mint = (green > red + 60) & (green > blue + 20) & (green > 150)
        for layer, seen in zip(frame.layers, (sky, mint), strict=True):
            assert (seen.mean() > 0.002) == (len(layer.positions) > 100), (frame.day, layer.name)


def test_scale_and_dots_do_not_depend_on_the_days_asked_for(run_directory):
    """A picture of day 180 alone has the same color scale and dot size as one beside day 9."""
    run = Run(run_directory)
    alone = read_pictures(run, "kidney", [180.0], "inflammation")
    beside = read_pictures(run, "kidney", [9.0, 180.0], "inflammation")
    assert alone.top == beside.top
    assert [layer.per_dot for layer in alone.frames[0].layers] == [
        layer.per_dot for layer in beside.frames[1].layers
    ]
    assert [layer.total for layer in alone.frames[0].layers] == [
        layer.total for layer in beside.frames[1].layers
    ]


def test_cells_as_a_field_are_densities(run_directory):
    """A field of cells is shown per mm3, so that half-filled voxels at the surface do not look empty."""
    run = Run(run_directory)
    pictures = read_pictures(run, "kidney", [-5.0], "autoreactive_b")
    assert pictures.unit == "cell/mm^3"
    total = np.nansum(pictures.frames[0].values * run["kidney"]["volume"].values)
    assert total == pytest.approx(pictures.frames[0].layers[0].total)


def test_default_pictures(run_directory, tmp_path):
    """`render` without choices draws before, peak, later days and a panel, each a real picture."""
    paths = render_run(run_directory, out=tmp_path)
    names = [path.name for path in paths]
    assert "kidney_inflammation_day-5.png" in names and "kidney_inflammation_day9.png" in names
    assert names[-1] == "kidney_inflammation_panel.png" and len(names) == len(set(names)) >= 5
    for path in paths:
        assert path.parent == tmp_path and imread(path).shape[0] > 1000 and imread(path).std() > 0.02


def crashing(tmp_path, text):
    """Return a program that stands for a Python whose graphics driver fails."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(
    ("text", "reason"),
    [("kill -SEGV $$", "signal 11"), ("echo no EGL here >&2; exit 1", "no EGL here"), ("exit 0", "code 0")],
)
def test_a_crashing_renderer_costs_no_picture(run_directory, tmp_path, monkeypatch, capfd, text, reason):
    """If the renderer crashes, fails or draws nothing, one line says so and flat sections are drawn."""
    monkeypatch.setattr(offscreen.sys, "executable", crashing(tmp_path, text))
    path = panel(run_directory, [-5.0, 180.0], out=tmp_path / "panel.png")
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1 and reason in lines[0] and "flat sections" in lines[0]
    assert imread(path).std() > 0.02


def test_sections_show_the_field(run_directory, tmp_path, monkeypatch):
    """The fallback is a true section: bright cortex before, dark after, nothing outside the organ."""
    monkeypatch.setattr(offscreen, "render_scenes", lambda *_: ([], "a test"))
    (before, after), view = draw_frames(
        read_pictures(Run(run_directory), "kidney", [-5.0, 180.0], "inflammation")
    )
    bright = color_table("state")[120:]
    assert before.shape == (view.height, view.width, 3)
    assert near(before, bright, 2).mean() > 0.1 and near(after, bright, 2).mean() < 0.01
    assert near(before, GROUND_RGB, 0)[[0, -1]].all()


def test_wrong_names_and_empty_runs_are_told(run_directory, tmp_path):
    """An unknown organ or field is one sentence with the nearest name."""
    with pytest.raises(InputError, match="did you mean 'inflammation'"):
        render_day(run_directory, "kidney", 0.0, field="inflamation")
    with pytest.raises(InputError, match="region"):
        render_day(run_directory, "kidney", 0.0, field="region")
    with pytest.raises(InputError, match="did you mean 'kidney'"):
        render_day(run_directory, "kidny", 0.0)
    with pytest.raises(InputError, match="no such folder"):
        render_run(tmp_path / "nothing")


def test_one_file_takes_one_picture(run_directory, tmp_path):
    """`--out x.png` for several days is refused, and nothing is drawn: each would take the place of the last."""
    out = tmp_path / "x.png"
    for days in (None, [0.0, 9.0]):
        with pytest.raises(InputError, match=r"--out: '.*x\.png' is one file"):
            list(draw(run_directory, days=days, out=out))
    assert not out.exists()
    assert next(iter(draw(run_directory, days=[0.0], out=out))) == str(out) and out.exists()


def test_days_are_called_what_they_are(run_directory, untreated_directory):
    """A panel says "CAR T peak" where there is one; without CAR T cells the days stand alone."""
    assert captions_of(Run(run_directory), (-5.0, 9.0, 180.0)) == ("Before", "CAR T peak", "After")
    assert captions_of(Run(untreated_directory), (-5.0, 0.0, 180.0)) == ()
    assert captions_of(Run(run_directory), (-5.0, 9.0)) == ()

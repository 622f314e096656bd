"""Pictures that move: movies, a run that is followed, scenes that a reader turns, and the command that makes them."""

import re
import subprocess

import numpy as np
import pytest
from matplotlib.image import imread

from tissuesim.errors import InputError
from tissuesim.run import (
    ColumnDescription,
    FieldStore,
    Run,
    TotalsStore,
    create_run_directory,
    write_status,
)
from tissuesim.viz import command, movie, offscreen
from tissuesim.viz.encode import GIF_WIDTH, ffmpeg
from tissuesim.viz.frames import OrganReader
from tissuesim.viz.live import follow
from tissuesim.viz.picture import Picture
from tissuesim.viz.render import render_run
from tissuesim.viz.turning import turning_scene

from .conftest import FIELDS, FRAME_DAYS, bean, frame


@pytest.fixture(scope="module")
def short_movie(run_directory, tmp_path_factory):
    """A movie of 12 frames: its files."""
    return movie.render_movie(run_directory, out=tmp_path_factory.mktemp("movie"), frames=12)


def frames_of(path):
    """Return the pictures (n, height, width, 3) of a movie."""
    told = subprocess.run([ffmpeg(), "-i", str(path)], capture_output=True, text=True).stderr
    width, height = map(int, re.search(r"Video: .*?, (\d+)x(\d+)", told).groups())
    command = [
        ffmpeg(),
        "-loglevel",
        "error",
        "-i",
        str(path),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-fps_mode",
        "passthrough",
        "-",
    ]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, height, width, 3)


def test_a_movie_is_written_twice(short_movie):
    """MP4 with every frame and GIF with fewer, beside each other, and no half-written file."""
    mp4, gif = short_movie
    assert (mp4.suffix, gif.suffix) == (".mp4", ".gif") and mp4.stem == gif.stem == "kidney_inflammation"
    assert sorted(path.name for path in mp4.parent.iterdir()) == [gif.name, mp4.name]
    assert len(frames_of(mp4)) == 12
    assert 5 <= len(frames_of(gif)) <= 12 and frames_of(gif).shape[2] == GIF_WIDTH


def test_a_movie_shows_the_run_from_sick_to_healed(short_movie):
    """Frames differ, the organ is bright at the beginning and dark at the end, and the line of the day moves."""
    pictures = frames_of(short_movie[0]).astype(float)
    organ = pictures[:, : pictures.shape[1] // 2].mean(axis=(1, 2, 3))
    assert organ[0] > 1.08 * organ[-1]
    steps = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3))
    assert (steps > 0.05).all()
    strip = pictures[:, -150:-45].mean(axis=3)
    places = (strip - np.median(strip, axis=0)).mean(axis=1).argmax(axis=1)
    # on the first day it lies on the left axis
    assert (np.diff(places[1:]) >= 0).all() and places[-1] - places[1] > 0.5 * pictures.shape[2]


def test_half_of_a_movie_is_the_weeks_around_treatment(run_directory):
    """Days rise from the first to the last; half of the frames lie within 45 days of the first treatment."""
    run = Run(run_directory)
    reader = OrganReader(run, "kidney", "inflammation")
    days = movie.paced_days(reader, run.baseline_day, None, 120)
    assert days[0] == -120.0 and days[-1] == 365.0 and (np.diff(days) > 0.0).all()
    near = (days > run.baseline_day - 7.0) & (days < run.baseline_day + 46.0)
    assert near.mean() == pytest.approx(0.5, abs=0.05)
    part = movie.paced_days(reader, run.baseline_day, [100.0, 200.0], 5)
    assert part.tolist() == [100.0, 125.0, 150.0, 175.0, 200.0]


def test_sections_move(run_directory, tmp_path):
    """In sections the field is painted anew for each frame: every frame differs, and the organ grows dark."""
    mp4, gif = movie.render_movie(run_directory, view="section", out=tmp_path, frames=6)
    assert (mp4.name, gif.suffix) == ("kidney_inflammation_section.mp4", ".gif") and gif.is_file()
    pictures = frames_of(mp4).astype(float)
    organ = pictures[:, : pictures.shape[1] // 2].mean(axis=(1, 2, 3))
    assert organ[0] > 1.08 * organ[-1]
    assert (np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3)) > 0.05).all()


def test_a_patient_moves(patient_directory, tmp_path):
    """All organs in the body, as the default of a run with several, with the line of the day over the blood below."""
    mp4, gif = movie.render_movie(patient_directory, out=tmp_path, frames=6)
    assert mp4.name == "patient_inflammation.mp4" and gif.is_file()
    pictures = frames_of(mp4).astype(float)
    assert len(pictures) == 6
    organs = pictures[:, : pictures.shape[1] // 2].mean(axis=(1, 2, 3))
    assert organs[0] > 1.02 * organs[-1]
    strip = pictures[:, -150:-45].mean(axis=3)
    places = (strip - np.median(strip, axis=0)).mean(axis=1).argmax(axis=1)
    assert (np.diff(places[1:]) >= 0).all() and places[-1] - places[1] > 0.5 * pictures.shape[2]


def test_what_has_no_movie_is_told(run_directory, tmp_path):
    """One day is none, and a day beyond the run is refused; no file is left."""
    with pytest.raises(InputError, match="two different days"):
        movie.render_movie(run_directory, days=[9.0], out=tmp_path)
    with pytest.raises(InputError, match="day 400 is not in"):
        movie.render_movie(run_directory, days=[9.0, 400.0], out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_movie_without_a_renderer_is_of_sections(run_directory, tmp_path, monkeypatch, capfd):
    """One line says so, once for the whole movie, which then shows the field all the same."""
    monkeypatch.setattr(movie, "render_scenes", lambda *_: ([], "a test"))
    monkeypatch.setattr(movie, "LEAST_FRAMES", 1)
    path, _ = movie.render_movie(run_directory, out=tmp_path, frames=6)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1 and "flat sections" in lines[0]
    pictures = frames_of(path).astype(float)
    assert pictures[0].std() > 10.0 and pictures[0].mean() > pictures[-1].mean() + 1.0


def test_a_run_is_followed_until_it_ends(tmp_path):
    """A picture for each new frame while the run goes on, the last one too, then the end; nothing half-written."""
    tissue = bean(6.0)
    path = create_run_directory(tmp_path, "kidney", "name: kidney\n", {"name": "kidney", "treatment": []})
    write_status(path, "running")
    events, store = [], None

    def wait(seconds):
        """Stand for the solver, which writes a frame while nobody looks."""
        nonlocal store
        step = len(events)
        events.append(seconds)
        assert step < 8, "the run ended and is still followed"
        if step == 0:
            return  # no store yet
        if store is None:  # no totals yet
            store = FieldStore.create(path / "fields.zarr", {"kidney": tissue}, FIELDS, FRAME_DAYS)
            return
        if step == 2:
            columns = [ColumnDescription("car_t_per_ul", "CAR T cells in blood", "cell/mm^3")]
            TotalsStore.create(path / "totals.zarr", columns, FRAME_DAYS)
        if step in (2, 3):
            store.write_frame(step - 2, "kidney", frame(tissue, FRAME_DAYS[step - 2], True))
        if step == 4:
            store.write_frame(2, "kidney", frame(tissue, FRAME_DAYS[2], True))
            write_status(path, "finished")

    seen = []
    for day, picture in follow(path, wait=wait):
        seen.append(day)
        assert picture == path / "pictures" / "live.png" and imread(picture).std() > 0.03
        assert [file.name for file in picture.parent.iterdir()] == ["live.png"]
    assert seen == list(FRAME_DAYS[:3])


def test_a_finished_run_is_drawn_once(run_directory, tmp_path):
    """Following a run that has ended shows its last day and returns."""
    drawn = list(follow(run_directory, out=tmp_path, wait=lambda seconds: pytest.fail("waits")))
    assert [day for day, _ in drawn] == [365.0]
    with pytest.raises(InputError, match="is a file"):
        list(follow(run_directory, out=tmp_path / "x.png"))


def test_a_notebook_gets_a_scene_that_turns(run_directory, tmp_path):
    """`run.render` gives the files as before, and with trame-vtk a page that needs no network; a section is a still."""
    pytest.importorskip("trame_vtk")
    shown = Run(run_directory).render(days=[9.0], out=tmp_path)
    assert isinstance(shown, Picture) and [path.name for path in shown] == ["kidney_inflammation_day9.png"]
    page = shown._repr_html_()
    assert page is not None and page.startswith("<iframe") and len(page) > 500_000
    scene = turning_scene(run_directory)
    assert scene is not None and "OfflineLocalView.load(" in scene
    assert '<script src="http' not in scene and '<link href="http' not in scene
    assert "vtk-js/icon" not in scene and "linear-gradient" in scene and "<b>Kidney, day 9</b>" in scene
    assert turning_scene(run_directory, view="section") is None


def test_a_notebook_without_trame_gets_the_still(run_directory, tmp_path, monkeypatch):
    """Where trame-vtk is missing or the renderer fails, the PNG is what shows."""
    from tissuesim.viz import html_scene, turning

    monkeypatch.setattr(turning, "can_write_html", lambda: False)
    shown = Run(run_directory).render(days=[9.0], out=tmp_path, view="section")
    assert shown._repr_html_() is None and shown._repr_png_() == shown.path.read_bytes()
    monkeypatch.setattr(turning, "can_write_html", lambda: True)
    monkeypatch.setattr(offscreen.Renderer, "draw", lambda *_: "a test")
    assert turning_scene(run_directory) is None
    assert html_scene.can_write_html() in (True, False)


def test_the_command_draws_what_is_asked(run_directory, untreated_directory, tmp_path):
    """The stills of days that are named, the whole set with the course, or one comparison; last the folder."""
    lines = list(command.draw(run_directory, days=[9.0], view="section", out=tmp_path))
    assert [line.rpartition("/")[2] for line in lines[:-1]] == ["kidney_inflammation_section_day9.png"]
    whole = list(command.draw(run_directory, view="section", out=tmp_path))
    assert [line.rpartition("/")[2] for line in whole[-3:-1]] == [
        "kidney_inflammation_section_panel.png",
        "course.png",
    ]
    assert lines[-1] == f"Pictures are in {tmp_path}"
    lines = list(
        command.draw(run_directory, days=[9.0], view="section", against=untreated_directory, out=tmp_path)
    )
    assert len(lines) == 2 and "_against_" in lines[0]


def test_options_that_exclude_each_other_are_told(run_directory, untreated_directory):
    """One sentence each."""
    with pytest.raises(InputError, match="exclude each other"):
        list(command.draw(run_directory, movie=True, against=untreated_directory))
    with pytest.raises(InputError, match="newest day"):
        list(command.draw(run_directory, live=True, days=[9.0]))


def test_a_helper_that_crashes_is_told(patient_directory, tmp_path, monkeypatch, capsys):
    """Where one of two scenes that are drawn at a time cannot be drawn, flat sections are, and one line says so."""
    spoilt = offscreen.write_job

    def write(path, scene):
        spoilt(path, scene)
        if path.stem == "job2":  # of the second hand
            path.write_bytes(b"no scene")

    monkeypatch.setattr(offscreen, "write_job", write)
    (path,) = render_run(patient_directory, [9.0], out=tmp_path)
    assert path.is_file()
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_scene_process_ends_with_its_parent(run_directory):
    """A renderer that was started and got no job is gone afterwards."""
    with offscreen.Renderer() as renderer:
        process = renderer._process
        assert process.poll() is None
    assert process.poll() is not None
    with pytest.raises((OSError, ValueError, subprocess.SubprocessError)):
        process.communicate("job\n", timeout=1)

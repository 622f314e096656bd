"""Every way to look at a run: as before, never empty, no text cut off or on another one."""

import shutil

import numpy as np
import pytest
from matplotlib.image import imread

from tissuesim.errors import InputError
from tissuesim.run import Run, write_status
from tissuesim.viz import compose, offscreen, patient, render
from tissuesim.viz.frames import OrganReader, read_pictures, shared_scale
from tissuesim.viz.render import compare, panel, render_day, render_run
from tissuesim.viz.stage import draw_panels, shots_and_camera
from tissuesim.viz.style import GROUND

GROUND_RGB = np.array([int(GROUND[start : start + 2], 16) for start in (1, 3, 5)]) / 255
ORGAN_VIEWS = ("cut", "iso", "section", "explode")


@pytest.fixture(scope="module")
def renderer_works(run_directory):
    """Skip where no 3D scene can be drawn, and say why."""
    pictures = read_pictures(Run(run_directory), "kidney", [9.0], "inflammation")
    (shot,), camera = shots_and_camera("cut", [pictures])
    _, trouble = offscreen.render_scenes([offscreen.Scene("cut", (shot,), (camera,))])
    if trouble is not None:
        pytest.skip(f"no 3D renderer on this machine: {trouble}")


@pytest.fixture
def sheets(monkeypatch):
    """All sheets that are drawn, instead of files."""
    drawn = []
    for module in (render, patient):
        monkeypatch.setattr(module, "draw_sheet", lambda sheet, path: drawn.append(sheet))
    return drawn


@pytest.mark.parametrize("view", ORGAN_VIEWS)
def test_an_organ_looks_as_before(run_directory, tmp_path, renderer_works, looks_as_before, view):
    """Before, peak and after in each view look as the stored picture does, to the eye."""
    looks_as_before(panel(run_directory, view=view, out=tmp_path / f"{view}.png"), f"kidney_{view}")


def test_a_patient_looks_as_before(patient_directory, tmp_path, renderer_works, looks_as_before):
    """All organs in the body, skin and knee beside it, look as the stored picture does."""
    (path,) = render_run(patient_directory, [9.0], out=tmp_path)
    assert path.name == "patient_inflammation_day9.png"
    looks_as_before(path, "patient")


def test_treated_against_untreated_looks_as_before(
    run_directory, untreated_directory, tmp_path, renderer_works, looks_as_before
):
    """Two runs in two rows look as the stored picture does."""
    path = compare(run_directory, untreated_directory, out=tmp_path / "against.png")
    looks_as_before(path, "kidney_against")


def test_the_comparison_of_looks_can_fail(run_directory, tmp_path, renderer_works, looks_as_before):
    """Another day, or an empty picture, does not pass for the stored one."""
    from PIL import Image

    other = render_day(run_directory, "kidney", 180.0, out=tmp_path / "day180.png")
    with pytest.raises(AssertionError):
        looks_as_before(other, "kidney_cut")
    like = panel(run_directory, out=tmp_path / "panel.png")
    with Image.open(like) as image:
        Image.new("RGB", image.size, GROUND).save(tmp_path / "empty.png")
    with pytest.raises(AssertionError, match="likeness"):
        looks_as_before(tmp_path / "empty.png", "kidney_cut")


@pytest.mark.parametrize("view", ["cut", "iso", "explode"])
def test_scenes_are_full_and_follow_the_run(run_directory, renderer_works, view):
    """No scene is empty or touches its border, and day 180 does not show the picture of day -5."""
    pictures = read_pictures(Run(run_directory), "kidney", [-5.0, 9.0, 180.0], "inflammation")
    (panels,) = draw_panels(view, [pictures])
    for each in panels:
        background = (np.abs(each.image / 255 - GROUND_RGB) < 0.01).all(axis=-1)
        assert 0.15 < 1.0 - background.mean() < 0.9
        assert background[0].all() and background[:, 0].all() and background[:, -1].all()
    before, peak, after = (each.image.astype(float).mean(axis=2) for each in panels)
    assert before.mean() > 1.1 * after.mean()
    assert np.abs(before - peak).mean() > 1.0 and np.abs(peak - after).mean() > 1.0


@pytest.mark.parametrize("view", ORGAN_VIEWS)
def test_texts_of_stills_are_legible(run_directory, sheets, texts_are_legible, monkeypatch, view):
    """Titles, units, legends, names of parts, scale bar and axes are whole and apart; day and arm are told."""
    monkeypatch.setattr(offscreen, "render_scenes", blank)
    fields = ("cxcl10", "inflammation", "autoreactive_b") if view == "cut" else ("autoreactive_b",)
    for field in fields:
        render_run(run_directory, [9.0], field=field, view=view)
        panel(run_directory, field=field, view=view)
        for sheet in sheets[-2:]:
            texts = texts_are_legible(sheet)
            for word in ("Kidney", "day 9", " mm", "CAR T cells: 3", "1 dot = "):
                assert word in texts
    assert len(sheets) == 2 * len(fields)
    if view == "explode":
        assert "medulla" in texts and "mean Autoreactive B of a region" in texts


@pytest.mark.parametrize("days", [None, [9.0]])
def test_texts_of_comparisons_are_legible(
    run_directory, untreated_directory, sheets, texts_are_legible, monkeypatch, days
):
    """Both arms are named, once per row or once per column."""
    monkeypatch.setattr(offscreen, "render_scenes", blank)
    compare(run_directory, untreated_directory, days)
    texts = texts_are_legible(sheets[-1])
    assert texts.count("Kidney untreated") == 2 and "Kidney CAR T against Kidney untreated" in texts
    assert len(sheets[-1].places) == (6 if days is None else 2)


def test_runs_of_one_name_are_told_apart(run_directory, sheets, tmp_path, monkeypatch):
    """Two runs of one config are named with their folders."""
    monkeypatch.setattr(offscreen, "render_scenes", blank)
    copy = shutil.copytree(run_directory, tmp_path / "copy")
    compare(run_directory, copy, [9.0])
    captions = [place.panel.caption for place in sheets[-1].places]
    assert captions == [f"Kidney CAR T ({run_directory.name})", "Kidney CAR T (copy)"]


def test_texts_of_a_patient_are_legible(patient_directory, sheets, texts_are_legible, monkeypatch):
    """Each organ is named with its numbers, on single days and side by side; insets have scale bars of their own."""
    monkeypatch.setattr(offscreen, "render_scenes", blank)
    render_run(patient_directory)
    assert len(sheets) > 4 and len(sheets[-1].places) == 9
    for sheet in sheets:
        texts = texts_are_legible(sheet)
        for word in ("Left kidney", "Right kidney", "Lungs", "Heart", "Skin", "Knee", "mean "):
            assert word in texts
        bars = [place for place in sheet.places if place.own_scale]
        assert texts.count(" mm") == 1 + len(bars)


def blank(scenes, *_):
    """Stand for the renderer: grey pictures of the right size."""
    views = [[camera for camera in scene.cameras] for scene in scenes]
    return [
        [np.full((view.height, view.width, 3), 60, dtype=np.uint8) for view in row] for row in views
    ], None


def test_a_patient_needs_no_organ_in_particular(patient_directory, run_directory, tmp_path, renderer_works):
    """A run of one kidney, or of skin and knee alone, makes a picture of a patient too."""
    (path,) = render_run(run_directory, [9.0], out=tmp_path, view="patient")
    assert imread(path).std() > 0.05
    run = Run(patient_directory)
    readers = [
        reader for reader in patient.organ_readers(run, "inflammation") if reader.organ in ("skin", "knee")
    ]
    beside = patient.read_patient(run, readers, [9.0], *patient.patient_scales([readers]))
    (columns,) = patient.draw_patients([beside])
    assert [len(column) for column in columns] == [2]
    compose.draw_sheet(
        patient.still_sheet(columns[0], "Patient", "", beside.colored), tmp_path / "beside.png"
    )
    assert imread(tmp_path / "beside.png").std() > 0.05


def test_two_patients_are_compared_on_one_day(patient_directory, tmp_path, renderer_works):
    """By default on the last day; a list of days is refused."""
    path = compare(patient_directory, patient_directory, out=tmp_path)
    assert path.name.startswith("patient_inflammation_against_") and imread(path).std() > 0.05
    with pytest.raises(InputError, match="on one day"):
        compare(patient_directory, patient_directory, [0.0, 9.0])


def test_runs_that_are_compared_share_one_scale(run_directory, untreated_directory):
    """Colors and dots of both runs are those of the fuller one, whichever is named first."""
    runs = [Run(run_directory), Run(untreated_directory)]
    readers = [OrganReader(run, "kidney", "autoreactive_b") for run in runs]
    both = shared_scale(readers)
    alone = [shared_scale([reader]) for reader in readers]
    assert both == shared_scale(readers[::-1])
    assert both.top == max(scale.top for scale in alone)
    assert both.per_dot["car_t"] == max(scale.per_dot["car_t"] for scale in alone)


@pytest.mark.parametrize("day", [-121.0, 366.0, 4000.0])
def test_a_day_beyond_the_run_is_refused(run_directory, tmp_path, day):
    """It is told in one sentence with the days there are, and nothing is drawn."""
    with pytest.raises(InputError, match=r"is not in .*day \N{MINUS SIGN}120 to day 365") as told:
        render_run(run_directory, [0.0, day], out=tmp_path / "none")
    assert "\n" not in str(told.value) and not (tmp_path / "none").exists()


def test_days_of_a_run_that_goes_on_are_told_as_such(tmp_path, untreated_directory):
    """Of a run that is not over the days so far are told."""
    import shutil

    going = shutil.copytree(untreated_directory, tmp_path / "going")
    write_status(going, "running")
    with pytest.raises(InputError, match="so far"):
        render_day(going, "kidney", 400.0)


def test_wrong_views_are_told(run_directory):
    """An unknown view is one sentence with the nearest name."""
    with pytest.raises(InputError, match="did you mean 'section'"):
        render_run(run_directory, [0.0], view="sections")


def test_texts_that_meet_or_are_cut_are_found(run_directory, sheets, texts_are_legible, monkeypatch):
    """The check of texts fails for a label on another text and for one that leaves the picture."""
    from dataclasses import replace

    monkeypatch.setattr(offscreen, "render_scenes", blank)
    render_run(run_directory, [9.0])
    (place,) = sheets[0].places
    for x, y, word in ((0.13, -0.005, "lies on"), (0.0, 1.5, "cut off"), (-0.2, 0.5, "cut off")):
        panel = replace(place.panel, labels=(compose.Label(x, y, "a long name of a region"),))
        with pytest.raises(AssertionError, match=word):
            texts_are_legible(replace(sheets[0], places=(replace(place, panel=panel),)))

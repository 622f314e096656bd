"""Pictures of anatomies: regions where they are, names in full, a view even where graphics fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tissuesim.anatomy.catalogue import CATALOGUE
from tissuesim.tissue import Tissue, build_graph
from tissuesim.viz import anatomy
from tissuesim.viz.anatomy_scene import _surface, cut_face
from tissuesim.viz.region_box import NOTHING, RegionBox, colors_of
from tissuesim.viz.section_labels import ink_on, label_places


def shell(spacing: float = 1.0) -> Tissue:
    """A ball of 10 mm radius with a core of another region, not centered on its box."""
    z, y, x = np.meshgrid(*(np.arange(-12, 12, spacing) + spacing / 2 for _ in range(3)), indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    fraction = np.clip(0.5 + (10 - radius) / spacing, 0.0, 1.0)
    region = (radius < 5).astype(np.uint8)
    return build_graph("ball", fraction, region, spacing, (-12.0, -12.0, -12.0), ("shell", "core"))


def test_region_at_a_place() -> None:
    """A place gets the region and the tissue share of where it is, and nothing outside."""
    box = RegionBox.of(shell())
    share, region = box.sample(np.array([[0.0, 0, 0], [7.5, 0, 0], [0, 0, -7.5], [11.9, 11.9, 0]]))
    assert region.tolist() == [1, 0, 0, NOTHING]
    assert share.tolist() == [1.0, 1.0, 1.0, 0.0]


def test_sections_show_the_core() -> None:
    """Sections go through all regions where one near the middle does."""
    at = RegionBox.of(shell()).sections()
    assert np.all(np.abs(at) < 4.8)


def test_blocks_and_organs_are_told_apart() -> None:
    """A full box is cut at a corner, a ball is not taken for one."""
    assert RegionBox.of(build_graph("box", np.ones((6, 6, 6)), np.zeros((6, 6, 6), np.uint8), 1.0)).is_block()
    assert not RegionBox.of(shell()).is_block()


def test_cut_face_shows_the_regions_in_their_places() -> None:
    """The cut face in space has core color within 5 mm of the middle, shell color farther out."""
    box = RegionBox.of(shell(0.5))
    table = anatomy.region_colors(2)
    cuts = np.array([[[0, 1.0, 0], [0, 0, 0]], [[0, 0, 1.0], [0, 0, -2.0]]])
    face = cut_face(box, table, cuts, 0)
    points, color = np.asarray(face.points), np.asarray(face.point_data["color"])
    radius = np.linalg.norm(points, axis=1)
    assert points[:, 2].min() >= -2.1 and radius.max() < 10.5
    assert np.all(color[radius < 4.5] == table[1]) and np.all(
        color[(radius > 5.5) & (radius < 9)] == table[0]
    )


def test_a_thin_coat_hides_nothing() -> None:
    """Halves below a coat of one voxel give the surface its colors; a thick shell keeps its own."""
    z, y, x = np.meshgrid(*(np.arange(-12, 12) + 0.5 for _ in range(3)), indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    fraction = np.clip(0.5 + 10 - radius, 0.0, 1.0)
    region = np.where(radius > 9.2, 2, x > 0).astype(np.uint8)
    coated = build_graph("ball", fraction, region, 1.0, (-12.0,) * 3, ("left", "right", "coat"))
    table = anatomy.region_colors(3)
    seen = np.asarray(_surface(RegionBox.of(coated), table, smooth=False).point_data["color"])
    assert np.mean(np.all(seen == table[2], axis=1)) < 0.1
    assert np.mean(np.all(seen == table[0], axis=1)) > 0.4
    thick = np.asarray(_surface(RegionBox.of(shell()), table, smooth=False).point_data["color"])
    assert np.all(thick == table[0])


def test_volumes_have_their_unit() -> None:
    """Litres, milliliters and cubic millimeters, each where it reads best."""
    assert [anatomy._volume(value) for value in (3.58e6, 1.51e5, 0.902)] == ["3.58 L", "151 mL", "0.902 mm³"]


def test_colors_of_regions_differ() -> None:
    """Thirty regions have thirty colors, and what is no tissue is black."""
    table = anatomy.region_colors(30)
    assert len({tuple(color) for color in table}) == 30
    assert colors_of(np.array([NOTHING], dtype=np.uint8), table).tolist() == [[0, 0, 0]]


@pytest.mark.slow
def test_picture_has_its_size_and_both_colors(tmp_path: Path) -> None:
    """The PNG has the asked size, stays small, and both regions are seen in the view and in the sections."""
    from matplotlib.image import imread

    path = anatomy.draw_anatomy(shell(), tmp_path / "ball.png", "Ball", size=(900, 600))
    image = np.round(imread(path)[..., :3] * 255).astype(int)
    assert image.shape == (600, 900, 3) and path.stat().st_size < 250_000
    for half in (image[60:560, :400], image[60:560, 450:]):
        for color in anatomy.region_colors(2).astype(int):
            assert (np.abs(half - color).max(axis=-1) < 12).sum() > 500


def test_without_graphics_the_sections_remain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A renderer that dies costs the view, not the picture, and one line says so."""
    monkeypatch.setattr(anatomy, "_render", lambda job: (None, "the renderer was ended by signal 11"))
    path = anatomy.draw_anatomy(shell(2.0), tmp_path / "ball.png", "Ball", size=(700, 500))
    assert path.is_file()
    assert "signal 11" in capsys.readouterr().err


def test_long_names_are_not_clipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The legend takes as many rows as its names need; no text leaves the picture."""
    from matplotlib.figure import Figure

    figures: list[Figure] = []
    kept = anatomy._legend

    def legend(figure: Figure, tissue: Tissue, size: tuple[int, int]) -> int:
        figures.append(figure)
        return kept(figure, tissue, size)

    monkeypatch.setattr(anatomy, "_legend", legend)
    monkeypatch.setattr(anatomy, "_render", lambda job: (None, "switched off"))
    names = tuple(f"a region with quite a long name, number {k}" for k in range(9))
    region = np.tile(np.arange(9, dtype=np.uint8), (6, 6, 1))
    tissue = build_graph("bands", np.ones((6, 6, 9)), region, 1.0, region_names=names)
    anatomy.draw_anatomy(tissue, tmp_path / "bands.png", "Bands")
    (figure,) = figures
    width, height = figure.bbox.width, figure.bbox.height
    for text in figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_text()):
        extent = text.get_window_extent()
        assert extent.x0 >= 0 and extent.x1 <= width and extent.y0 >= 0 and extent.y1 <= height, (
            text.get_text()
        )


def test_names_stand_on_their_regions() -> None:
    """A name is written once, in the section with most room, on its own region alone; that of a thin region stands on
    empty ground beside it, with a line to it, and clear of other names; where there is no room there is none.
    """  # noqa: D205
    wide, narrow = (np.full((200, size), NOTHING, dtype=np.uint8) for size in (400, 120))
    wide[20:180, 20:250] = 0
    wide[20:180, 250:256] = 1  # too thin for any name
    narrow[10:190, 10:110] = 0
    place, beside = label_places([narrow, wide], {0: "cortex", 1: "capsule"})
    assert beside.anchor is not None and 250 <= beside.anchor[0] < 256
    half = 6.6 * len("capsule") / 2
    assert (
        wide[int(beside.row) - 6 : int(beside.row) + 7, int(beside.column - half) : int(beside.column + half)]
        == NOTHING
    ).all()
    first, second = label_places([wide], {1: "thin wall", 2: "absent", 3: "absent too", 0: "cortex"})
    assert {first.label, second.label} == {0, 1}
    assert (place.section, place.label) == (1, 0)
    assert place.column - 30 > 20 and place.column + 30 < 250 and 20 < place.row < 180
    assert label_places([narrow], {0: "a name that is far too long to fit"}) == []


def test_letters_are_read_on_every_color() -> None:
    """Letters and their ground differ in brightness by 70 of 255 or more, for every color there is."""
    for color in anatomy.region_colors(28):
        ink = ink_on(color)
        letters = np.array([int(ink[k : k + 2], 16) for k in (1, 3, 5)])
        weights = np.array([0.299, 0.587, 0.114])
        assert abs(float(weights @ letters) - float(weights @ color)) > 70


def test_gallery_pictures_are_small_and_of_today() -> None:
    """Every anatomy picture of the gallery shows a built-in organ or patch, in at most 250 kB."""
    pictures = sorted((Path(__file__).parents[2] / "docs" / "gallery").glob("anatomy_*.png"))
    assert pictures
    for picture in pictures:
        assert picture.stem.removeprefix("anatomy_") in CATALOGUE, picture.name
        assert picture.stat().st_size <= 250_000, picture.name

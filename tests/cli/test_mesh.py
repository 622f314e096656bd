"""``tissuesim mesh``: what it prints, saves and draws, and how it ends on bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import pyvista

from tissuesim import cli
from tissuesim.config import load_config
from tissuesim.errors import InputError
from tissuesim.scenario import _tissue


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    """A closed ball of 40 mm."""
    path = tmp_path / "ball.stl"
    pyvista.Sphere(radius=20, theta_resolution=30, phi_resolution=30).clean().save(path)
    return path


def run(*arguments: object) -> int:
    """Return the exit code of the command."""
    try:
        cli.main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_json_is_one_object_and_nothing_else(ball: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: --json prints the report alone; the ball's volume is kept to 1 %."""
    assert run("mesh", ball, "--spacing", "1mm", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["watertight"] is True
    assert abs(report["volume"]["error"]) < 0.01
    assert report["spacing_mm"] == 1.0
    assert report["estimate"]["seconds_per_simulated_day"] > 0


def test_the_table_is_printed(ball: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: without --json a person reads units, regions and the estimate."""
    assert run("mesh", ball, "--spacing", "2mm", "--units", "mm", "--region", "lump=ball") == 0
    text = capsys.readouterr().out
    for word in ("mm as told", "lump", "watertight", "estimate"):
        assert word in text


@pytest.mark.parametrize("suffix", ["npz", "zarr"])
def test_a_saved_tissue_is_an_anatomy_of_a_config(suffix: str, ball: Path, tmp_path: Path) -> None:
    """Claim: what --out writes, `organs.NAME.anatomy` loads; a spacing that is not the tissue's is refused."""
    assert run("mesh", ball, "--spacing", "2mm", "--out", tmp_path / f"lump.{suffix}") == 0
    config = tmp_path / "run.yaml"
    config.write_text(
        f"model: autoimmune\norgans: {{lump: {{anatomy: lump.{suffix}}}}}\ntime: {{start: 0 day, end: 1 day}}\n"
    )
    tissue = _tissue("lump", load_config(config).organs["lump"])
    assert (tissue.name, tissue.spacing) == ("lump", 2.0)
    other = load_config(config, ["organs.lump.spacing=3 mm"])
    with pytest.raises(
        InputError, match=r"organs.lump.spacing: 3 mm, but the saved tissue .* has voxels of 2 mm"
    ):
        _tissue("lump", other.organs["lump"])


def test_a_config_chooses_regions_and_labels(ball: Path) -> None:
    """Claim: `regions` reaches the importer; a pattern that fits nothing is told with the organ's key."""
    text = (
        f"model: autoimmune\ntime: {{start: 0 day, end: 1 day}}\norgans:\n  lump:\n    anatomy: {ball}\n"
        '    regions: {core: ball, outside: [bal]}\n    labels: {"1": x}\n    voxel_size: [1 mm, 1 mm, 2 mm]\n'
    )
    config = ball.with_name("run.yaml")
    config.write_text(text)
    organ = load_config(config).organs["lump"]
    assert organ.regions == {"core": ("ball",), "outside": ("bal",)}
    assert organ.labels == {1: "x"}
    assert organ.voxel_size == (1.0, 1.0, 2.0)
    assert _tissue("lump", organ).region_names == ("core",)
    config.write_text(text.replace("core: ball", "core: bull"))
    with pytest.raises(
        InputError, match=r"organs.lump.anatomy: .*regions.core: .*'bull' \(did you mean 'ball'"
    ):
        _tissue("lump", load_config(config).organs["lump"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere.stl",), "does not exist"),
        (("ball.stll",), "unknown kind '.stll'"),
        (("ball.stl", "--spacing", "1 kg"), "mm"),
        (("ball.stl", "--spacing", "0 mm"), "--spacing: 0 mm is not between"),
        (("ball.stl", "--units", "mile"), "--units: 'mile' is not one of"),
        (("ball.stl", "--picture", "a.jpg"), "--picture: 'a.jpg' is no PNG"),
        (("ball.stl", "--spacing", "4mm", "--out", "a.txt"), "unknown kind '.txt'"),
    ],
)
def test_bad_input_ends_with_one_sentence_and_code_2(
    arguments: tuple[str, ...],
    sentence: str,
    ball: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Claim: exit code 2 and one line on stderr for what is missing, unknown or out of range."""
    monkeypatch.chdir(ball.parent)
    ball.with_suffix(".stll").write_bytes(b"")
    assert run("mesh", *arguments) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""

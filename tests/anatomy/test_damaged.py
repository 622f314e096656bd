"""Two hundred files damaged at random: each gives tissue or one sentence."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import pyvista
from rich.console import Console

from tissuesim.anatomy.importer import organ_from_file
from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.organ import Organ
from tissuesim.anatomy.quality import examine_file
from tissuesim.anatomy.quality_table import print_report
from tissuesim.anatomy.selection import ImportOptions
from tissuesim.config.schema import MAXIMUM_SPACING, MINIMUM_SPACING
from tissuesim.errors import InputError

CASES = 200
Random = np.random.Generator
Soup = tuple[np.ndarray, np.ndarray]  # points, triangles


def holes(points: np.ndarray, triangles: np.ndarray, random: Random) -> Soup:
    """Take out some faces, few or most."""
    return points, triangles[random.random(len(triangles)) > random.choice([0.01, 0.1, 0.6])]


def bad_numbers(points: np.ndarray, triangles: np.ndarray, random: Random) -> Soup:
    """Make some coordinates no numbers, infinite or huge."""
    points = points.copy()
    chosen = random.integers(0, len(points), 3)
    points[chosen, random.integers(0, 3)] = random.choice([np.nan, np.inf, -np.inf, 1e30, 1e-30])
    return points, triangles


def zero_area(points: np.ndarray, triangles: np.ndarray, random: Random) -> Soup:
    """Let faces shrink to edges and points, and doubles appear."""
    triangles = triangles.copy()
    chosen = random.random(len(triangles)) < 0.1
    triangles[chosen, 1] = triangles[chosen, 0]
    return points, np.concatenate([triangles, triangles[:20], triangles[:5, [1, 0, 2]]])


def wrong_indices(points: np.ndarray, triangles: np.ndarray, random: Random) -> Soup:
    """Let faces name points that do not exist, or others than they should."""
    triangles = triangles.copy()
    chosen = random.integers(0, len(triangles), 4)
    triangles[chosen, 0] = random.choice([len(points), len(points) + 1000, 2**31 - 1, 0, 3])
    return points, triangles


def turned(points: np.ndarray, triangles: np.ndarray, random: Random) -> Soup:
    """Wind faces at random."""
    flip = random.random(len(triangles)) < random.choice([0.05, 0.5, 1.0])
    return points, np.where(flip[:, None], triangles[:, ::-1], triangles)


def torn(points: np.ndarray, triangles: np.ndarray, random: Random) -> Soup:
    """Give each face points of its own, a little off."""
    loose = points[triangles].reshape(-1, 3)
    loose = loose + random.normal(size=loose.shape) * random.choice([1e-5, 1e-3, 0.3])
    return loose, np.arange(len(loose)).reshape(-1, 3)


def shells(points: np.ndarray, triangles: np.ndarray, random: Random) -> Soup:
    """Add a second body: inside, crossing or far away."""
    second = points * random.choice([0.4, 0.9, 1.0]) + random.choice([0.0, 15.0, 80.0])
    return np.concatenate([points, second]), np.concatenate([triangles, triangles + len(points)])


def squashed(points: np.ndarray, triangles: np.ndarray, random: Random) -> Soup:
    """Make it flat, or a line, or a point."""
    return points * np.array([1.0, random.choice([0.0, 1.0]), 0.0]) * random.choice([0.0, 1.0]), triangles


DAMAGES: tuple[Callable[[np.ndarray, np.ndarray, Random], Soup], ...] = (
    holes, bad_numbers, zero_area, wrong_indices, turned, torn, shells, squashed,
)  # fmt: skip
KINDS = ("stl", "txt.stl", "ply", "txt.ply", "obj", "off", "vtp", "vtk", "glb")


def write_mesh(
    path: Path, kind: str, points: np.ndarray, triangles: np.ndarray, meshes: SimpleNamespace
) -> None:
    """Write a surface; what a format cannot hold (a corner that does not exist) is left to the others."""
    if kind == "glb":
        meshes.write_glb(path, [{"name": "part", "mesh": 0}], [("part", points, triangles)])
    elif kind in ("obj", "off", "txt.ply"):
        rows = [" ".join(map(repr, row)) for row in points.tolist()]
        faces = triangles.tolist()
        if kind == "obj":
            text = [f"v {row}" for row in rows] + [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
        elif kind == "off":
            text = ["OFF", f"{len(rows)} {len(faces)} 0", *rows, *(f"3 {a} {b} {c}" for a, b, c in faces)]
        else:
            head = ["ply", "format ascii 1.0", f"element vertex {len(rows)}"]
            head += [f"property double {axis}" for axis in "xyz"]
            head += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
            text = [*head, *rows, *(f"3 {a} {b} {c}" for a, b, c in faces)]
        path.write_text("\n".join(text) + "\n")
    else:
        triangles = np.where(triangles < len(points), triangles, 0)
        mesh = pyvista.PolyData.from_regular_faces(points.astype(np.float32), triangles)
        mesh.save(path, binary=not kind.startswith("txt"))


def write_volume(path: Path, kind: str, ball: np.ndarray) -> None:
    """Write a label volume or a volume mesh."""
    if kind.startswith("nii"):
        nibabel = pytest.importorskip("nibabel")
        nibabel.save(nibabel.Nifti1Image(ball, np.diag([3.0, 3.0, 3.0, 1.0])), path)
    elif kind == "nrrd":
        nrrd = pytest.importorskip("nrrd")
        nrrd.write(
            str(path), ball, {"space directions": np.eye(3) * 3, "space origin": np.zeros(3), "space": "RAS"}
        )
    elif kind == "tif":
        pytest.importorskip("tifffile").imwrite(
            path, ball, imagej=True, resolution=(1 / 3, 1 / 3), metadata={"spacing": 3.0, "unit": "mm"}
        )
    elif kind == "mha":
        head = f"NDims = 3\nDimSize = {' '.join(map(str, ball.shape))}\nElementSpacing = 3 3 3\n"
        path.write_bytes(
            (head + "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n").encode() + ball.tobytes(order="F")
        )
    else:
        grid = pyvista.ImageData(dimensions=(5, 5, 5), spacing=(10.0,) * 3).cast_to_unstructured_grid()
        grid["region"] = np.arange(grid.n_cells) % 3
        grid = grid.triangulate()
        if kind == "msh":
            meshio = pytest.importorskip("meshio")
            tags = {f"gmsh:{tag}": [np.asarray(grid["region"]) + 1] for tag in ("physical", "geometrical")}
            corners = grid.cells.reshape(-1, 5)[:, 1:]
            mesh = meshio.Mesh(np.asarray(grid.points), [("tetra", corners)], cell_data=tags)
            meshio.write(path, mesh, file_format="gmsh22")
        else:
            grid.save(path)


VOLUMES = ("nii", "nii.gz", "nrrd", "mha", "tif", "vtu", "grid.vtk", "msh")


def spoil(path: Path, random: Random) -> None:
    """Cut the file short or overwrite some of its bytes; of a .gz, now and then what is inside."""
    data = path.read_bytes()
    zipped = path.suffix == ".gz" and random.random() < 0.5
    content = bytearray(gzip.decompress(data) if zipped else data)
    if random.random() < 0.4:
        content = content[: int(random.integers(0, len(content)))]
    else:
        reach = len(content) if random.random() < 0.5 else min(len(content), 400)
        for place in random.integers(0, reach, 8):
            content[place] = int(random.integers(0, 256))
    path.write_bytes(gzip.compress(bytes(content)) if zipped else bytes(content))


def make_case(number: int, folder: Path, meshes: SimpleNamespace) -> Path:
    """Write the damaged file of a case: two in three a surface, of these every third with spoilt bytes too."""
    random = np.random.default_rng(number)
    if number % 3 == 2:
        kind = VOLUMES[number // 3 % len(VOLUMES)]
        path = folder / f"case_{number}.{kind}"
        z, y, x = np.indices((14, 15, 16)) - 7
        write_volume(
            path, kind, ((x**2 + y**2 + z**2 < 36).astype(np.uint8) * (1 + (x > 2))).astype(np.uint8)
        )
        spoil(path, random)
        return path
    kind, damage = KINDS[number // 3 % len(KINDS)], DAMAGES[int(random.integers(len(DAMAGES)))]
    path = folder / f"case_{number}.{kind}"
    _, points, triangles = meshes.arrays(meshes.sphere(25, parts=10))
    write_mesh(path, kind, *damage(points, triangles, random), meshes)
    if number % 9 == 0:
        spoil(path, random)
    return path


def outcome(path: Path) -> Organ | str:
    """Return the organ, or the sentence of the refusal; what is an organ becomes tissue and has its report printed."""
    try:
        organ = organ_from_file(path)
        side = max(high - low for low, high in zip(organ.lower, organ.upper, strict=True))
        spacing = min(max(side / 12, MINIMUM_SPACING), MAXIMUM_SPACING)
        _, report = examine_file(path, spacing, ImportOptions())
        print_report(report, Console(file=StringIO(), width=80))
        return organ
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("batch", range(10))
def test_a_damaged_file_gives_tissue_or_one_sentence(
    batch: int, meshes: SimpleNamespace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Claim: no damage ends in a traceback or prints; a refusal is one sentence that names the file, all else becomes
    tissue.
    """  # noqa: D205
    for number in range(batch, CASES, 10):
        path = make_case(number, tmp_path, meshes)
        result = outcome(path)
        if isinstance(result, str):
            assert path.name in result, number
            assert "\n" not in result, number
        else:
            volume = float(str(result.report["reference_volume_ml"]))
            assert np.isfinite(volume), number
            assert volume > 0, number
            lattice = Lattice.of_cells(result.lower, result.upper, 8_000)
            share = result.inside(lattice).sum() * lattice.spacing**3 / 1000 / volume
            assert 0.5 < share < 1.5, number
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("cut", [100, 1000])
def test_numbers_that_a_short_file_lacks_are_not_made_up(cut: int, tmp_path: Path) -> None:
    """Claim: a binary VTK file that ends within its region numbers is refused; VTK itself takes what is in memory."""
    path = tmp_path / "short.grid.vtk"
    write_volume(path, "grid.vtk", np.zeros(0))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(InputError, match=r"short\.grid\.vtk' is damaged .*cut short"):
        organ_from_file(path)


def test_all_kinds_of_damage_are_tried(
    meshes: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claim: of holes, bad vertices, faces without area, wrong indices and files cut short or overwritten each kind
    is there at least eight times among the 200.
    """  # noqa: D205
    seen: Counter[str] = Counter()

    def noted(damage: Callable[..., object]) -> Callable[..., object]:
        def made(*arguments: object) -> object:
            seen[damage.__name__] += 1
            return damage(*arguments)

        return made

    monkeypatch.setitem(globals(), "DAMAGES", tuple(noted(damage) for damage in DAMAGES))
    monkeypatch.setitem(globals(), "spoil", noted(spoil))
    for number in range(CASES):
        make_case(number, tmp_path, meshes)
    assert min(seen[kind] for kind in ("holes", "bad_numbers", "zero_area", "wrong_indices")) >= 8
    assert seen["spoil"] >= 60


def test_damage_is_both_mended_and_refused(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: the cases are no empty exercise: at least a quarter is mended and a quarter refused."""
    results = [outcome(make_case(number, tmp_path, meshes)) for number in range(0, CASES, 4)]
    refused = sum(isinstance(result, str) for result in results)
    assert 0.25 * len(results) < refused < 0.75 * len(results)

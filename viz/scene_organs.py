"""One organ as the scene shows it: cut open, as glass with shells of the field inside, or region by region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grid import BORDER, OrganGrid, PointReader, blurred, extended, level_of, smooth_shell

RIM, GLASS, RIM_POWER = 0.55, 0.05, 2.5  # opacity of the glass at its rim and face on; how fast it falls
GLASS_COLOR, REGION_COLOR = np.array([214, 226, 240]), np.array([150, 172, 205])
LINE_COLOR = "#F4F5F7"
LIFT = 0.0025  # of an organ's length, by which lines and glass stand before what they lie on
SHELLS = ((0.65, 0.9), (0.4, 0.5), (0.2, 0.3))  # level as a share of the scale, opacity
SHELL_SMOOTHING = 12
LIGHT = {"smooth_shading": True, "ambient": 0.45, "diffuse": 0.6, "specular": 0.12}
Job = Mapping[str, NDArray[Any]]


class _Shown:
    """What every way of showing an organ shares: its grid, the color table and meshes colored by the field."""

    def __init__(self, job: Job) -> None:
        import pyvista

        self.job = job
        self.grid = OrganGrid(job["fraction"], job["region"], float(job["spacing"]), job["origin"])
        table: Any = pyvista.LookupTable(scalar_range=(0.0, float(job["top"])))
        colors = job["colors"]
        table.values = np.concatenate([colors, np.full((len(colors), 1), 255, dtype=np.uint8)], axis=1)
        self.solid = {"scalars": "field", "cmap": table, "show_scalar_bar": False}
        self.colored: list[tuple[Any, PointReader]] = []
        self.lift = LIFT * float(np.max(job["fraction"].shape)) * float(job["spacing"])

    def color(self, mesh: Any) -> Any:
        """Return ``mesh``, from now on colored by the field of each frame."""
        self.colored.append((mesh, self.grid.reader(mesh.points)))
        mesh.point_data["field"] = np.zeros(mesh.n_points, dtype=np.float32)
        return mesh

    def show_values(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Color the meshes by ``values`` (z, y, x) and return them on the padded grid."""
        field = self.grid.field(values)
        for mesh, reader in self.colored:
            mesh.point_data["field"] = reader(field)
        return field

    def glass(self, surface: Any) -> Any:
        """Return ``surface`` a little larger: also around solid parts, or a healed organ would have no outline."""
        glass = surface.copy()
        glass.points = glass.points + self.lift * np.asarray(surface.point_data["Normals"])
        return glass

    def borders(self, face: Any) -> list[Any]:
        """Return the borders between the regions on a cut face, as lines a little before it."""
        if not face.n_points:
            return []
        lines = [face.contour([0.5], scalars=f"region {label}") for label in self.job["border_labels"]]
        return [line.translate(self.lift * self.job["lift_toward"]) for line in lines if line.n_points]


class CutOrgan(_Shown):
    """The lower part solid, the front quarter of the upper part cut away, cut faces, the surface as glass."""

    def __init__(self, job: Job) -> None:
        """Cut the organ of ``job``."""
        super().__init__(job)
        for label in job["border_labels"]:
            self.grid.add(f"region {label}", self.grid.region_share(int(label)))
        surface = self.grid.surface()
        front, up, center, shelf = (job[name] for name in ("front", "up", "center", "shelf"))
        back = surface.clip(normal=-front, origin=center, invert=False)
        before = surface.clip(normal=front, origin=center, invert=False)
        self.body = self.color(back.merge(before.clip(normal=-up, origin=shelf, invert=False)))
        self.outside = self.glass(surface)
        faces = [
            self._face(front, center).clip(normal=up, origin=shelf, invert=False),
            self._face(up, shelf).clip(normal=front, origin=center, invert=False),
        ]
        lines = [line for face in faces for line in self.borders(face)]
        self.lines = (
            lines[0].append_polydata(*lines[1:]) if lines else None
        )  # one mesh: each costs time of its own
        self.faces = [self.color(face) for face in faces if face.n_points]

    def _face(self, normal: NDArray[np.float64], origin: NDArray[np.float64]) -> Any:
        plane = self.grid.image.slice(normal=normal, origin=origin)
        level = level_of(self.grid.fraction, self.grid.tissue)
        return plane.clip_scalar(scalars="fraction", value=level, invert=False)

    def show(self, plotter: Any, values: NDArray[Any], toward_camera: NDArray[np.float64], name: str) -> None:
        """Put body, cut faces, region borders and glass into the scene, for the field ``values`` (z, y, x)."""
        self.show_values(values)
        solid = {**LIGHT, **self.solid, "culling": "back", "render": False}
        plotter.add_mesh(self.body, **solid, name=f"{name} body")
        for number, face in enumerate(self.faces):
            plotter.add_mesh(face, lighting=False, **self.solid, name=f"{name} face {number}", render=False)
        if self.lines is not None:
            style = {"color": LINE_COLOR, "line_width": 1.6, "opacity": 0.75, "lighting": False}
            plotter.add_mesh(self.lines, **style, name=f"{name} lines", render=False)
        _add_glass(plotter, self.outside, toward_camera, GLASS_COLOR, f"{name} glass")


class GlassOrgan(_Shown):
    """The surface and the inner regions as glass, and inside them shells at three levels of the field."""

    def __init__(self, job: Job) -> None:
        """Prepare the surfaces of the organ of ``job``."""
        super().__init__(job)
        self.outside = self.glass(self.grid.surface())
        self.inner = [shell for label in job["border_labels"] if (shell := self._region(int(label))).n_points]
        soft = blurred(np.clip(2.0 * self.grid.fraction, 0.0, 1.0), 1)
        self.inside = soft * soft * (3.0 - 2.0 * soft)

    def _region(self, label: int) -> Any:
        name = f"region {label}"
        self.grid.add(name, blurred((self.grid.region == label) * self.grid.fraction))
        return smooth_shell(self.grid.image, name, 0.5)

    def show(self, plotter: Any, values: NDArray[Any], toward_camera: NDArray[np.float64], name: str) -> None:
        """Put shells of the field ``values`` (z, y, x), regions and surface into the scene, the innermost first."""
        field = self.show_values(values) * self.inside
        self.grid.add("shown", field)
        for number, (level, opacity) in enumerate(SHELLS):
            actor = f"{name} shell {number}"
            plotter.remove_actor(actor, render=False)
            value = level * float(self.job["top"])
            shell = smooth_shell(self.grid.image, "shown", value, SHELL_SMOOTHING)
            if shell.n_points:
                shell.point_data["field"] = np.full(shell.n_points, value, dtype=np.float32)
                style = {**LIGHT, **self.solid, "opacity": opacity, "culling": "back"}
                plotter.add_mesh(shell, **style, name=actor, render=False)
        for number, region in enumerate(self.inner):
            _add_glass(plotter, region, toward_camera, REGION_COLOR, f"{name} region {number}", 0.8)
        _add_glass(plotter, self.outside, toward_camera, GLASS_COLOR, f"{name} glass")


class ExplodedOrgan(_Shown):
    """Each region solid, colored by the field in it alone, moved apart; shells around others cut open."""

    def __init__(self, job: Job) -> None:
        """Take the regions of ``job`` apart by its ``part_moves``."""
        super().__init__(job)
        self.parts: list[tuple[Any, NDArray[np.bool_], PointReader]] = []
        for label, move, cut in zip(job["part_labels"], job["part_moves"], job["part_cut"], strict=True):
            own = self.grid.region == label
            share = blurred(own * self.grid.fraction, 1)
            self.grid.add("part", share)
            part = smooth_shell(self.grid.image, "part", 0.5 * min(1.0, float(np.percentile(share[own], 80))))
            if part.n_points and bool(cut):
                part = part.clip(normal=-job["front"], origin=job["center"], invert=False)
            if part.n_points:
                reader = self.grid.reader(part.points)  # of the field where the part belongs
                part.points = part.points + np.asarray(move, dtype=np.float64)
                self.parts.append((part, own, reader))
        self.rims = [self.glass(part) for part, _, _ in self.parts]

    def show(self, plotter: Any, values: NDArray[Any], toward_camera: NDArray[np.float64], name: str) -> None:
        """Put every region into the scene, for the field ``values`` (z, y, x)."""
        padded = np.pad(values, BORDER, constant_values=np.nan)
        for number, (part, own, reader) in enumerate(self.parts):
            part.point_data["field"] = reader(extended(padded, own & np.isfinite(padded)))
            plotter.add_mesh(part, **LIGHT, **self.solid, name=f"{name} part {number}", render=False)
            _add_glass(plotter, self.rims[number], toward_camera, GLASS_COLOR, f"{name} rim {number}", 0.6)


KINDS: dict[str, type[CutOrgan] | type[GlassOrgan] | type[ExplodedOrgan]] = {
    "cut": CutOrgan,
    "iso": GlassOrgan,
    "explode": ExplodedOrgan,
}


def _add_glass(
    plotter: Any,
    surface: Any,
    toward_camera: NDArray[np.float64],
    color: NDArray[Any],
    name: str,
    strength: float = 1.0,
) -> None:
    """Add ``surface`` clear face on and bright where it turns away, as thin glass is."""
    facing = np.abs(np.asarray(surface.point_data["Normals"]) @ toward_camera)
    opacity = GLASS + (RIM - GLASS) * (1.0 - np.clip(facing, 0.0, 1.0)) ** RIM_POWER
    colors = np.empty((surface.n_points, 4), dtype=np.uint8)
    colors[:, :3] = color
    colors[:, 3] = np.round(255 * strength * opacity)
    style = {"rgb": True, "lighting": False, "culling": "back", "render": False}
    plotter.add_mesh(surface, scalars=colors, **style, name=name)

"""Signals: the implicit operator against closed forms and a manufactured solution."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tissuesim.model.model import Model
from tissuesim.tissue import Tissue
from tissuesim.tissue.graph import box_tissue, build_graph
from tissuesim.verification.check import Check, at_most, has_order, within_percent
from tissuesim.verification.specimen import Specimen, build_model

FOREVER = 10**13
"""Ticks of a step after which nothing but the steady state is left."""

Reals = NDArray[np.float64]


def signal_model(parameters: dict[str, str | dict[str, object]]) -> Model:
    """One signal that diffuses, decays, and is made where the map ``production`` says."""
    return build_model(
        "one_signal",
        parameters,
        signals={"signal": {"label": "Signal", "unit": "pM", "diffusivity": "diffusivity"}},
        maps={"production": {"label": "Production", "unit": "pM/day", "default": "0 pM/day"}},
        processes={
            "decay": {"rate": "loss * signal", "change": {"signal": -1}, "conserves": False},
            "make": {"rate": "production", "change": {"signal": 1}, "conserves": False},
        },
    )


def by_region(unit: str, values: Reals, names: tuple[str, ...]) -> dict[str, object]:
    """A parameter with one value per region."""
    regions = {name: f"{float(value)!r} {unit}" for name, value in zip(names, values, strict=True)}
    return {"value": f"{float(values[0])!r} {unit}", "regions": regions}


def layered(shape: tuple[int, int, int], spacing: float, layer: NDArray[np.int64]) -> Tissue:
    """A box whose region depends on x only; ``layer`` is the region of each voxel along x."""
    names = tuple(f"layer_{k}" for k in range(int(layer.max()) + 1))
    region = np.broadcast_to(layer.astype(np.uint8), shape)
    return build_graph("box", np.ones(shape), region, spacing, region_names=names)


def steady(model: Model, tissue: Tissue, production: Reals) -> Specimen:
    """The steady state under a production [pM/day] per voxel."""
    tissue.maps["production"] = production
    specimen = Specimen.of(model, tissue)
    specimen.diffuse(FOREVER)
    return specimen


# ---- order in space, order in time
def manufactured_error(cells: int) -> float:
    """L2 error of the steady state c = 4 + cos(pi x) cos(pi y) cos(pi z) with D = 1 + x (1 - x), unit cube."""
    h, loss = 1.0 / cells, 60.0
    x_layer = (np.arange(cells) + 0.5) * h
    tissue = layered((cells, cells, cells), h, np.arange(cells))
    diffusivity = by_region("mm^2/day", 1.0 + x_layer * (1.0 - x_layer), tissue.region_names)
    model = signal_model({"diffusivity": diffusivity, "loss": f"{loss} 1/day"})
    x, y, z = tissue.centers().T
    wave = np.cos(np.pi * x) * np.cos(np.pi * y) * np.cos(np.pi * z)
    slope = -np.pi * np.sin(np.pi * x) * np.cos(np.pi * y) * np.cos(np.pi * z)
    # production = loss c - D laplacian c - D' dc/dx; positive everywhere for this loss
    production = loss * (4.0 + wave) + (1.0 + x * (1.0 - x)) * 3.0 * np.pi**2 * wave - (1.0 - 2.0 * x) * slope
    found = steady(model, tissue, production).signal("signal")
    return float(np.sqrt(np.mean((found - 4.0 - wave) ** 2)))


def order_in_space(quick: bool) -> list[Check]:
    """Second order in space for a diffusivity that varies smoothly, in three dimensions."""
    sizes = (8, 16, 32) if quick else (12, 24, 48)
    return [
        has_order("diffusion: order in space (smooth D, 3D)", 2.0, [manufactured_error(n) for n in sizes])
    ]


def time_error(steps: int) -> float:
    """Error after a quarter day of a decaying cosine, against the exact solution on the same voxels."""
    cells, diffusivity, loss, ticks = 16, 0.4, 2.0, 1536
    h = 1.0 / cells
    model = signal_model({"diffusivity": f"{diffusivity} mm^2/day", "loss": f"{loss} 1/day"})
    tissue = box_tissue((2, 3, cells), h)
    wave = np.cos(np.pi * tissue.centers()[:, 0])
    specimen = Specimen.of(model, tissue, {"signal": 2.0 + wave}, backend="numpy")
    specimen.diffuse(ticks // steps, steps)
    rate = 2.0 * diffusivity * (1.0 - math.cos(np.pi * h)) / h**2
    exact = 2.0 * math.exp(-loss * 0.25) + wave * math.exp(-(loss + rate) * 0.25)
    return float(np.max(np.abs(specimen.signal("signal") - exact)))


def order_in_time(quick: bool) -> list[Check]:
    """First order in time."""
    return [has_order("signals: order in time", 1.0, [time_error(n) for n in (32, 64, 128)])]


# ---- closed forms
def two_layers(quick: bool) -> list[Check]:
    """Flux through a jump of the diffusivity between two layers, 64 cells."""
    return [
        within_percent(f"two layers, D ratio {ratio:g}: flux", *layer_flux(ratio), 0.5)
        for ratio in (100.0, 0.01)
    ]


def layer_flux(ratio: float) -> tuple[float, float]:
    """Exact and computed steady flux [pM mm/day] from a layer that makes a signal into one that does not.

    c1 = s/k + A cosh(x/l1), c2 = B cosh((L - x)/l2), l = sqrt(D/k); c and D c' continuous at x = a.
    """
    cells, length, wall, first, loss, made = 64, 1.0, 0.5, 1.0, 0.5, 3.0
    second = first * ratio
    l1, l2 = math.sqrt(first / loss), math.sqrt(second / loss)
    at_wall = math.sinh(wall / l1) * first / l1, math.sinh((length - wall) / l2) * second / l2
    b = made / loss / (math.cosh((length - wall) / l2) + at_wall[1] / at_wall[0] * math.cosh(wall / l1))
    h = length / cells
    left = (np.arange(cells) + 0.5) * h < wall
    tissue = layered((1, 1, cells), h, np.where(left, 0, 1))
    diffusivity = by_region("mm^2/day", np.array([first, second]), tissue.region_names)
    model = signal_model({"diffusivity": diffusivity, "loss": f"{loss} 1/day"})
    found = steady(model, tissue, np.where(tissue.region == 0, made, 0.0)).signal("signal")
    computed = (
        loss * h * float(found[tissue.region == 1].sum())
    )  # all that enters the second layer decays there
    return b * at_wall[1], computed


def slab_source(quick: bool) -> list[Check]:
    """A slab that makes a signal in a finite box: whole profile, and the length sqrt(D/loss) of its decay."""
    cells, h, diffusivity, loss, made, edge = 128, 1.0 / 16, 0.25, 1.0, 5.0, 1.0
    length, decay_length = cells * h, math.sqrt(diffusivity / loss)
    tissue = box_tissue((1, 2, cells), h)
    model = signal_model({"diffusivity": f"{diffusivity} mm^2/day", "loss": f"{loss} 1/day"})
    x = tissue.centers()[:, 0]
    found = steady(model, tissue, np.where(x < edge, made, 0.0)).signal("signal")
    scale = made / loss / math.sinh(length / decay_length)
    inside = made / loss - scale * math.sinh((length - edge) / decay_length) * np.cosh(x / decay_length)
    outside = scale * math.sinh(edge / decay_length) * np.cosh((length - x) / decay_length)
    exact = np.where(x < edge, inside, outside)
    worst = float(np.abs(found - exact).max())
    far = (x > edge + decay_length) & (x < edge + 5.0 * decay_length)
    slope = np.polyfit(x[far], np.log(found[far]), 1)[0]
    return [
        at_most("slab source: error of the profile / maximum", worst / float(exact.max()), 0.005),
        within_percent("decay length sqrt(D/loss) [mm]", decay_length, -1.0 / slope, 0.5),
    ]


def point_source(quick: bool) -> list[Check]:
    """A point source in a closed box: the Green's function and its mirror images, 3 voxels away and more."""
    cells = 25 if quick else 41
    h = 1.0 / 8
    diffusivity, loss, amount = 0.5, 1.0, 7.0
    tissue = box_tissue((cells, cells, cells), h)
    model = signal_model({"diffusivity": f"{diffusivity} mm^2/day", "loss": f"{loss} 1/day"})
    offset = tissue.centers() - cells * h / 2.0
    at_center = np.all(np.abs(offset) < h / 2.0, axis=1)
    found = steady(model, tissue, np.where(at_center, amount / h**3, 0.0)).signal("signal")
    exact = np.zeros(tissue.n)
    mirrors = np.arange(-2, 3) * cells * h
    for image in np.stack(np.meshgrid(mirrors, mirrors, mirrors), axis=-1).reshape(-1, 3):
        r = np.sqrt(np.sum((offset - image) ** 2, axis=1) + 1e-300)
        exact += amount * np.exp(-r / math.sqrt(diffusivity / loss)) / (4.0 * np.pi * diffusivity * r)
    r = np.sqrt(np.sum(offset**2, axis=1))
    compared = (r > 3.0 * h) & (r < cells * h / 2.0)
    error = np.abs(found[compared] / exact[compared] - 1.0)
    made, lost = amount, loss * h**3 * float(found.sum())
    return [
        at_most("point source in a box: mean relative error", float(error.mean()), 0.02),
        within_percent("point source in a box: decay [amol/day]", made, lost, 0.001),
    ]


@cache
def ball(cells: int) -> Tissue:
    """A ball of radius 1 mm with partial volumes at its surface, each voxel sampled 8 x 8 x 8 times."""
    h = 2.2 / cells
    fine = (np.arange(8 * cells) + 0.5) * h / 8 - 1.1
    squares = fine**2
    inside = (squares[:, None, None] + squares[:, None] + squares) < 1.0
    fraction = inside.reshape(cells, 8, cells, 8, cells, 8).mean(axis=(1, 3, 5))
    return build_graph("ball", fraction, np.zeros(fraction.shape, np.uint8), h)


def sphere(quick: bool) -> list[Check]:
    """A round organ: volume of the ball, and a field as symmetric as the ball after a few steps."""
    tissue = ball(20)
    model = signal_model({"diffusivity": "1 mm^2/day", "loss": "3 1/day"})
    r2 = np.sum((tissue.centers() - 1.1) ** 2, axis=1)
    specimen = Specimen.of(model, tissue, {"signal": np.exp(-4.0 * r2)})
    specimen.diffuse(64, 4)
    field = tissue.scatter(specimen.signal("signal"), fill=0.0)
    turned = [field.transpose(axes) for axes in ((0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0))]
    flipped = [field[::-1], field[:, ::-1], field[:, :, ::-1]]
    uneven = max(float(np.abs(other - field).max()) for other in (*turned, *flipped))
    return [
        within_percent("ball: volume [mm^3]", 4.0 / 3.0 * np.pi, float(tissue.volume.sum()), 0.5),
        at_most("ball: asymmetry of a centered field / maximum", uneven / float(field.max()), 1e-12),
    ]


CHECKS = (order_in_space, order_in_time, two_layers, slab_source, point_source, sphere)

"""`build_tissue`: the one door from an anatomy (a built-in name or a surface file) to a `Tissue`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tissuesim.errors import InputError, nearest
from tissuesim.tissue import Tissue, build_graph

from . import saved
from .cache import cached_tissue
from .catalogue import CATALOGUE
from .importer import SUFFIXES, contents, is_volume_mesh, organ_from_file
from .niche import niches_of
from .on_cells import tissue_on_cells
from .organ import Organ, make_atlas
from .physics import OrganPhysics
from .selection import ImportOptions, names_kidney
from .vasculature import vascular_density
from .voxelize import voxelize

EXPECTED_ERROR = 0.02  # of the volume; more is told in the report


def build_tissue(
    anatomy: str,
    name: str,
    spacing: float,
    seed: int = 1,
    base: Path | None = None,
    units: str | None = None,
    options: ImportOptions | None = None,
    domain: str = "voxels",
    physics: OrganPhysics | None = None,
    shape: Mapping[str, float] | None = None,
) -> Tissue:
    """Return the tissue of a built-in organ (a name in ``CATALOGUE``) or of a file, in voxels of ``spacing`` mm.

    A relative path is read from ``base``. ``seed`` decides vascular density and niche sites, which are
    places in the organ and do not move with the spacing. ``units`` ('m', 'cm', 'mm', 'um') of a file are
    guessed from its size if not given; ``options`` say more about a file. Maps: ``vascular_density`` (1),
    ``niche_site`` (0 to 1), ``depth`` (mm). ``physics`` says how dense vessels are in each region and in which
    share of it niches may grow; without it the anatomy's own numbers hold, and niches fill 4 % of its niche
    regions. ``shape`` are sizes of a built-in organ (``Entry.sizes``).
    A saved tissue keeps the maps that it has. With ``domain`` 'tetrahedra' the cells of a volume mesh are
    the control volumes, and the maps those of voxels of ``spacing``. InputError for an unknown anatomy, a bad spacing
    or a damaged file.
    """
    if not (np.isfinite(spacing) and spacing > 0):
        raise InputError(f"spacing of organ '{name}' is {spacing} mm; it must be a positive length")
    if options is not None and options.vessel_entries and anatomy in CATALOGUE:
        raise InputError(
            f"vessel_entries: the built-in '{anatomy}' knows where its vessels enter; only a file is told"
        )
    if shape and anatomy not in CATALOGUE:
        raise InputError(f"shape: only a built-in organ has sizes to choose, and '{anatomy}' is a file")
    if Path(anatomy).suffix in saved.SUFFIXES:  # what ``tissuesim mesh --out`` wrote
        return saved.load_tissue(Path(base or ".") / anatomy).named(name)
    options = replace(options or ImportOptions(), organ=name)
    if units is not None:
        options = replace(options, units=units)
    facts: dict[str, object] = {"anatomy": anatomy, "spacing": spacing, "seed": seed}
    if physics is not None:
        facts["physics"] = [physics.niche_shares(), physics.vascular_factors()]
    if shape:
        facts["shape"] = dict(shape)
    content = b""
    if anatomy not in CATALOGUE:
        content = contents(Path(base or ".") / anatomy)
        seen = replace(options, organ="kidney" if names_kidney(name) else "")  # all that a name changes
        facts["options"] = repr(seen)
    tissue = cached_tissue(
        facts,
        content,
        lambda: _build(_find_organ(anatomy, base, options, shape), name, spacing, seed, physics),
        name,
    )
    if domain == "voxels":
        return tissue
    if not is_volume_mesh(Path(base or ".") / anatomy):
        raise InputError(
            f"domain 'tetrahedra' needs a volume mesh (.vtu, .vtk or .msh), and '{anatomy}' is none; take 'voxels'"
        )
    return tissue_on_cells(Path(base or ".") / anatomy, tissue, options)


def _build(organ: Organ, name: str, spacing: float, seed: int, physics: OrganPhysics | None) -> Tissue:
    atlas = make_atlas(organ)
    shares = None
    if physics is not None:
        organ, shares = replace(organ, vessel_factors=physics.vascular_factors()), physics.niche_shares()
    voxels = voxelize(organ, atlas, spacing)
    niche, sites = niches_of(organ, atlas, voxels, seed, shares)
    maps = {
        "vascular_density": vascular_density(
            organ, atlas, voxels.lattice, voxels.fraction, voxels.region, seed
        ),
        "niche_site": niche,
        "depth": atlas.depth.on(voxels.lattice),
    }
    if organ.fibre is not None:
        directions = organ.fibre(voxels.lattice)
        maps |= {f"fiber_{axis}": directions[..., k] for k, axis in enumerate("xyz")}
    tissue = build_graph(
        name,
        voxels.fraction,
        voxels.region,
        spacing,
        voxels.lattice.origin,
        organ.region_names,
        maps,
        {"anatomy_source": organ.source, "seed": seed, "spacing_mm": spacing, **organ.report},
    )
    home = organ.niche_regions if shares is None else [name for name, share in shares.items() if share > 0]
    _report_volume(tissue, home, sites)
    return tissue


def _find_organ(
    anatomy: str, base: Path | None, options: ImportOptions, shape: Mapping[str, float] | None
) -> Organ:
    if anatomy in CATALOGUE:
        return CATALOGUE[anatomy].build(anatomy, shape)
    if Path(anatomy).suffix.lower() not in SUFFIXES and not Path(anatomy).suffix:
        raise InputError(
            f"anatomy '{anatomy}' is neither a built-in organ ({', '.join(CATALOGUE)}) nor a file "
            f"({', '.join(SUFFIXES)}){nearest(anatomy, CATALOGUE)}"
        )
    return organ_from_file(Path(base or ".") / anatomy, options)


def _report_volume(tissue: Tissue, home_regions: Iterable[str], sites: int) -> None:
    report = tissue.report
    volume, reference = float(tissue.volume.sum()) / 1000, float(str(report["reference_volume_ml"]))
    report["volume_error"] = volume / reference - 1
    if abs(volume / reference - 1) > EXPECTED_ERROR:
        report["volume_warning"] = (
            f"the voxels hold {volume:.4g} mL, the reference {reference:.4g} mL; use a smaller spacing"
        )
    home = tissue.in_regions(name for name in home_regions if name in tissue.region_names)
    home_volume = float(tissue.volume[home].sum())
    niche = float((tissue.maps["niche_site"] * tissue.volume).sum())
    report["niche_sites"] = sites
    report["niche_share"] = niche / home_volume if home_volume else 0.0

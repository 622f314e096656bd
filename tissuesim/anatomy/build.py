"""`build_tissue`: the one door from an anatomy (a built-in name or a surface file) to a `Tissue`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tissuesim.errors import InputError, nearest
from tissuesim.tissue import Tissue, build_graph

from .imported import organ_from_surface
from .kidney import CORTEX, MEDULLA, kidney
from .niche import niche_map, niche_sites
from .organ import Organ, make_atlas
from .surface import SUFFIXES
from .vasculature import vascular_density
from .voxelize import voxelize

BUILT_IN = {"kidney": kidney}
EXPECTED_ERROR = 0.02  # of the volume; more is told in the report


def build_tissue(
    anatomy: str,
    name: str,
    spacing: float,
    seed: int = 1,
    base: Path | None = None,
    units: str | None = None,
) -> Tissue:
    """Return the tissue of a built-in organ ('kidney') or of a surface file, in voxels of ``spacing`` mm.

    A relative path is read from ``base``. ``seed`` decides vascular density and niche sites, which are
    places in the organ and do not move with the spacing. ``units`` ('m', 'cm', 'mm', 'um') of a file are
    guessed from its size if not given. Maps: ``vascular_density`` (1), ``niche_site`` (0 to 1), ``depth``
    (mm). InputError for an unknown anatomy, a bad spacing or a damaged file.
    """
    if not (np.isfinite(spacing) and spacing > 0):
        raise InputError(f"spacing of organ '{name}' is {spacing} mm; it must be a positive length")
    organ = _find_organ(anatomy, base, units)
    atlas = make_atlas(organ)
    voxels = voxelize(organ, atlas, spacing)
    sites = niche_sites(atlas, CORTEX, MEDULLA, seed)
    maps = {
        "vascular_density": vascular_density(organ, voxels.lattice, voxels.fraction, voxels.region, seed),
        "niche_site": niche_map(voxels.lattice, voxels.region, CORTEX, sites),
        "depth": atlas.depth.on(voxels.lattice),
    }
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
    _report_volume(tissue, len(sites))
    return tissue


def _find_organ(anatomy: str, base: Path | None, units: str | None) -> Organ:
    if anatomy in BUILT_IN:
        return BUILT_IN[anatomy]()
    if Path(anatomy).suffix.lower() not in SUFFIXES and not Path(anatomy).suffix:
        raise InputError(
            f"anatomy '{anatomy}' is neither a built-in organ ({', '.join(BUILT_IN)}) nor a surface file "
            f"({', '.join(SUFFIXES)}){nearest(anatomy, BUILT_IN)}"
        )
    return organ_from_surface(Path(base or ".") / anatomy, units)


def _report_volume(tissue: Tissue, sites: int) -> None:
    report = tissue.report
    volume, reference = float(tissue.volume.sum()) / 1000, float(str(report["reference_volume_ml"]))
    report["volume_error"] = volume / reference - 1
    if abs(volume / reference - 1) > EXPECTED_ERROR:
        report["volume_warning"] = (
            f"the voxels hold {volume:.4g} mL, the reference {reference:.4g} mL; use a smaller spacing"
        )
    cortex = tissue.region == CORTEX
    cortex_volume = float(tissue.volume[cortex].sum())
    niche = float((tissue.maps["niche_site"] * tissue.volume).sum())
    report["niche_sites"] = sites
    report["niche_share_of_cortex"] = niche / cortex_volume if cortex_volume else 0.0

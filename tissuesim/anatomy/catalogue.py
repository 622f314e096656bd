"""The built-in organs and patches: where each is written, and the voxel it is meant for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import Literal

from tissuesim.errors import InputError, nearest

from .organ import Organ


@dataclass(frozen=True)
class Entry:
    """One built-in anatomy: a function of its sizes in a module of this room; ``spacing`` in mm."""

    module: str
    kind: Literal["organ", "patch"]
    spacing: float
    summary: str

    def sizes(self, name: str) -> dict[str, float]:
        """Return the sizes of the organ that can be chosen, with their defaults: mm, or 1 where they are shares."""
        known = signature(self._make(name)).parameters.values()
        numbers = (item for item in known if isinstance(item.default, int | float) and item.name != "seed")
        return {item.name: float(item.default) for item in numbers}

    def build(self, name: str, shape: Mapping[str, float] | None = None) -> Organ:
        """Return the organ with the sizes of ``shape``; InputError for one that it does not have or cannot be."""
        known = self.sizes(name)
        for size in shape or {}:
            if size not in known:
                raise InputError(
                    f"'{size}' is no size of the built-in '{name}'{nearest(size, known)}; it has {', '.join(known)}"
                )
        return self._make(name)(**(shape or {}))

    def _make(self, name: str) -> Callable[..., Organ]:
        made: Callable[..., Organ] = getattr(import_module(f"tissuesim.anatomy.{self.module}"), name)
        return made


CATALOGUE: dict[str, Entry] = {
    "kidney": Entry("kidney", "organ", 2.0, "one kidney: cortex with columns, nine pyramids, pelvis, hilum"),
    "lungs": Entry(
        "lungs", "organ", 4.0, "both lungs: five lobes, fissures, pleura, six generations of airways"
    ),
    "heart": Entry("heart", "organ", 2.0, "ventricles, septum, atria, epicardium; fibers; chambers left out"),
    "skin": Entry("skin", "organ", 0.2, "20 x 20 x 4 mm: epidermis, dermis, fat, follicles, two plexuses"),
    "joint": Entry("joint", "organ", 1.0, "a knee: synovium, cartilage, bone, fluid"),
    "kidney_patch": Entry(
        "kidney_patch", "patch", 0.02, "1 mm of renal cortex: glomeruli, tubules, peritubular vessels"
    ),
    "lung_patch": Entry(
        "lung_patch", "patch", 0.02, "1 mm of lung: alveoli, bronchiole and artery in one cuff"
    ),
    "heart_patch": Entry(
        "heart_patch", "patch", 0.01, "0.5 mm of myocardium: muscle and capillaries in rows"
    ),
    "skin_patch": Entry("skin_patch", "patch", 0.02, "1 mm of dermis: papillae, a vessel with its cuff"),
    "joint_patch": Entry("joint_patch", "patch", 0.02, "1 mm of synovium: lining, sublining, an aggregate"),
    "lymph_node_patch": Entry(
        "lymph_node_patch", "patch", 0.02, "1 mm of lymph node: follicle, T zone with venules, sinuses"
    ),
}

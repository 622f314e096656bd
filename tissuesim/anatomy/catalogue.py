"""The built-in organs and patches: where each is written, and the voxel it is meant for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from .organ import Organ


@dataclass(frozen=True)
class Entry:
    """One built-in anatomy: a function of no arguments in a module of this room; ``spacing`` in mm."""

    module: str
    kind: Literal["organ", "patch"]
    spacing: float
    summary: str

    def build(self, name: str) -> Organ:
        """Return the organ."""
        make: Callable[[], Organ] = getattr(import_module(f"tissuesim.anatomy.{self.module}"), name)
        return make()


CATALOGUE: dict[str, Entry] = {
    "kidney": Entry("kidney", "organ", 2.0, "one kidney: cortex with columns, nine pyramids, pelvis, hilum"),
    "lungs": Entry("lungs", "organ", 4.0, "both lungs: five lobes, fissures, pleura, six generations of airways"),
    "kidney_patch": Entry(
        "kidney_patch", "patch", 0.02, "1 mm of renal cortex: glomeruli, tubules, peritubular vessels"
    ),
    "lymph_node_patch": Entry(
        "lymph_node_patch", "patch", 0.02, "1 mm of lymph node: follicle, T zone with venules, sinuses"
    ),
}

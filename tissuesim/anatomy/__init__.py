"""Organs: the built-in kidney, import of surface meshes, partial-volume voxels, vascular density -> `Tissue`."""

from .build import BUILT_IN, build_tissue

__all__ = ["BUILT_IN", "build_tissue"]

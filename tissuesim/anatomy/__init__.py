"""Organs: the built-in kidney, imported surface meshes, partial volumes, vascular density -> `Tissue`."""

from .build import BUILT_IN, build_tissue

__all__ = ["BUILT_IN", "build_tissue"]

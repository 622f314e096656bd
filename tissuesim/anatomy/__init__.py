"""Organs: the built-in kidney, imported surface meshes, partial volumes, vascular density -> `Tissue`."""

from .build import build_tissue
from .catalogue import CATALOGUE

__all__ = ["CATALOGUE", "build_tissue"]

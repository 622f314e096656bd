"""An organ as control volumes: the graph, its storage order, gather and scatter to the dense box."""

from .graph import box_tissue, build_graph
from .tetrahedra import build_tetrahedra
from .tissue import Tissue

__all__ = ["Tissue", "box_tissue", "build_graph", "build_tetrahedra"]

"""An organ as control volumes: the graph, its storage order, gather and scatter to the dense box."""

from .graph import box_tissue, build_graph
from .tissue import Tissue

__all__ = ["Tissue", "box_tissue", "build_graph"]

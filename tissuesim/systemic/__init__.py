"""Blood, marrow, lymph nodes and antibodies: pools advanced by the same process operator as a voxel, in float64."""

from tissuesim.systemic.clones import Clones, CloneState
from tissuesim.systemic.pools import SystemicStep, first_amounts

__all__ = ["CloneState", "Clones", "SystemicStep", "first_amounts"]

"""Whether this machine has what a run needs: each item is tried out, and a wrong one comes with what mends it."""

from tissuesim.doctor.check import Check, Row, TroubleError
from tissuesim.doctor.examine import CHECKS, examine, passed

__all__ = ["CHECKS", "Check", "Row", "TroubleError", "examine", "passed"]

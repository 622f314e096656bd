"""Clinical readouts: pure functions of the time series of a run."""

from tissuesim.readouts.endpoints import BASELINE_DAY, ENDPOINTS, RELAPSE, REMISSION, endpoints

__all__ = ["BASELINE_DAY", "ENDPOINTS", "RELAPSE", "REMISSION", "endpoints"]

"""The loop: a run is a sequence of steps whose observers write, check and keep checkpoints."""

from tissuesim.simulation.simulation import RunResult, Simulation, resume

__all__ = ["RunResult", "Simulation", "resume"]

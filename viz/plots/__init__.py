"""Figures of what a run measured: courses over time as panels, and maps of what happened where."""

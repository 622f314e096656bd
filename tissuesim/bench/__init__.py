"""Benchmarks: every operator and a whole step against a copy of the same size, and against other programs."""

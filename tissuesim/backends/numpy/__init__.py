"""The reference backend: whole-array NumPy, written to be read."""

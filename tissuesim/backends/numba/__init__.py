"""The compiled CPU backend: the same operators as loops over voxels on all cores."""

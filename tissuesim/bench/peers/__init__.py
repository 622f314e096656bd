"""Other programs at the same work: one explicit step of diffusion on a closed box, one file each."""

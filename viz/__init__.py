"""Pictures of a run, drawn from its run directory only: stills in 3D, time series, discreteness."""

"""A ball before a plain ground. ``python -m tissuesim.doctor.scene`` draws it and prints what drew it, as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

SIZE = 64  # pixels


def main() -> None:
    """Draw the ball; print the version of VTK, its window and renderer, and how many colors the picture has."""
    import numpy as np
    import pyvista
    import vtk

    plotter: Any = pyvista.Plotter(off_screen=True, window_size=[SIZE, SIZE])
    plotter.set_background("white")
    plotter.add_mesh(pyvista.Sphere(), color="black")
    picture = plotter.screenshot(return_img=True)
    window = plotter.render_window
    told = re.search(r"OpenGL renderer string:\s*(.+)", window.ReportCapabilities())
    facts = {
        "vtk": vtk.vtkVersion().GetVTKVersion(),
        "window": window.GetClassName(),
        "renderer": told[1].strip().split(" (")[0] if told else window.GetClassName(),
        "colors": len(np.unique(picture)),
    }
    plotter.close()
    print(json.dumps(facts))


if __name__ == "__main__":
    main()

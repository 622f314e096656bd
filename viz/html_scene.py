"""A scene as one HTML page that a reader can turn: drawn by vtk.js in the browser, no network, no server.

The page is that of trame-vtk, which is not needed for anything else and may be missing.
"""

from __future__ import annotations

import io
import json
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ICONS = "https://kitware.github.io/vtk-js/icon/favicon-"  # the only thing the page would ask a network for


def can_write_html() -> bool:
    """Return whether trame-vtk is installed."""
    return find_spec("trame_vtk") is not None


def write_html(plotter: Any, path: Path) -> None:
    """Write the scene of ``plotter``, which has been drawn once, as the page ``path``."""
    from trame_vtk.tools.vtksz2html import embed_data_to_viewer_file

    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.json", json.dumps(_described(plotter.render_window)))
    embed_data_to_viewer_file(pack.getvalue(), path)
    page = path.read_text(encoding="utf-8")
    path.write_text(page.replace(ICONS, "data:image/png,"), encoding="utf-8")


def _described(window: Any) -> dict[str, Any]:
    """Return the render window as vtk.js reads it: the scene, and the arrays by their hash."""
    from trame_vtk.modules.vtk.serializers import (
        SynchronizationContext,
        extract_array_hash,
        initialize_serializers,
        reference_id,
        serialize,
    )

    initialize_serializers()
    context = SynchronizationContext()
    context.set_ignore_last_dependencies(True)
    camera = window.GetRenderers().GetFirstRenderer().GetActiveCamera()
    scene = serialize(None, window, reference_id(window), context, 1)
    scene["extra"] = {
        "vtkRefId": reference_id(window),
        "centerOfRotation": camera.GetFocalPoint(),
        "camera": reference_id(camera),
    }
    arrays = {
        entry["hash"]: dict(entry, content=context.get_cached_data_array(entry["hash"], False))
        for entry in extract_array_hash(scene)
    }
    return {"hashes": arrays, "scene": scene}

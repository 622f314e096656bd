"""Commands about what a run is made of: mesh, models, organs and schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tissuesim.errors import InputError

from .options import Json
from .printing import print_json


def mesh(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Surface, label volume or volume mesh.")],
    spacing: Annotated[str, typer.Option(help="Edge of a voxel, such as 1mm.")] = "1 mm",
    units: Annotated[
        str | None, typer.Option(help="Length unit of the file: m, cm, mm or um; default guessed.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NUMBER=NAME", help="Region of a label; others are left out; may be given again."
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATTERN,...", help="Parts of a region, by name; may be given again."),
    ] = None,
    voxel_size: Annotated[
        str | None, typer.Option(help="Voxel of a TIFF stack, such as 10um or 10um,10um,50um.")
    ] = None,
    vessel_entry: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,Z", help="Where vessels enter, such as 12mm,0mm,-3mm; may be given again."),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the organ.")] = "",
    as_json: Json = False,
    out: Annotated[Path | None, typer.Option(help="Save the tissue: .npz or .zarr.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the tissue, or its open edges, as PNG.")] = None,
) -> None:
    """Import a file and report what was mended, what became of each region, and what a run would cost."""
    from tissuesim.anatomy.mesh_command import import_file

    report = import_file(
        file, spacing, units, label or (), region or (), voxel_size, name, out, picture, vessel_entry or ()
    )
    if as_json:
        print_json(report)
    else:
        from tissuesim.anatomy.quality_table import print_report

        print_report(report)


def models(
    name: Annotated[
        str | None, typer.Argument(help="Shipped model or model file; without it, a list.")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print the equations as LaTeX.")] = False,
    table: Annotated[
        bool,
        typer.Option("--table", help="Print every parameter (CSV): value, unit, range, source, grade."),
    ] = False,
) -> None:
    """List the shipped models, or print one as a tree, as equations or as the table of its parameters."""
    from tissuesim.model import Model, shipped_models

    if table:
        from tissuesim.model.table import HEADER, as_csv, parameter_rows

        chosen = shipped_models() if name is None else (name,)
        rows = [(model, *row) for model in chosen for row in parameter_rows(Model.load(model))]
        if name is None:
            from tissuesim.config.constants import constant_rows
            from tissuesim.config.disease_rows import disease_rows
            from tissuesim.config.treatment_file import treatment_rows
            from tissuesim.readouts.catalogue import catalogue_rows

            rows += [*treatment_rows(), *constant_rows(), *disease_rows(), *catalogue_rows()]
        print(as_csv(rows, ("model", *HEADER)), end="")
        return
    if name is None:
        for shipped in shipped_models():
            print(f"{shipped}: {' '.join(Model.load(shipped).description.split())}")
        return
    model = Model.load(name)
    print(model.to_latex() if latex else model)


def organs(
    name: Annotated[
        str | None, typer.Argument(help="Built-in organ or patch to build; without it, a list.")
    ] = None,
    spacing: Annotated[
        float | None, typer.Option(help="Edge of a voxel in mm; default what the organ is meant for.")
    ] = None,
) -> None:
    """List the built-in organs and patches, or build one and print its voxels, regions and maps."""
    from tissuesim.anatomy import CATALOGUE, build_tissue

    if name is None:
        for key, entry in CATALOGUE.items():
            print(f"{key} ({entry.kind}, {entry.spacing:g} mm voxels): {entry.summary}")
        return
    if name not in CATALOGUE:
        from tissuesim.errors import nearest

        raise InputError(
            f"'{name}' is no built-in organ ({', '.join(CATALOGUE)}){nearest(name, CATALOGUE)}; "
            "a file is read by: tissuesim mesh FILE"
        )
    print(build_tissue(name, name, spacing or CATALOGUE[name].spacing))
    sizes = ", ".join(f"{size} {default:g}" for size, default in CATALOGUE[name].sizes(name).items())
    print(f"sizes (organs.<name>.shape): {sizes}")


def schema() -> None:
    """Print the JSON Schema of a run config, for editors that check YAML."""
    from tissuesim.config import json_schema

    print_json(json_schema(), indent=2)

"""Commands that download: fetch genome, fetch geo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder to write to.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Download public data: resumable, with checksums."
    )
    group.command("genome", epilog="Example: exprimo fetch genome yeast --release 110 -o data")(
        _genome
    )
    group.command("geo", epilog="Example: exprimo fetch geo GSE248760 -o data")(_geo)
    app.add_typer(group, name="fetch")


def _genome(
    species: Annotated[str, typer.Argument(help="Such as human, yeast or homo_sapiens.")],
    release: Annotated[int, typer.Option(help="Ensembl's release.")],
    out: Out = Path(),
    as_json: Json = False,
) -> None:
    """Download the genome and annotation of one Ensembl release."""
    import exprimo

    with bars():
        paths = exprimo.fetch_genome(species, release, out)
    _say(paths, as_json)


def _geo(
    accession: Annotated[str, typer.Argument(help="A series, such as GSE248760.")],
    out: Out = Path(),
    matrix: Annotated[bool, typer.Option("--matrix", help="The series matrix too.")] = False,
    as_json: Json = False,
) -> None:
    """Download the supplementary files of a GEO series."""
    import exprimo

    with bars():
        paths = exprimo.fetch_geo(accession, out, matrix=matrix)
    _say(paths, as_json)


def _say(paths: list[Path], as_json: bool) -> None:
    say([f"Wrote {path}" for path in paths], {"paths": paths}, as_json=as_json)

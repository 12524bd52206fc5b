"""Commands that download: fetch genome, geo, weights, enformer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder to write to.")]


class _NamesWeights(TyperGroup):
    """A group in which the name of published weights alone means ``weights NAME``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        from exprimo.data.fetch.weights import PUBLISHED

        alone = args[0] in PUBLISHED and args[0] not in self.commands
        return super().resolve_command(ctx, ["weights", *args] if alone else args)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        cls=_NamesWeights,
        no_args_is_help=True,
        help="Download public data: resumable, with checksums.",
    )
    group.command("genome", epilog="Example: exprimo fetch genome yeast --release 110 -o data")(
        _genome
    )
    group.command("geo", epilog="Example: exprimo fetch geo GSE248760 -o data")(_geo)
    group.command("weights", epilog="Example: exprimo fetch weights hyenadna-small-32k")(_weights)
    group.command("enformer", epilog="Example: exprimo fetch enformer")(_enformer)
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


def _weights(
    name: Annotated[str, typer.Argument(help="Such as hyenadna-small-32k.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder; default: the cache.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Download the published weights of a pretrained model."""
    import exprimo

    with bars():
        path = exprimo.fetch_weights(name, out)
    _say([path], as_json)


def _enformer(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder; default: the cache.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Download the weights of Enformer (1 GB) and the table of its human tracks."""
    import exprimo

    with bars():
        paths = exprimo.fetch_enformer(out)
    _say(paths, as_json)


def _say(paths: list[Path], as_json: bool) -> None:
    say([f"Wrote {path}" for path in paths], {"paths": paths}, as_json=as_json)

"""Commands that build datasets: dataset promoters, table, features, hdf5."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

Out = Annotated[Path, typer.Option("-o", "--out", help="Dataset to write, .h5.")]
Kind = Annotated[
    Literal["auto", "regression", "classification", "multiclass"],
    typer.Option(
        help="Of the target; auto takes values that are all 0 or 1 for classes; "
        "multiclass takes names or small whole numbers."
    ),
]
Classes = Annotated[
    str, typer.Option(help="Names of three or more classes in order: down,none,up.")
]


def register(app: typer.Typer) -> typer.Typer:
    """Add the commands; give the group ``dataset``, to which other modules add theirs."""
    group = typer.Typer(
        no_args_is_help=True, help="Build a dataset: one HDF5 file of sequences and targets."
    )
    group.command(
        "promoters",
        epilog="Example: exprimo dataset promoters --fasta genome.fa --genes genes.gtf "
        "--targets expression.tsv --target expression -o D.h5",
    )(_promoters)
    group.command(
        "table",
        epilog="Example: exprimo dataset table tiles.tsv.gz --sequence core --target combined "
        "--chrom chrom --start start --strand strand -o D.h5",
    )(_table)
    group.command(
        "hdf5",
        epilog="Example: exprimo dataset hdf5 train=train.h5 val=valid.h5 test=test.h5 -o D.h5",
    )(_hdf5)
    group.command(
        "features",
        epilog="Example: exprimo dataset features halflife.tsv --column half_life "
        "--targets expression.tsv --target expression -o D.h5",
    )(_features)
    app.add_typer(group, name="dataset")
    return group


def _promoters(
    fasta: Annotated[Path, typer.Option(help="Genome: FASTA, plain, gzip or bgzip.")],
    genes: Annotated[Path, typer.Option(help="Annotation: GTF, GFF3 or BED.")],
    out: Out,
    upstream: Annotated[int, typer.Option(help="Bases before the TSS.")] = 500,
    downstream: Annotated[int, typer.Option(help="Bases from the TSS on.")] = 100,
    targets: Annotated[Path | None, typer.Option(help="Table of gene_id and values.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Column to predict; repeatable.")] = None,
    gene_names: Annotated[Path | None, typer.Option(help="Two columns that join names.")] = None,
    chrom_style: Annotated[
        str, typer.Option(help="auto, or two columns: annotation's name, genome's name.")
    ] = "auto",
    tss: Annotated[
        str, typer.Option(help="canonical, most5prime, or a table gene_id, chrom, tss, strand.")
    ] = "canonical",
    kind: Kind = "auto",
    classes: Classes = "",
    halflife: Annotated[
        bool, typer.Option("--halflife", help="Add eight features of the mRNA's half-life.")
    ] = False,
    halflife_table: Annotated[
        Path | None, typer.Option(help="Own half-life features: a table of gene_id and numbers.")
    ] = None,
    halflife_column: Annotated[
        list[str] | None, typer.Option(help="Its columns to use; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Cut a window around each gene's TSS, in gene orientation."""
    import exprimo

    with bars():
        done = exprimo.dataset_promoters(
            fasta=fasta,
            genes=genes,
            out=out,
            upstream=upstream,
            downstream=downstream,
            targets=targets,
            target=target,
            gene_names=gene_names,
            chrom_style=chrom_style,
            tss=tss,
            kind=kind,
            classes=names(classes),
            halflife=halflife,
            halflife_table=halflife_table,
            halflife_columns=halflife_column,
        )
    say_built(done, as_json)


def _table(
    table: Annotated[Path, typer.Argument(help="TSV or CSV, plain or gzip.")],
    sequence: Annotated[str, typer.Option(help="Column of the sequences.")],
    target: Annotated[str, typer.Option(help="Column to predict.")],
    out: Out,
    chrom: Annotated[str | None, typer.Option(help="Column of the chromosome.")] = None,
    start: Annotated[str | None, typer.Option(help="Column of the start.")] = None,
    strand: Annotated[str | None, typer.Option(help="Column of the strand.")] = None,
    prefix: Annotated[str, typer.Option(help="Bases before every sequence.")] = "",
    suffix: Annotated[str, typer.Option(help="Bases behind every sequence.")] = "",
    example_id: Annotated[str | None, typer.Option(help="Column of unique names.")] = None,
    group: Annotated[str | None, typer.Option(help="Column of groups to keep together.")] = None,
    kind: Kind = "auto",
    classes: Classes = "",
    as_json: Json = False,
) -> None:
    """Take any table with a sequence and a target per row; rows without target are dropped."""
    import exprimo

    with bars():
        done = exprimo.dataset_table(
            table,
            out=out,
            sequence=sequence,
            target=target,
            chrom=chrom,
            start=start,
            strand=strand,
            prefix=prefix,
            suffix=suffix,
            example_id=example_id,
            group=group,
            kind=kind,
            classes=names(classes),
        )
    say_built(done, as_json)


def _features(
    features: Annotated[Path, typer.Argument(help="Table of gene_id and numbers.")],
    targets: Annotated[Path, typer.Option(help="Table of gene_id and values.")],
    out: Out,
    column: Annotated[list[str] | None, typer.Option(help="Feature to use; repeatable.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Column to predict; repeatable.")] = None,
    gene_names: Annotated[Path | None, typer.Option(help="Two columns that join names.")] = None,
    genes: Annotated[
        Path | None, typer.Option(help="Annotation that places genes on chromosomes.")
    ] = None,
    kind: Kind = "auto",
    classes: Classes = "",
    as_json: Json = False,
) -> None:
    """Join features of genes, such as half-lives, with targets; no sequence is needed."""
    import exprimo

    with bars():
        done = exprimo.dataset_features(
            features,
            out=out,
            targets=targets,
            target=target,
            columns=column,
            kind=kind,
            classes=names(classes),
            gene_names=gene_names,
            genes=genes,
        )
    say_built(done, as_json)


def _hdf5(
    files: Annotated[
        list[str],
        typer.Argument(help="HDF5 files of genes; PART=FILE with the parts train, val, test."),
    ],
    out: Out,
    target: Annotated[
        str | None, typer.Option(help="Key of the target; label or detectionFlagInt.")
    ] = None,
    kind: Annotated[
        Literal["auto", "regression", "classification"],
        typer.Option(help="Of the target; auto takes 0 and 1 for classes, fractions for numbers."),
    ] = "auto",
    channels: Annotated[str, typer.Option(help="What the four channels stand for.")] = "ACGT",
    missing: Annotated[
        float | None, typer.Option(help="A value that stands for a missing label, beside NaN.")
    ] = None,
    features: Annotated[str, typer.Option(help="Names of the half-life features, in order.")] = "",
    as_json: Json = False,
) -> None:
    """Convert one-hot promoters, half-life features and labels of genes from HDF5."""
    import exprimo

    with bars():
        done = exprimo.dataset_hdf5(
            _by_part(files),
            out=out,
            target=target,
            kind=kind,
            channels=channels,
            missing=missing,
            features=names(features),
        )
    say_built(done, as_json)


def _by_part(files: list[str]) -> list[str] | dict[str, list[str]]:
    """Take PART=FILE apart; a file that exists under the whole text is a file without a part."""
    pairs = [("", file) if Path(file).exists() else _pair(file) for file in files]
    named = [part for part, _ in pairs if part]
    if not named:
        return files
    if len(named) < len(pairs):
        bare = next(file for part, file in pairs if not part)
        raise ConfigError(
            "some files have a part and some have none",
            found=bare,
            expected="PART=FILE for all of them, or for none",
        )
    parts: dict[str, list[str]] = {}
    for part, file in pairs:
        parts.setdefault(part, []).append(file)
    return parts


def _pair(text: str) -> tuple[str, str]:
    part, equals, file = text.partition("=")
    return (part, file) if equals and "/" not in part else ("", text)


def names(classes: str) -> list[str]:
    """Split names at their commas."""
    return [name.strip() for name in classes.split(",")] if classes else []


def say_built(done: Any, as_json: bool) -> None:
    """Print what a builder has to say."""
    facts = {
        "path": done.path,
        "n_examples": done.n_examples,
        "dropped": done.dropped,
        "bytes": done.n_bytes,
    }
    say(done.lines, facts, as_json=as_json)

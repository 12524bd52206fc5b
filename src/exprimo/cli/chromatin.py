"""Command that builds datasets of chromatin: dataset chromatin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from exprimo.cli.building import Out, names, say_built
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json

Signals = Annotated[
    list[str] | None,
    typer.Option(help="CELL:MARK:FILE: BigWig, bedGraph, or reads in BED or BAM; repeatable."),
]
Binned = Annotated[
    list[str] | None,
    typer.Option(help="FILE or CELL:FILE with bins already: CSV, NPZ or NPY; repeatable."),
]
Expression = Annotated[
    Path | None,
    typer.Option(help="gene_id and a column per cell type; or gene_id, cell_type, expression."),
]
Scale = Annotated[
    Literal["raw", "log1p", "asinh"] | None,
    typer.Option(help="Of the signal; log1p of tracks, raw of binned files."),
]
ExpressionScale = Annotated[
    Literal["raw", "log2", "asinh"], typer.Option(help="Of the expression; log2 of x + 1.")
]
LibrarySize = Annotated[
    bool, typer.Option("--library-size", help="Divide tracks by the size of their library.")
]
ChromStyle = Annotated[
    str, typer.Option(help="auto, or two columns: annotation's name, name in other files.")
]
Tss = Annotated[
    str, typer.Option(help="canonical, most5prime, or a table gene_id, chrom, tss, strand.")
]


def register(group: typer.Typer) -> None:
    """Add the command to the group ``dataset``."""
    group.command(
        "chromatin",
        epilog="Example: exprimo dataset chromatin --genes genes.gtf "
        "--signal K562:H3K4me3:k562.bw --expression expression.tsv -o D.h5",
    )(_chromatin)


def _chromatin(
    out: Out,
    genes: Annotated[Path | None, typer.Option(help="Annotation: GTF, GFF3 or BED.")] = None,
    signal: Signals = None,
    signal_table: Annotated[
        Path | None, typer.Option(help="The same as a table of cell_type, mark, file.")
    ] = None,
    fasta: Annotated[Path | None, typer.Option(help="Genome; adds the sequences.")] = None,
    bins: Annotated[int, typer.Option(help="Bins around the TSS, of tracks.", min=1)] = 100,
    bin_size: Annotated[int, typer.Option(help="Bases in a bin, of tracks.", min=1)] = 100,
    binned: Binned = None,
    sequences: Annotated[
        Path | None, typer.Option(help="Lines of gene id, sequence; with binned files.")
    ] = None,
    marks: Annotated[
        str,
        typer.Option(
            help="Marks to use, in order: H3K4me3,H3K27me3; names them where the file has none."
        ),
    ] = "",
    expression: Expression = None,
    scale: Scale = None,
    library_size: LibrarySize = False,
    expression_scale: ExpressionScale = "raw",
    gene_names: Annotated[Path | None, typer.Option(help="Two columns that join names.")] = None,
    chrom_style: ChromStyle = "auto",
    tss: Tss = "canonical",
    biotype: Annotated[
        str | None, typer.Option(help="Keep only genes of this biotype, with tracks.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put histone marks in bins around each gene's TSS, for each cell type."""
    import exprimo

    with bars():
        done = exprimo.dataset_chromatin(
            out=out,
            genes=genes,
            signals=signal or (),
            signal_table=signal_table,
            fasta=fasta,
            bins=bins,
            bin_size=bin_size,
            binned=binned or (),
            sequences=sequences,
            marks=names(marks),
            expression=expression,
            scale=scale,
            library_size=library_size,
            expression_scale=expression_scale,
            gene_names=gene_names,
            chrom_style=chrom_style,
            tss=tss,
            biotype=biotype,
        )
    say_built(done, as_json)

"""The command that writes personal sequences: haplotypes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "haplotypes",
        epilog="Example: exprimo haplotypes --genotypes people.vcf.gz --fasta genome.fa "
        "--genes genes.gtf --window 196608 -o H.h5",
    )(_haplotypes)


def _haplotypes(
    genotypes: Annotated[
        Path, typer.Option(help="VCF, BCF, PLINK 1 or PLINK 2 (prefix or any file).")
    ],
    fasta: Annotated[Path, typer.Option(help="Genome: FASTA, plain, gzip or bgzip.")],
    genes: Annotated[
        Path, typer.Option(help="GTF, GFF3 or BED, or a table gene_id, chrom, tss, strand.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Dataset (.h5) or FASTA (.fa, .fa.gz).")],
    window: Annotated[int, typer.Option(help="Bases, the TSS in the middle.", min=1)] = 196_608,
    upstream: Annotated[
        int | None, typer.Option(help="Instead of --window: bases before the TSS.", min=0)
    ] = None,
    downstream: Annotated[
        int | None, typer.Option(help="Instead of --window: bases from the TSS on.", min=0)
    ] = None,
    gene: Annotated[
        list[str] | None, typer.Option(help="Only this gene, id or name; repeatable.")
    ] = None,
    samples: Annotated[
        str | None, typer.Option(help="People: a file with one a line, or names with commas.")
    ] = None,
    unphased: Annotated[
        str, typer.Option(help="Where phase is not known: error, or a number of random phasings.")
    ] = "error",
    seed: Annotated[int, typer.Option(help="Of the random phasings.")] = 0,
    expression: Annotated[
        Path | None, typer.Option(help="BED or matrix of expression by gene and person: a target.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="FASTA: one record per person and haplotype.")
    ] = False,
    tss: Annotated[
        str, typer.Option(help="canonical, most5prime, or a table gene_id, chrom, tss, strand.")
    ] = "canonical",
    chrom_style: Annotated[
        str, typer.Option(help="auto, or two columns: name in the files, genome's name.")
    ] = "auto",
    on_ref_mismatch: Annotated[
        Literal["error", "skip", "swap"], typer.Option(help="Where REF is not what the genome has.")
    ] = "error",
    as_json: Json = False,
) -> None:
    """Write both haplotypes of each person around each gene's TSS, SNPs and indels applied."""
    from exprimo.features.haplotypes import haplotypes

    with bars():
        done = haplotypes(
            genotypes,
            fasta,
            genes,
            out,
            window=window,
            upstream=upstream,
            downstream=downstream,
            gene=gene or (),
            samples=people(samples),
            unphased=int(unphased) if unphased.isdecimal() else unphased,  # type: ignore[arg-type]  # checked there
            seed=seed,
            expression=expression,
            each=each,
            tss=tss,
            chrom_style=chrom_style,
            on_ref_mismatch=on_ref_mismatch,
        )
    facts = {name: value for name, value in asdict(done).items() if name != "lines"}
    say(done.lines, facts, as_json=as_json)


def people(text: str | None) -> list[str] | Path | None:
    """Take names apart at their commas, unless the text is a file.

    Examples
    --------
    >>> people("ann,bob")
    ['ann', 'bob']
    """
    if text is None:
        return None
    path = Path(text)
    return path if path.is_file() else [name.strip() for name in text.split(",") if name.strip()]

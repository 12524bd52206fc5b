"""The command that writes personal sequences: haplotypes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json

_Genotypes = Annotated[
    Path, typer.Option(help="VCF, BCF, PLINK 1 or PLINK 2 (prefix or any file).")
]
_Genes = Annotated[
    Path, typer.Option(help="GTF, GFF3 or BED, or a table gene_id, chrom, tss, strand.")
]
_Out = Annotated[Path, typer.Option("-o", "--out", help="Dataset (.h5) or FASTA (.fa, .fa.gz).")]
_Upstream = Annotated[
    int | None, typer.Option(help="Instead of --window: bases before the TSS.", min=0)
]
_Downstream = Annotated[
    int | None, typer.Option(help="Instead of --window: bases from the TSS on.", min=0)
]
_Gene = Annotated[list[str] | None, typer.Option(help="Only this gene, id or name; repeatable.")]
_Samples = Annotated[
    str | None, typer.Option(help="People: a file with one a line, or names with commas.")
]
_Unphased = Annotated[
    str, typer.Option(help="Where phase is not known: error, or a number of random phasings.")
]
_Expression = Annotated[
    Path | None, typer.Option(help="BED or matrix of expression by gene and person: a target.")
]
_Per = Annotated[
    Literal["copy", "person"],
    typer.Option(help="Dataset: an example is one copy, or a person with both copies."),
]
_Each = Annotated[bool, typer.Option("--each", help="FASTA: one record per person and haplotype.")]
_Tss = Annotated[
    str, typer.Option(help="canonical, most5prime, or a table gene_id, chrom, tss, strand.")
]
_ChromStyle = Annotated[
    str, typer.Option(help="auto, or two columns: name in the files, genome's name.")
]
_OnMismatch = Annotated[
    Literal["error", "skip", "swap"], typer.Option(help="Where REF is not what the genome has.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "haplotypes",
        epilog="Example: exprimo haplotypes --genotypes people.vcf.gz --fasta genome.fa "
        "--genes genes.gtf --window 196608 -o H.h5",
    )(_haplotypes)


def _haplotypes(
    genotypes: _Genotypes,
    fasta: Annotated[Path, typer.Option(help="Genome: FASTA, plain, gzip or bgzip.")],
    genes: _Genes,
    out: _Out,
    window: Annotated[int, typer.Option(help="Bases, the TSS in the middle.", min=1)] = 196_608,
    upstream: _Upstream = None,
    downstream: _Downstream = None,
    gene: _Gene = None,
    samples: _Samples = None,
    unphased: _Unphased = "error",
    seed: Annotated[int, typer.Option(help="Of the random phasings.")] = 0,
    expression: _Expression = None,
    per: _Per = "copy",
    each: _Each = False,
    tss: _Tss = "canonical",
    chrom_style: _ChromStyle = "auto",
    on_ref_mismatch: _OnMismatch = "error",
    as_json: Json = False,
) -> None:
    """Write both haplotypes of each person around each gene's TSS, SNPs and indels applied."""
    import exprimo

    with bars():
        done = exprimo.haplotypes(
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
            per=per,
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

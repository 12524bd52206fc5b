"""The command that maps cis-eQTLs: eqtl map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exprimo.cli.genetics.prs import hidden_factors
from exprimo.cli.individuals.haplotypes import people
from exprimo.cli.modelling import Threads
from exprimo.cli.output import counted, say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json

if TYPE_CHECKING:
    from exprimo.genetics.eqtl import EqtlMap, MappedPeople

Genotypes = Annotated[Path, typer.Option(help="VCF, BCF, PLINK 1 or PLINK 2 (prefix or any file).")]
Expression = Annotated[
    Path, typer.Option(help="Expression BED: #chr, start, end, gene_id, a column a person.")
]
Covariates = Annotated[
    Path | None, typer.Option(help="A row or a column for each person; no intercept.")
]
Out = Annotated[Path, typer.Option("-o", "--out", help="A new folder.")]
Folds = Annotated[
    int | None, typer.Option(help="Fit within the training people of so many folds.", min=2)
]
FoldsFile = Annotated[Path | None, typer.Option(help="A table instead: sample, fold.")]
Samples = Annotated[
    str | None, typer.Option(help="People: a file with one a line, or names with commas.")
]
Fasta = Annotated[Path | None, typer.Option(help="Genome, to check REF alleles against.")]
OnRefMismatch = Annotated[
    Literal["error", "skip", "swap"], typer.Option(help="Where REF is not what the genome has.")
]
Genes = Annotated[Path | None, typer.Option(help="GTF, GFF3 or BED: strands, for uneven windows.")]
ChromStyle = Annotated[
    str, typer.Option(help="auto, or two columns: name in the genotypes, name in the others.")
]
Gene = Annotated[list[str] | None, typer.Option(help="Only this gene, by id; repeatable.")]
Window = Annotated[int, typer.Option(help="Bases on both sides of the TSS.", min=0)]
Side = Annotated[int | None, typer.Option(help="Bases on this side; default: --window.", min=0)]
Maf = Annotated[float, typer.Option(help="Least frequency of the minor allele.", min=0, max=0.5)]
MinCount = Annotated[float, typer.Option(help="Least copies of the minor allele.", min=0)]
Permutations = Annotated[int, typer.Option(help="Of people, for each gene; 0: none.", min=0)]
Correction = Annotated[Literal["storey", "bh"], typer.Option(help="Across genes.")]
Fdr = Annotated[float, typer.Option(help="False discovery rate of eGenes.", min=0, max=1)]
Transform = Annotated[
    list[str] | None,
    typer.Option(help="Of expression: log2, zscore, inverse_normal, quantile; repeatable."),
]
Hidden = Annotated[
    str, typer.Option(help="Hidden factors of expression among covariates: a number or auto.")
]
Seed = Annotated[int, typer.Option(help="Of permutations and folds.", min=0)]
NoNominal = Annotated[bool, typer.Option("--no-nominal", help="Leave out the table of every pair.")]
NoConditional = Annotated[
    bool, typer.Option("--no-conditional", help="Look for no further signals of eGenes.")
]


def register(app: typer.Typer) -> typer.Typer:
    """Add the group and its command; give the group, for more commands."""
    group = typer.Typer(no_args_is_help=True, help="Find and study cis-eQTLs.")
    app.add_typer(group, name="eqtl")
    group.command(
        "map",
        epilog="Example: exprimo eqtl map --genotypes G.vcf.gz --expression E.bed.gz "
        "--covariates C.tsv -o EQTL",
    )(_map)
    return group


def _map(
    genotypes: Genotypes,
    expression: Expression,
    out: Out,
    covariates: Covariates = None,
    window: Window = 1_000_000,
    upstream: Side = None,
    downstream: Side = None,
    maf: Maf = 0.01,
    min_count: MinCount = 1.0,
    transform: Transform = None,
    hidden: Hidden = "0",
    permutations: Permutations = 1000,
    correction: Correction = "storey",
    fdr: Fdr = 0.05,
    no_nominal: NoNominal = False,
    no_conditional: NoConditional = False,
    folds: Folds = None,
    folds_file: FoldsFile = None,
    samples: Samples = None,
    fasta: Fasta = None,
    on_ref_mismatch: OnRefMismatch = "error",
    genes: Genes = None,
    gene: Gene = None,
    chrom_style: ChromStyle = "auto",
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Map cis-eQTLs: pairs, permutations, q-values, independent signals."""
    import exprimo

    settings: dict[str, Any] = {
        "upstream": window if upstream is None else upstream,
        "downstream": window if downstream is None else downstream,
        "maf": maf, "min_count": min_count, "permutations": permutations,
        "correction": correction, "fdr": fdr, "nominal": not no_nominal,
        "conditional": not no_conditional, "seed": seed,
        "transforms": tuple(transform or ()), "hidden": hidden_factors(hidden),
    }  # fmt: skip
    with bars():
        done = exprimo.eqtl_map(
            genotypes,
            expression,
            out,
            covariates=covariates,
            fasta=fasta,
            on_ref_mismatch=on_ref_mismatch,
            genes=genes,
            gene=gene or (),
            samples=people(samples),
            chrom_style=chrom_style,
            folds=folds,
            folds_file=folds_file,
            threads=threads,
            **settings,
        )
    facts = {"path": done.path, "parts": [part._asdict() for part in done.parts]}
    plain = not transform and hidden == "0"
    say([*_told(done, fdr), *_next(done, plain=plain)], facts, as_json=as_json)


def _told(done: EqtlMap, fdr: float) -> Iterator[str]:
    for part in done.parts:
        yield from _told_of(part, fdr)


def _next(done: EqtlMap, *, plain: bool) -> Iterator[str]:
    """Say what eGenes are good for; fine-mapping takes expression as it is (``plain``)."""
    if len(done.parts) != 1 or not done.parts[0].n_egenes:
        return
    which = f"exprimo eqtl finemap --egenes {done.path} (which variant), " if plain else ""
    yield f"  next: {which}exprimo eqtl coloc --eqtl {done.path} (a GWAS's variant too)"


def _told_of(part: MappedPeople, fdr: float) -> Iterator[str]:
    yield (
        f"Wrote {part.path}: {counted(part.n_pairs, 'pair')} of {counted(part.n_genes, 'gene')} "
        f"in {counted(part.n_people, 'person')}, {part.df:,} degrees of freedom"
    )
    if part.covariates:
        yield f"  covariates: {', '.join(part.covariates)}"
    if part.n_egenes is not None:
        yield (
            f"  {counted(part.n_egenes, 'eGene')} at a false discovery rate of {fdr:g} "
            f"({_corrected(part)})"
        )
    if part.n_signals is not None:
        yield f"  {counted(part.n_signals, 'independent signal')}"
    yield f"  {counted(part.variants.get('read', 0), 'variant')} read"
    gone = {f"variants {reason}": n for reason, n in part.variants.items() if reason != "read"}
    for reason, count in (part.dropped | gone | part.skipped).items():
        if count:
            yield f"  left out: {count:,} ({reason})"
    yield from (f"  {note}" for note in part.notes)


def _corrected(part: MappedPeople) -> str:
    if part.correction == "storey":
        return f"Storey, share of nulls {part.pi0:.2f}"
    return "Benjamini-Hochberg"

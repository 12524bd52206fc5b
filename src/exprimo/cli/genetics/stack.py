"""The command that stacks learners on features of people: stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exprimo.cli.genetics.prs import hidden_factors
from exprimo.cli.individuals.haplotypes import people
from exprimo.cli.modelling import listed
from exprimo.cli.output import between, counted, number, say, table
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.config import settings_from

if TYPE_CHECKING:
    from exprimo.genetics.stacking import StackDone

_Expression = Annotated[
    Path, typer.Option(help="Expression BED: #chr, start, end, gene_id, a column a person.")
]
_Features = Annotated[
    list[Path] | None,
    typer.Option(help="Table with a row a person, or a gene and person; repeatable."),
]
_CisFeature = Annotated[
    list[str] | None,
    typer.Option(help="baseline, p+t, elastic_net: cis-scores as features, nested; repeatable."),
]
_Transform = Annotated[
    list[str] | None,
    typer.Option(help="log2, zscore, inverse_normal, quantile: by training people; repeatable."),
]
_Hidden = Annotated[
    str, typer.Option(help="Hidden factors of expression, by training people: a number or auto.")
]
_Out = Annotated[Path, typer.Option("-o", "--out", help="A new folder.")]
_Genotypes = Annotated[
    Path | None, typer.Option(help="VCF, BCF or PLINK: judge cis-genotype scores beside.")
]
_Covariates = Annotated[
    Path | None, typer.Option(help="A row or a column for each person; no intercept.")
]
_Design = Annotated[
    Literal["gene", "genes", "people-by-genes"],
    typer.Option(help="Each gene for itself, all in one model, or as published."),
]
_Folds = Annotated[int, typer.Option(help="Folds of people.", min=2)]
_FoldsFile = Annotated[Path | None, typer.Option(help="A table instead: sample, fold.")]
_GeneFolds = Annotated[int, typer.Option(help="Folds of genes, of --design genes.", min=1)]
_Members = Annotated[str, typer.Option(help="Learners with commas; default: all.")]
_Metas = Annotated[str, typer.Option(help="stack_linear, stack_xgboost; default: both.")]
_Normalise = Annotated[
    Literal["z", "quantile", "none"], typer.Option(help="Of features, by training people.")
]
_Window = Annotated[int, typer.Option(help="Bases on both sides of the TSS.", min=0)]
_Side = Annotated[int | None, typer.Option(help="Bases on this side; default: --window.", min=0)]
_Maf = Annotated[float, typer.Option(help="Least frequency of the minor allele.", min=0, max=0.5)]
_Gene = Annotated[list[str] | None, typer.Option(help="Only this gene, by id; repeatable.")]
_Samples = Annotated[
    str | None, typer.Option(help="People: a file with one a line, or names with commas.")
]
_Fasta = Annotated[Path | None, typer.Option(help="Genome, to check REF alleles against.")]
_Genes = Annotated[Path | None, typer.Option(help="GTF, GFF3 or BED: strands, for uneven windows.")]
_ChromStyle = Annotated[
    str, typer.Option(help="auto, or two columns: name in the genotypes, name in the others.")
]
_Ledger = Annotated[list[Path] | None, typer.Option(help="What features learned from; repeatable.")]
_AllowLeak = Annotated[
    bool, typer.Option("--allow-leak", help="Judge features that saw the judged; stamped.")
]
_Set = Annotated[list[str] | None, typer.Option("--set", help="key=value of the stack.")]
_Threads = Annotated[int, typer.Option(help="Of the matrix products, which are small.", min=1)]
_Seed = Annotated[int, typer.Option(help="Of folds and learners.", min=0)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "stack",
        epilog="Example: exprimo stack --expression E.bed.gz --features P.parquet "
        "--genotypes G.vcf.gz -o STACK",
    )(_stack)


def _stack(
    expression: _Expression,
    out: _Out,
    features: _Features = None,
    cis_feature: _CisFeature = None,
    genotypes: _Genotypes = None,
    covariates: _Covariates = None,
    design: _Design = "gene",
    folds: _Folds = 5,
    folds_file: _FoldsFile = None,
    gene_folds: _GeneFolds = 5,
    members: _Members = "",
    metas: _Metas = "",
    normalise: _Normalise = "z",
    transform: _Transform = None,
    hidden: _Hidden = "0",
    window: _Window = 1_000_000,
    upstream: _Side = None,
    downstream: _Side = None,
    maf: _Maf = 0.01,
    gene: _Gene = None,
    samples: _Samples = None,
    fasta: _Fasta = None,
    genes: _Genes = None,
    chrom_style: _ChromStyle = "auto",
    ledger: _Ledger = None,
    allow_leak: _AllowLeak = False,
    override: _Set = None,
    seed: _Seed = 0,
    threads: _Threads = 1,
    as_json: Json = False,
) -> None:
    """Stack learners on features of people, nested and out of fold."""
    import exprimo
    from exprimo.genetics.stacking.writing import as_plain

    settings: dict[str, Any] = {
        "normalise": normalise, "cis_features": tuple(cis_feature or ()),
        "transforms": tuple(transform or ()), "hidden": hidden_factors(hidden),
    }  # fmt: skip
    named = ("members", "metas", *settings)
    learners = {"members": listed(members), "metas": listed(metas)}
    settings |= {name: words for name, words in learners.items() if words}
    settings_from(settings, override or (), named)
    nearby = {
        "upstream": window if upstream is None else upstream,
        "downstream": window if downstream is None else downstream, "maf": maf,
    }  # fmt: skip
    with bars():
        done: StackDone = exprimo.stack(
            expression, features or (), out, genotypes=genotypes, covariates=covariates,
            design=design, folds=folds, folds_file=folds_file, gene_folds=gene_folds,
            ledgers=ledger or (), allow_leak=allow_leak, gene=tuple(gene or ()),
            samples=people(samples), fasta=fasta, genes=genes, chrom_style=chrom_style,
            rivals=nearby, seed=seed, threads=threads, **settings,
        )  # fmt: skip
    say(list(_told(done)), as_plain(done), as_json=as_json)


def _told(done: StackDone) -> Iterator[str]:
    if done.leaks:
        bar = "!" * 78
        yield from (bar, f"LEAK ALLOWED: {'; '.join(done.leaks)}", bar)
    yield (
        f"Wrote {done.path}: {counted(done.n_genes, 'gene')}, {counted(done.n_people, 'person')} "
        f"in {counted(done.n_folds, 'fold')}, {counted(done.n_features, 'feature')}"
    )
    for reason, count in done.dropped.items():
        yield f"  left out: {count:,} ({reason})"
    rows = [
        [
            name,
            number(one.r2.value),
            between(one.r2.low, one.r2.high),
            between(one.r2_people.low, one.r2_people.high),
            number(one.pearson_r.value),
            between(one.pearson_r.low, one.pearson_r.high),
            between(one.pearson_r_people.low, one.pearson_r_people.high),
        ]
        for name, one in done.scores.items()
    ]
    header = ["predictor", "R²", "over genes", "over people", "r", "over genes", "over people"]
    yield from table(rows, header)
    yield (
        "R² is 1 - RSS/TSS against the training mean, r the mean within folds; "
        "means over genes, 95% intervals"
    )
    yield from done.notes
    yield f"  next: R² and r of each gene are in {done.path / 'genes.parquet'}"

"""The commands of polygenic scores: prs fit, prs score."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exprimo.cli.individuals.haplotypes import people
from exprimo.cli.modelling import listed
from exprimo.cli.output import between, counted, number, say, table
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

if TYPE_CHECKING:
    from exprimo.genetics.scores.fitting import FittedScores
    from exprimo.genetics.scores.scoring import ScoredPeople

Genotypes = Annotated[Path, typer.Option(help="VCF, BCF, PLINK 1 or PLINK 2 (prefix or any file).")]
Expression = Annotated[
    Path, typer.Option(help="Expression BED: #chr, start, end, gene_id, a column a person.")
]
Covariates = Annotated[
    Path | None, typer.Option(help="A row or a column for each person; no intercept.")
]
Out = Annotated[Path, typer.Option("-o", "--out", help="A new folder.")]
Folds = Annotated[int, typer.Option(help="Each part of the people is predicted by the others.")]
FoldsFile = Annotated[Path | None, typer.Option(help="A table instead: sample, fold.")]
Samples = Annotated[
    str | None, typer.Option(help="People: a file with one a line, or names with commas.")
]
Fasta = Annotated[Path | None, typer.Option(help="Genome, to check REF alleles against.")]
Genes = Annotated[Path | None, typer.Option(help="GTF, GFF3 or BED: strands, for uneven windows.")]
ChromStyle = Annotated[
    str, typer.Option(help="auto, or two columns: name in the genotypes, name in the others.")
]
Models = Annotated[str, typer.Option(help="With commas: baseline, p+t, elastic_net.")]
Window = Annotated[int, typer.Option(help="Bases on both sides of the TSS.", min=0)]
Side = Annotated[int | None, typer.Option(help="Bases on this side; default: --window.", min=0)]
Maf = Annotated[float, typer.Option(help="Least frequency of the minor allele.", min=0, max=0.5)]
Gene = Annotated[list[str] | None, typer.Option(help="Only this gene, by id; repeatable.")]
PGrid = Annotated[str, typer.Option(help="Thresholds of p that P+T chooses from, with commas.")]
R2Grid = Annotated[str, typer.Option(help="Thresholds of r² that P+T chooses from, with commas.")]
ClumpWindow = Annotated[int, typer.Option(help="Clumps reach so many bases.", min=0)]
Measure = Annotated[
    Literal["haplotype", "counts"],
    typer.Option(help="Which r²: of estimated haplotypes (as PLINK 1.9 clumps), or of copies."),
]
Seed = Annotated[int, typer.Option(help="Of the folds.", min=0)]
Transform = Annotated[
    list[str] | None,
    typer.Option(help="log2, zscore, inverse_normal, quantile: by training people; repeatable."),
]
Hidden = Annotated[
    str, typer.Option(help="Hidden factors of expression, by training people: a number or auto.")
]
Heritable = Annotated[bool, typer.Option(help="Estimate cis-heritability too, from all people.")]
Threads = Annotated[int, typer.Option(help="Of the matrix products, which are small.", min=1)]
WeightsFile = Annotated[
    Path,
    typer.Argument(help="Folder of prs fit, PredictDB, FUSION exported as text, PGS Catalog file."),
]
AnyExpression = Annotated[
    Path | None, typer.Option(help="Judge the scores on this: expression BED, or genes by people.")
]
ScoreCovariates = Annotated[
    Path | None,
    typer.Option("--covariates", help="Taken out of --expression first, as prs fit does."),
]
ScoreFolds = Annotated[
    Path | None, typer.Option(help="A table sample, fold: score each by weights of the others.")
]
Which = Annotated[str, typer.Option(help="Only these models, with commas.")]
Missing = Annotated[
    Literal["mean", "skip"], typer.Option(help="A missing dosage is the mean, or left out.")
]
Palindromic = Annotated[
    Literal["auto", "drop", "keep"],
    typer.Option(help="A/T and C/G variants; auto: kept for weights of prs fit only."),
]
AllowLeak = Annotated[
    bool, typer.Option("--allow-leak", help="Judge people that the weights were learned from.")
]


def register(app: typer.Typer) -> typer.Typer:
    """Add the group and its commands; give the group, for more commands."""
    group = typer.Typer(no_args_is_help=True, help="Fit polygenic scores of genes, and score.")
    app.add_typer(group, name="prs")
    group.command(
        "fit",
        epilog="Example: exprimo prs fit --genotypes G.vcf.gz --expression E.bed.gz "
        "--covariates C.tsv -o SCORES",
    )(_fit)
    group.command(
        "score",
        epilog="Example: exprimo prs score SCORES --genotypes G.vcf.gz -o SCORED",
    )(_score)
    return group


def _fit(
    genotypes: Genotypes,
    expression: Expression,
    out: Out,
    covariates: Covariates = None,
    models: Models = "baseline,p+t,elastic_net",
    window: Window = 1_000_000,
    upstream: Side = None,
    downstream: Side = None,
    maf: Maf = 0.01,
    gene: Gene = None,
    p: PGrid = "1e-6,1e-4,1e-3,0.01,0.05,0.2,1",
    r2: R2Grid = "0.1,0.3,0.6",
    clump_window: ClumpWindow = 250_000,
    measure: Measure = "haplotype",
    transform: Transform = None,
    hidden: Hidden = "0",
    folds: Folds = 5,
    folds_file: FoldsFile = None,
    samples: Samples = None,
    fasta: Fasta = None,
    genes: Genes = None,
    chrom_style: ChromStyle = "auto",
    heritability: Heritable = True,
    seed: Seed = 0,
    threads: Threads = 1,
    as_json: Json = False,
) -> None:
    """Fit scores of genes inside each fold's training people; judge them on the others."""
    import exprimo

    settings: dict[str, Any] = {
        "models": listed(models),
        "upstream": window if upstream is None else upstream,
        "downstream": window if downstream is None else downstream,
        "maf": maf, "gene": tuple(gene or ()), "folds": folds, "folds_file": folds_file,
        "seed": seed, "heritability": heritability, "transforms": tuple(transform or ()),
        "hidden": hidden_factors(hidden),
        "polygenic": {
            "p": _numbers(p, "p"), "r2": _numbers(r2, "r2"), "clump_window": clump_window,
            "measure": measure, "seed": seed,
        },
    }  # fmt: skip
    with bars():
        done: FittedScores = exprimo.prs_fit(
            genotypes, expression, out, covariates=covariates, samples=people(samples),
            fasta=fasta, genes=genes, chrom_style=chrom_style, threads=threads,
            **settings,
        )  # fmt: skip
    say(list(_told_fit(done)), done._asdict(), as_json=as_json)


def _score(
    weights: WeightsFile,
    genotypes: Genotypes,
    out: Out,
    models: Which = "",
    expression: AnyExpression = None,
    covariates: ScoreCovariates = None,
    folds_file: ScoreFolds = None,
    missing: Missing = "mean",
    palindromic: Palindromic = "auto",
    samples: Samples = None,
    fasta: Fasta = None,
    chrom_style: ChromStyle = "auto",
    allow_leak: AllowLeak = False,
    as_json: Json = False,
) -> None:
    """Score people: copies of effect alleles times weights."""
    import exprimo

    with bars():
        done: ScoredPeople = exprimo.prs_score(
            weights, genotypes, out, samples=people(samples), models=listed(models),
            expression=expression, covariates=covariates, folds_file=folds_file, missing=missing,
            palindromic=None if palindromic == "auto" else palindromic,
            fasta=fasta, chrom_style=chrom_style, allow_leak=allow_leak,
        )  # fmt: skip
    say(list(_told_score(done)), done._asdict(), as_json=as_json)


def _told_fit(done: FittedScores) -> Iterator[str]:
    yield (
        f"Wrote scores of {counted(done.n_genes, 'gene')} in {counted(done.n_people, 'person')} "
        f"to {done.path}"
    )
    rows = [
        [
            model, number(found["r2"]), between(found["low"], found["high"]),
            number(found["median_r2"]), number(found["pearson_r"]), f"{found['n_nothing']:,}",
        ]
        for model, found in done.models.items()
    ]  # fmt: skip
    head = ("model", "mean R²", "95% interval", "median R²", "mean r", "nothing selected")
    yield from table(rows, head)
    yield "  in people left out; a gene of which nothing was selected is 0 and counts"
    if done.heritability is not None:
        found = done.heritability
        genes = counted(int(found["n_genes"]), "gene")
        yield (
            f"  cis-heritability: mean {number(found['h2'])} "
            f"(95% interval {between(found['low'], found['high'])}) over {genes}, "
            "estimated from all people: it describes them and predicts nobody"
        )
    yield from (f"  left out: {count:,} ({reason})" for reason, count in done.dropped.items())
    yield from (f"  {note}" for note in done.notes)
    yield (
        f"  next: exprimo prs score {done.path} (other people), exprimo eqtl twas --weights "
        f"{done.path} (genes of a GWAS)"
    )


def _told_score(done: ScoredPeople) -> Iterator[str]:
    yield (
        f"Wrote {counted(done.n_scores, 'score')} of {counted(done.n_people, 'person')} "
        f"to {done.path} ({done.kind} weights)"
    )
    yield from (f"  {counted(count, 'weight')}: {what}" for what, count in done.weights.items())
    if done.learned_from is None:
        yield "  the weights do not tell whom they were learned from"
    elif done.learned_from:
        yield f"  the weights were learned from {done.learned_from:,} of these people"
    for model, found in done.models.items():
        r2 = f"R² {number(found['r2'])}, " if "r2" in found else ""
        genes = counted(int(found["n_genes"]), "gene")
        yield f"  {model}: {r2}r {number(found.get('pearson_r'))}, means over {genes}"
    if done.leaks:
        yield f"  LEAK: judged on {done.leaks:,} people that the weights were learned from"
    yield from (f"  {note}" for note in done.notes)
    yield f"  next: exprimo stack --features {done.path / 'scores.parquet'} (with other features)"


def hidden_factors(text: str) -> int | Literal["auto"]:
    """Read the number of hidden factors.

    Examples
    --------
    >>> hidden_factors("3"), hidden_factors("auto")
    (3, 'auto')
    """
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise ConfigError(
            "not a number of hidden factors", record="hidden", found=text, expected="3, or auto"
        )
    return int(text)


def _numbers(text: str, name: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in listed(text))
    except ValueError:
        raise ConfigError(
            "not a list of numbers", record=name, found=text, expected="such as 0.1,0.5"
        ) from None

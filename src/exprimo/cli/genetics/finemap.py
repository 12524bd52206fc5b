"""The command that fine-maps: eqtl finemap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exprimo.cli.individuals.haplotypes import people
from exprimo.cli.modelling import Threads
from exprimo.cli.output import counted, say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

if TYPE_CHECKING:
    from exprimo.genetics.finemap import FineMapped, SummaryMapped

Genotypes = Annotated[
    Path, typer.Option(help="VCF, BCF, PLINK 1 or PLINK 2; with --summary: whose LD is taken.")
]
Out = Annotated[Path, typer.Option("-o", "--out", help="A new folder.")]
Expression = Annotated[
    Path | None,
    typer.Option(help="Expression BED: #chr, start, end, gene_id, a column a person."),
]
Covariates = Annotated[
    Path | None, typer.Option(help="A row or a column for each person; no intercept.")
]
Summary = Annotated[
    Path | None, typer.Option(help="Instead of --expression: a table of associations.")
]
Region = Annotated[str | None, typer.Option(help="With --summary: chrom:first-last, from 1.")]
People = Annotated[float | None, typer.Option("--n", help="With --summary: people studied.")]
InSample = Annotated[
    bool, typer.Option("--in-sample", help="With --summary: LD is of the people studied.")
]
Shrink = Annotated[
    str, typer.Option(help="With --summary: share of no LD that is mixed in, 0 to 1, or auto.")
]
Ambiguous = Annotated[
    Literal["drop", "keep"], typer.Option(help="A/T and C/G, whose strand letters do not tell.")
]
Column = Annotated[
    list[str] | None, typer.Option(help="MEANING=COLUMN of the table, as effect_allele=A1.")
]
Gene = Annotated[list[str] | None, typer.Option(help="Only this gene, by id; repeatable.")]
EGenes = Annotated[
    Path | None, typer.Option(help="Folder of eqtl map: only genes with an eQTL (--fdr).")
]
Fdr = Annotated[float, typer.Option(help="Largest q-value of --egenes.", min=0, max=1)]
Effects = Annotated[int, typer.Option(help="Most causal variants of a gene (L).", min=1)]
Coverage = Annotated[float, typer.Option(help="Of a credible set.", min=0, max=1)]
Purity = Annotated[float, typer.Option(help="Least |r| within a credible set.", min=0, max=1)]
MinPip = Annotated[
    float, typer.Option(help="Variants in no set are written from this on.", min=0, max=1)
]
Like = Annotated[
    Literal["tensorqtl", "susier"] | None,
    typer.Option(help="Settings that give this program's numbers."),
]
Window = Annotated[int, typer.Option(help="Bases on both sides of the TSS.", min=0)]
Side = Annotated[int | None, typer.Option(help="Bases on this side; default: --window.", min=0)]
Maf = Annotated[float, typer.Option(help="Least frequency of the minor allele.", min=0, max=0.5)]
Folds = Annotated[int | None, typer.Option(help="Map the training people of so many folds.", min=2)]
FoldsFile = Annotated[Path | None, typer.Option(help="A table instead: sample, fold.")]
Samples = Annotated[
    str | None, typer.Option(help="People: a file with one a line, or names with commas.")
]
Fasta = Annotated[Path | None, typer.Option(help="Genome, to check REF alleles against.")]
OnRefMismatch = Annotated[
    Literal["error", "skip", "swap"], typer.Option(help="Where REF is not what --fasta has.")
]
ChromStyle = Annotated[
    str, typer.Option(help="auto, or two columns: name in the genotypes, name in the others.")
]
Seed = Annotated[int, typer.Option(help="Of folds.", min=0)]


def register(group: typer.Typer) -> None:
    """Add the command to the group eqtl."""
    group.command(
        "finemap",
        epilog="Example: exprimo eqtl finemap --genotypes G.vcf.gz --expression E.bed.gz "
        "--egenes EQTL -o FINEMAP",
    )(_finemap)


def _finemap(
    genotypes: Genotypes,
    out: Out,
    expression: Expression = None,
    covariates: Covariates = None,
    summary: Summary = None,
    region: Region = None,
    n: People = None,
    in_sample: InSample = False,
    shrink: Shrink = "0",
    ambiguous: Ambiguous = "drop",
    column: Column = None,
    gene: Gene = None,
    egenes: EGenes = None,
    fdr: Fdr = 0.05,
    effects: Effects = 10,
    coverage: Coverage = 0.95,
    min_purity: Purity = 0.5,
    min_pip: MinPip = 0.001,
    like: Like = None,
    window: Window = 1_000_000,
    upstream: Side = None,
    downstream: Side = None,
    maf: Maf = 0.01,
    folds: Folds = None,
    folds_file: FoldsFile = None,
    samples: Samples = None,
    fasta: Fasta = None,
    on_ref_mismatch: OnRefMismatch = "error",
    chrom_style: ChromStyle = "auto",
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Fine-map with SuSiE: probabilities of variants, and credible sets."""
    common: dict[str, Any] = {
        "effects": effects, "coverage": coverage, "min_purity": min_purity, "min_pip": min_pip,
        "samples": people(samples), "like": like,
    }  # fmt: skip
    if summary is not None and expression is None:
        common |= {
            "n": n, "in_sample": in_sample, "shrink": _share(shrink), "ambiguous": ambiguous,
            "columns": named_columns(column),
        }  # fmt: skip
        mapped = _of_summary(summary, genotypes, out, region, gene, common)
        say(list(_told_summary(mapped, ambiguous)), mapped._asdict(), as_json=as_json)
        return
    if expression is None or summary is not None:
        raise _unclear()
    import exprimo

    with bars():
        done = exprimo.eqtl_finemap(
            genotypes, expression, out, covariates=covariates, fasta=fasta, gene=gene or (),
            on_ref_mismatch=on_ref_mismatch, egenes=egenes, fdr=fdr, chrom_style=chrom_style,
            folds=folds, folds_file=folds_file, seed=seed, threads=threads, maf=maf,
            upstream=window if upstream is None else upstream,
            downstream=window if downstream is None else downstream, **common,
        )  # fmt: skip
    say(list(_told(done, coverage)), done._asdict(), as_json=as_json)


def _unclear() -> ConfigError:
    return ConfigError(
        "neither expression nor associations, or both",
        expected="--expression BED, or --summary TABLE with --region",
    )


def _of_summary(
    summary: Path,
    genotypes: Path,
    out: Path,
    region: str | None,
    gene: list[str] | None,
    settings: dict[str, Any],
) -> SummaryMapped:
    from exprimo.genetics.finemap import finemap_summary

    if region is None:
        raise ConfigError("no region", expected="--region chrom:first-last")
    if gene is not None and len(gene) > 1:
        raise ConfigError("one gene at a time with --summary", found=", ".join(gene))
    one = gene[0] if gene else None
    with bars():
        return finemap_summary(summary, genotypes, out, region=region, gene=one, **settings)


def named_columns(pairs: list[str] | None) -> dict[str, str]:
    """Take MEANING=COLUMN apart.

    Examples
    --------
    >>> named_columns(["beta=LOGODDS"])
    {'beta': 'LOGODDS'}
    """
    named = {}
    for pair in pairs or ():
        meaning, equals, column = pair.partition("=")
        if not (meaning and equals and column):
            raise ConfigError("not a column", found=pair, expected="MEANING=COLUMN")
        named[meaning] = column
    return named


def _share(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise ConfigError(
            "not a share", record="--shrink", found=text, expected="0 to 1, or auto"
        ) from None


def _told(done: FineMapped, coverage: float) -> Iterator[str]:
    yield (
        f"Wrote {done.path}: {counted(done.n_sets, 'credible set')} ({coverage:.0%}) of "
        f"{done.n_mapped:,} of {counted(done.n_genes, 'gene')}, {counted(done.n_people, 'person')}"
    )
    if done.n_folds:
        yield f"  mapped in the training people of {counted(done.n_folds, 'fold')}, each by itself"
    if done.n_sets:
        yield f"  the median set has {done.median_size:g} variants"
    if done.n_sets_dropped:
        yield f"  left out: {_impure(done.n_sets_dropped)}"
    if done.n_not_converged:
        yield f"  {counted(done.n_not_converged, 'fit')} did not converge"
    for reason, count in done.dropped.items():
        yield f"  left out: {count:,} {reason}"
    left_out = [f"{n:,} {why}" for why, n in done.variants.items() if n and why != "read"]
    yield f"  {counted(done.variants.get('read', 0), 'variant')} read" + (
        f"; left out: {', '.join(left_out)}" if left_out else ""
    )
    if done.n_sets and not done.n_folds:
        yield f"Next: exprimo eqtl coloc --signals {done.path} --gwas TRAIT.tsv.gz -o COLOC"


def _told_summary(done: SummaryMapped, ambiguous: Literal["drop", "keep"]) -> Iterator[str]:
    yield (
        f"Wrote {done.path}: {counted(done.n_sets, 'credible set')} among "
        f"{counted(done.n_variants, 'variant')}"
    )
    yield f"  lambda of LD against z-scores: {done.ld_shrinkage:.3f} (0: fits)"
    if done.n_sets_dropped:
        yield f"  left out: {_impure(done.n_sets_dropped)}"
    if not done.converged:
        yield "  the fit did not converge"
    yield from told_matches(done.counts, ambiguous=ambiguous)
    yield from (f"  {note}" for note in done.notes)
    if done.n_sets:
        yield f"Next: exprimo eqtl coloc --signals FINEMAP --gwas-signals {done.path} -o COLOC"


def _impure(n: int) -> str:
    return f"{counted(n, 'set')} of variants that are not in LD (--min-purity)"


def told_matches(
    counts: Mapping[str, int], *, ambiguous: Literal["drop", "keep"], of: str = "variants"
) -> Iterator[str]:
    """Say of each count whether it was kept; what is not of matching was left out.

    Examples
    --------
    >>> list(told_matches({"alleles differ": 3, "matched": 9}, ambiguous="drop"))
    ['  kept: 9 variants in both', '  left out: 3 variants whose alleles differ']
    """
    unclear = "left out" if ambiguous == "drop" else "among these"
    told = {
        "matched": f"  kept: {{n:,}} {of} in both",
        "swapped alleles": "  among these: {n:,} with swapped alleles, their signs turned",
        "other strand": "  among these: {n:,} on the other strand",
        "ambiguous alleles": f"  {unclear}: {{n:,}} {of} of A/T or C/G, or without alleles",
        "alleles differ": f"  left out: {{n:,}} {of} whose alleles differ",
        "several partners": f"  left out: {{n:,}} {of} that several rows fit",
    }
    # Matches go before what is among them.
    for reason in sorted(counts, key=lambda one: list(told).index(one) if one in told else 99):
        if counts[reason]:
            yield told.get(reason, f"  left out: {{n:,}} {reason}").format(n=counts[reason])

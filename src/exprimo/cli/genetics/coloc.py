"""Commands from expression to a trait: eqtl coloc, eqtl twas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from exprimo.cli.genetics.finemap import named_columns, told_matches
from exprimo.cli.individuals.haplotypes import people
from exprimo.cli.output import counted, say, table
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError, InputError

if TYPE_CHECKING:
    from exprimo.genetics.coloc import Colocalised, Twas

Gwas = Annotated[Path, typer.Option(help="Associations with a trait: TSV, CSV or parquet.")]
Eqtl = Annotated[
    Path | None, typer.Option(help="Associations with expression: folder of eqtl map, or a table.")
]
Trait = Annotated[
    Path | None,
    typer.Option("--gwas", help="Associations with a trait: TSV, CSV or parquet."),
]
Signals = Annotated[
    Path | None,
    typer.Option(help="In place of --eqtl: folder of eqtl finemap, whose sets are the signals."),
]
GwasSignals = Annotated[
    Path | None,
    typer.Option(help="In place of --gwas: folder of eqtl finemap --summary, or of a tissue."),
]
Out = Annotated[Path, typer.Option("-o", "--out", help="A new folder.")]
Gene = Annotated[list[str] | None, typer.Option(help="Only this gene, by id; repeatable.")]
Region = Annotated[str | None, typer.Option(help="Only chrom:first-last, from 1.")]
Kind = Annotated[
    Literal["quantitative", "case-control"], typer.Option("--trait", help="What the trait is.")
]
CaseShare = Annotated[float | None, typer.Option(help="Cases / people of the GWAS.")]
EqtlN = Annotated[float | None, typer.Option(help="People of the eQTLs, where not told.")]
GwasN = Annotated[float | None, typer.Option(help="People of the GWAS, where not told.")]
EqtlSd = Annotated[
    float | None, typer.Option(help="Standard deviation of expression; 1: inverse-normal.")
]
GwasSd = Annotated[float | None, typer.Option(help="Standard deviation of the trait.")]
P1 = Annotated[float, typer.Option("--p1", help="Prior: causal for expression alone.")]
P2 = Annotated[float, typer.Option("--p2", help="Prior: causal for the trait alone.")]
P12 = Annotated[float, typer.Option("--p12", help="Prior: causal for both.")]
EqtlColumn = Annotated[
    list[str] | None, typer.Option(help="MEANING=COLUMN of the eQTLs; repeatable.")
]
GwasColumn = Annotated[
    list[str] | None, typer.Option(help="MEANING=COLUMN of the GWAS, as beta=LOGODDS; repeatable.")
]
Weights = Annotated[Path, typer.Option(help="Folder of prs fit, PredictDB, or FUSION as a table.")]
LdPanel = Annotated[Path, typer.Option("--panel", help="Genotypes that LD is taken from.")]
Model = Annotated[str | None, typer.Option(help="Of a gene's several models, this one.")]
Samples = Annotated[
    str | None, typer.Option(help="Of the panel: a file with one a line, or names with commas.")
]
Ambiguous = Annotated[
    Literal["drop", "keep"], typer.Option(help="A/T and C/G, whose strand letters do not tell.")
]


def register(group: typer.Typer) -> None:
    """Add the commands to the group eqtl."""
    group.command(
        "coloc",
        epilog="Example: exprimo eqtl coloc --eqtl EQTL --gwas alzheimer.tsv.gz "
        "--trait case-control -o COLOC",
    )(_coloc)
    group.command(
        "twas",
        epilog="Example: exprimo eqtl twas --weights SCORES --gwas alzheimer.tsv.gz "
        "--panel G.vcf.gz -o TWAS",
    )(_twas)


def _coloc(
    out: Out,
    eqtl: Eqtl = None,
    gwas: Trait = None,
    signals: Signals = None,
    gwas_signals: GwasSignals = None,
    gene: Gene = None,
    region: Region = None,
    kind: Kind = "quantitative",
    case_share: CaseShare = None,
    eqtl_n: EqtlN = None,
    gwas_n: GwasN = None,
    eqtl_sd: EqtlSd = None,
    gwas_sd: GwasSd = None,
    p1: P1 = 1e-4,
    p2: P2 = 1e-4,
    p12: P12 = 1e-5,
    eqtl_column: EqtlColumn = None,
    gwas_column: GwasColumn = None,
    as_json: Json = False,
) -> None:
    """Ask of each gene whether its eQTL and a trait share a causal variant."""
    import exprimo
    from exprimo.genetics.coloc import Trait as Kinds

    first = _one(eqtl, signals, "eqtl", "signals")
    second = _one(gwas, gwas_signals, "gwas", "gwas-signals")
    with bars():
        done = exprimo.eqtl_coloc(
            first, second, out, gene=gene or (), region=region,
            eqtl_trait=Kinds("quantitative", eqtl_n, eqtl_sd),
            gwas_trait=Kinds(kind, gwas_n, gwas_sd, case_share),
            p1=p1, p2=p2, p12=p12, eqtl_columns=named_columns(eqtl_column),
            gwas_columns=named_columns(gwas_column),
        )  # fmt: skip
    say(list(_told_coloc(done)), done._asdict(), as_json=as_json)


def _one(table: Path | None, folder: Path | None, *options: str) -> Path:
    """Give the one that was given; of fine-mapping, the folder must be one."""
    if table is not None and folder is None:
        return table
    if table is not None or folder is None:
        raise ConfigError(
            "one of two options is needed", found="both" if table else "neither",
            expected=" or ".join(f"--{name}" for name in options),
        )  # fmt: skip
    if not (folder / "credible_sets.parquet").is_file():
        raise InputError(
            "not a folder of fine-mapping", file=folder, expected="credible_sets.parquet",
            remedy="Run exprimo eqtl finemap",
        )  # fmt: skip
    return folder


def _told_coloc(done: Colocalised) -> Iterator[str]:
    yield (
        f"Wrote {done.path}: of {counted(done.n_genes, 'gene')} {done.n_shared:,} share a causal "
        f"variant with the trait (H4 at 0.8), {done.n_distinct:,} have another (H3)"
    )
    if done.n_pairs > done.n_genes:
        yield f"  {counted(done.n_pairs, 'pair')} of signals; a gene's best by H4 is counted"
    yield from table([[gene, f"{h4:.3f}"] for gene, h4 in done.best], ["gene", "H4"])
    yield from told_matches(done.counts, ambiguous="keep", of="variants (summed over genes)")
    yield "Next: other priors, such as --p12 1e-6: H4 depends on it"


def _twas(
    weights: Weights,
    gwas: Gwas,
    panel: LdPanel,
    out: Out,
    model: Model = None,
    gene: Gene = None,
    samples: Samples = None,
    gwas_column: GwasColumn = None,
    ambiguous: Ambiguous = "drop",
    as_json: Json = False,
) -> None:
    """Associate predicted expression with a trait from its summary statistics."""
    import exprimo

    with bars():
        done = exprimo.eqtl_twas(
            weights, gwas, panel, out, model=model, gene=gene or (), samples=people(samples),
            gwas_columns=named_columns(gwas_column), ambiguous=ambiguous,
        )  # fmt: skip
    say(list(_told_twas(done, gwas)), done._asdict(), as_json=as_json)


def _told_twas(done: Twas, gwas: Path) -> Iterator[str]:
    yield (
        f"Wrote {done.path}: {counted(done.n_genes, 'score')} tested, {done.n_significant:,} "
        "significant at 0.05 after Bonferroni"
    )
    rows = [[gene, model, f"{z:.2f}", f"{p:.2g}"] for gene, model, z, p in done.best]
    yield from table(rows, ["gene", "model", "z", "p"])
    for reason, count in done.counts.items():
        yield f"  left out: {count:,} {reason}"
    yield f"Next: exprimo eqtl coloc --eqtl EQTL --gwas {gwas} -o COLOC (LD alone can give a hit)"

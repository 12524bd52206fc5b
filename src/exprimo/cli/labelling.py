"""Commands that make labels: dge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "dge",
        epilog='Example: exprimo dge counts.tsv samples.csv --design "~ status" '
        "--contrast status IS C -o DGE",
    )(_dge)


def _dge(
    counts: Annotated[
        Path, typer.Argument(help="Counts: a table, HTSeq files, salmon or kallisto folders.")
    ],
    samples: Annotated[Path, typer.Argument(help="Sample sheet, TSV or CSV.")],
    design: Annotated[str, typer.Option(help='Formula, such as "~ batch + status".')],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")],
    contrast: Annotated[
        tuple[str, str, str] | None,
        typer.Option(
            help="Factor, numerator, denominator.", metavar="FACTOR LEVEL LEVEL", show_default=False
        ),
    ] = None,
    coefficient: Annotated[
        str | None, typer.Option(help="Test one coefficient by name: a measurement, interaction.")
    ] = None,
    alpha: Annotated[
        float, typer.Option(help="False discovery rate that the filter serves; R's default.")
    ] = 0.1,
    lfc: Annotated[float, typer.Option(help="Call genes beyond this log2 fold change,")] = 2.0,
    padj: Annotated[float, typer.Option(help="with an adjusted p-value below this.")] = 0.05,
    reduced: Annotated[
        str | None, typer.Option(help="Smaller design: test by likelihood ratio.")
    ] = None,
    lfc_null: Annotated[float, typer.Option(help="Threshold inside the null hypothesis.")] = 0.0,
    alternative: Annotated[
        Literal["greaterAbs", "lessAbs", "greater", "less"], typer.Option(help="To that null.")
    ] = "greaterAbs",
    shrink: Annotated[bool, typer.Option("--shrink", help="Add shrunken fold changes.")] = False,
    size_factors: Annotated[
        Literal["ratio", "poscounts", "iterative"], typer.Option(help="How samples are scaled.")
    ] = "ratio",
    trend: Annotated[
        Literal["parametric", "local", "mean"], typer.Option(help="Form of the dispersion trend.")
    ] = "parametric",
    reference: Annotated[
        list[str] | None, typer.Option(help="FACTOR=LEVEL that others are compared with.")
    ] = None,
    as_factor: Annotated[
        list[str] | None, typer.Option(help="Column of numbers that stand for groups.")
    ] = None,
    more_counts: Annotated[
        list[Path] | None, typer.Option(help="Further samples of the same genes; repeatable.")
    ] = None,
    round_fractions: Annotated[
        bool, typer.Option("--round", help="Round estimated counts.")
    ] = False,
    transcripts: Annotated[
        Path | None, typer.Option(help="For salmon, kallisto: transcript and gene, or a GTF.")
    ] = None,
    ignore_version: Annotated[
        bool, typer.Option("--ignore-version", help="Drop versions of transcript ids.")
    ] = False,
    outliers: Annotated[
        bool, typer.Option(help="Withhold p-values of genes with an outlying count.")
    ] = True,
    replace_outliers: Annotated[
        bool, typer.Option(help="Replace outliers in groups of seven samples or more.")
    ] = True,
    filtering: Annotated[
        bool, typer.Option("--filter/--no-filter", help="Leave weakly expressed genes out.")
    ] = True,
    blind: Annotated[bool, typer.Option(help="Stabilise the variance without the design.")] = True,
    threads: Annotated[int | None, typer.Option(help="CPU threads; unset: all.")] = None,
    as_json: Json = False,
) -> None:
    """Find differentially expressed genes, with DESeq2's semantics, and label them."""
    import exprimo

    if contrast is not None and coefficient is not None:
        raise ConfigError(
            "a contrast and a coefficient are both given",
            found=f"--contrast {' '.join(contrast)} --coefficient {coefficient}",
            expected="one question",
            remedy="Leave one of them out",
        )
    question = contrast if contrast is not None else (coefficient,) if coefficient else ()
    with bars():
        done = exprimo.dge(
            [counts, *(more_counts or ())],
            samples,
            out,
            round_fractions=round_fractions,
            transcripts=transcripts,
            ignore_version=ignore_version,
            design=design,
            contrast=question,
            reference=_references(reference or ()),
            factors=tuple(as_factor or ()),
            reduced=reduced,
            size_factors=size_factors,
            trend=trend,
            alpha=alpha,
            lfc=lfc,
            padj=padj,
            lfc_null=lfc_null,
            alternative=alternative,
            shrink=shrink,
            outliers=outliers,
            replace_outliers=replace_outliers,
            filter=filtering,
            blind=blind,
            threads=threads,
        )
    facts = {"path": done.path, "results": done.results, "labels": done.labels, **done.summary}
    say(done.lines, facts, as_json=as_json)


def _references(pairs: list[str] | tuple[str, ...]) -> dict[str, str]:
    chosen = {}
    for pair in pairs:
        factor, sign, level = pair.partition("=")
        if not sign or not factor or not level:
            raise ConfigError(
                "not a reference level", found=pair, expected="FACTOR=LEVEL, such as status=C"
            )
        chosen[factor] = level
    return chosen

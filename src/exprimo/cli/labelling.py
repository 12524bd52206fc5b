"""Commands that make labels: dge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

Contrast = Annotated[
    tuple[str, str, str] | None,
    typer.Option(
        help="Factor, numerator, denominator.", metavar="FACTOR LEVEL LEVEL", show_default=False
    ),
]
Coefficient = Annotated[
    str | None, typer.Option(help="Test one coefficient by name: a measurement, interaction.")
]
Alpha = Annotated[
    float, typer.Option(help="False discovery rate that the filter serves; R's default.")
]
Reduced = Annotated[str | None, typer.Option(help="Smaller design: test by likelihood ratio.")]
Alternative = Annotated[
    Literal["greaterAbs", "lessAbs", "greater", "less"], typer.Option(help="To that null.")
]
SizeFactors = Annotated[
    Literal["ratio", "poscounts", "iterative"], typer.Option(help="How samples are scaled.")
]
Trend = Annotated[
    Literal["parametric", "local", "mean"], typer.Option(help="Form of the dispersion trend.")
]
Reference = Annotated[
    list[str] | None, typer.Option(help="FACTOR=LEVEL that others are compared with.")
]
AsFactor = Annotated[
    list[str] | None, typer.Option(help="Column of numbers that stand for groups.")
]
MoreCounts = Annotated[
    list[Path] | None, typer.Option(help="Further samples of the same genes; repeatable.")
]
Transcripts = Annotated[
    Path | None, typer.Option(help="For salmon, kallisto: transcript and gene, or a GTF.")
]
IgnoreVersion = Annotated[
    bool, typer.Option("--ignore-version", help="Drop versions of transcript ids.")
]
Outliers = Annotated[bool, typer.Option(help="Withhold p-values of genes with an outlying count.")]
ReplaceOutliers = Annotated[
    bool, typer.Option(help="Replace outliers in groups of seven samples or more.")
]
Filtering = Annotated[
    bool, typer.Option("--filter/--no-filter", help="Leave weakly expressed genes out.")
]
Blind = Annotated[bool, typer.Option(help="Stabilise the variance without the design.")]

# Options that go to the function under their own name.
_PLAIN = (
    "design", "reduced", "size_factors", "trend", "alpha", "lfc", "padj", "lfc_null", "alternative",
    "shrink", "outliers", "replace_outliers", "blind", "threads", "round_fractions", "transcripts",
    "ignore_version",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "dge",
        epilog='Example: exprimo dge counts.tsv samples.csv --design "~ status" '
        "--contrast status IS C -o DGE",
    )(_dge)


def _dge(
    context: typer.Context,
    counts: Annotated[
        Path, typer.Argument(help="Counts: a table, HTSeq files, salmon or kallisto folders.")
    ],
    samples: Annotated[Path, typer.Argument(help="Sample sheet, TSV or CSV.")],
    design: Annotated[str, typer.Option(help='Formula, such as "~ batch + status".')],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")],
    contrast: Contrast = None,
    coefficient: Coefficient = None,
    alpha: Alpha = 0.1,
    lfc: Annotated[float, typer.Option(help="Call genes beyond this log2 fold change,")] = 2.0,
    padj: Annotated[float, typer.Option(help="with an adjusted p-value below this.")] = 0.05,
    reduced: Reduced = None,
    lfc_null: Annotated[float, typer.Option(help="Threshold inside the null hypothesis.")] = 0.0,
    alternative: Alternative = "greaterAbs",
    shrink: Annotated[bool, typer.Option("--shrink", help="Add shrunken fold changes.")] = False,
    size_factors: SizeFactors = "ratio",
    trend: Trend = "parametric",
    reference: Reference = None,
    as_factor: AsFactor = None,
    more_counts: MoreCounts = None,
    round_fractions: Annotated[bool, typer.Option("--round", help="Round estimates.")] = False,
    transcripts: Transcripts = None,
    ignore_version: IgnoreVersion = False,
    outliers: Outliers = True,
    replace_outliers: ReplaceOutliers = True,
    filtering: Filtering = True,
    blind: Blind = True,
    threads: Annotated[int | None, typer.Option(help="CPU threads; unset: all.")] = None,
    as_json: Json = False,
) -> None:
    """Find differentially expressed genes, with DESeq2's semantics, and label them."""
    import exprimo

    plain = {name: context.params[name] for name in _PLAIN}
    with bars():
        done = exprimo.dge(
            [counts, *(more_counts or ())],
            samples,
            out,
            contrast=_question(contrast, coefficient),
            reference=_references(reference or []),
            factors=tuple(as_factor or ()),
            filter=filtering,
            **plain,
        )
    facts = {"path": done.path, "results": done.results, "labels": done.labels, **done.summary}
    say(done.lines, facts, as_json=as_json)


def _question(contrast: tuple[str, str, str] | None, coefficient: str | None) -> tuple[str, ...]:
    if contrast is not None and coefficient is not None:
        raise ConfigError(
            "a contrast and a coefficient are both given",
            found=f"--contrast {' '.join(contrast)} --coefficient {coefficient}",
            expected="one question",
            remedy="Leave one of them out",
        )
    if contrast is not None:
        return contrast
    return (coefficient,) if coefficient else ()


def _references(pairs: list[str]) -> dict[str, str]:
    chosen = {}
    for pair in pairs:
        factor, sign, level = pair.partition("=")
        if not sign or not factor or not level:
            raise ConfigError(
                "not a reference level", found=pair, expected="FACTOR=LEVEL, such as status=C"
            )
        chosen[factor] = level
    return chosen

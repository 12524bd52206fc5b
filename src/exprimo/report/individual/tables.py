"""Tables of a study of individuals."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exprimo.report.document.table import (
    MAX_ROWS,
    Cell,
    Column,
    Table,
    counting,
    estimate,
    named,
    probability,
    quantity,
)
from exprimo.report.individual.reading import IndividualFolder, interval_of
from exprimo.report.wording import ABSENT, number

_SHOWN = 30


def models_table(study: IndividualFolder) -> Table:
    """Tabulate what is known of each model."""
    rows = []
    for name, found in study.models.items():
        people, effects = found.get("people"), found.get("effects") or {}
        across = (people or {}).get("across_people")
        rows.append(
            (
                named(name, "answers" if name == study.answer else ""),
                *_across(across),
                *(
                    estimate(*interval_of(effects[key])) if key in effects else Cell(ABSENT)
                    for key in ("auroc_in_site", "auroc_acting", "sign", "pearson_r")
                ),
            )
        )
    return Table(
        "models",
        "Every model on the same genes, people and variants. The null is of people shuffled, the "
        "same way in all genes. The columns of variants need the truth of a simulated world.",
        (
            Column("Model"),
            Column("r over people", True, "mean over genes, with its interval over genes"),
            Column("p", True, "against people shuffled"),
            Column("Null", False, "middle 95% with people shuffled"),
            Column("Genes without", True, "everybody is predicted the same"),
            Column("AUROC in sites", True, "variants within a factor's site against the rest"),
            Column("AUROC acting", True, "variants that change expression against the rest"),
            Column("Right sign", True, "share of acting variants"),
            Column("r with truth", True, "score and true effect over all variants"),
        ),
        tuple(rows),
        "study.json",
    )


def _across(across: dict[str, object] | None) -> tuple[Cell, Cell, Cell, Cell]:
    if across is None:
        return Cell(ABSENT), Cell(ABSENT), Cell(ABSENT), Cell(ABSENT)
    mean, p = across["mean_r"], across["p"]
    assert isinstance(mean, dict)
    assert isinstance(p, float)
    low, high = across["null_low"], across["null_high"]
    null = f"{number(low)} to {number(high)}"  # type: ignore[arg-type]  # JSON numbers
    n = across["n_constant"]
    assert isinstance(n, int)
    return estimate(*interval_of(mean)), probability(p), Cell(null), counting(n)


def genes_table(study: IndividualFolder) -> Table | None:
    """Tabulate the genes whose predictions differ most between people."""
    if study.genes is None:
        return None
    rows = study.genes[study.genes["model"] == study.answer]
    shown = rows.sort_values("sd_predicted", ascending=False, kind="stable").head(_SHOWN)
    return Table(
        "genes",
        f"The {len(shown):,} genes of {len(rows):,} whose predictions differ most between people.",
        (
            Column("Gene"),
            Column("People", True),
            Column("r over people", True),
            Column("SD predicted", True, "over people, in the model's units"),
            Column("SD measured", True, "over people, without what covariates explain"),
        ),
        tuple(
            (
                named(str(row["gene_id"])),
                counting(row["n_people"]),
                quantity(row["pearson_r"]),
                quantity(row["sd_predicted"]),
                quantity(row["sd_observed"]),
            )
            for _, row in shown.iterrows()
        ),
        "genes.tsv",
    )


def top_table(study: IndividualFolder) -> Table:
    """Tabulate the variants with the largest effects."""
    rows = study.top[study.top["model"] == study.answer].head(MAX_ROWS)
    truth = None
    if study.effects is not None:
        own = study.effects[study.effects["model"] == study.answer]
        truth = own.drop_duplicates(["variant_id", "gene_id"]).set_index(["variant_id", "gene_id"])[
            "effect"
        ]
    columns = [
        Column("Variant", False, "below: 1-based position and alleles, forward strand"),
        Column("Gene"),
        Column("Reference", True, "predicted"),
        Column("Alternate", True, "predicted"),
        Column("Effect", True, "alternate less reference"),
    ]
    if truth is not None:
        columns.append(Column("True effect", True, "log2, alternate less reference"))
    cells = []
    for _, row in rows.iterrows():
        cell = [
            named(str(row["variant_id"]), _place(row)),
            named(str(row["gene_id"])),
            quantity(row["ref_pred"]),
            quantity(row["alt_pred"]),
            quantity(row["raw_score"]),
        ]
        if truth is not None:
            cell.append(quantity(truth.get((row["variant_id"], row["gene_id"]))))
        cells.append(tuple(cell))
    return Table(
        "top",
        f"The {len(cells):,} pairs of variant and gene with the largest effects by the model. "
        "They are candidates: what the model says has not been measured here.",
        tuple(columns),
        tuple(cells),
        "top.tsv",
    )


def _place(row: pd.Series[Any]) -> str:
    """Say where a variant lies and what it is, unless its name says so."""
    chrom, pos, ref, alt = row["chrom"], int(row["pos"]), row["ref"], row["alt"]
    named_so = str(row["variant_id"]) == f"{chrom}:{pos}:{ref}:{alt}"
    return "" if named_so else f"{chrom}:{pos:,} {ref}>{alt}"

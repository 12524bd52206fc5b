"""The field's usual answer: motifs in changed promoters against matched ones."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError
from exprimo.core.files.atomic import atomic_directory
from exprimo.data.motifs import read_motifs
from exprimo.evaluate.association import enrichment, matched_controls
from exprimo.features.composition import gc_content
from exprimo.features.motifs import scan
from exprimo.splits import resampling_groups
from exprimo.studies.differential.config import MotifComparison
from exprimo.studies.differential.promoters import gene_names, read_target_table

_TESTS: tuple[tuple[str, Literal["presence", "values"]], ...] = (
    ("presence", "presence"),
    ("counts", "values"),
)
# Fewer genes of one direction than this make no comparison of their own.
_FEWEST = 10
_COLUMNS = (
    "motif", "n_changed", "n_matched", "share_changed", "share_matched", "odds_ratio", "low",
    "high", "pvalue", "padj", "rank",
)  # fmt: skip


def enrich(
    dataset_path: Path, targets: Path, motifs_path: Path, config: MotifComparison, out: Path
) -> None:
    """Write ``table.tsv`` and ``balance.tsv``: all changed genes, then those up and down.

    Only tested genes take part; each changed gene has a control of like GC and expression.
    A direction in which hardly a gene changed is left out.
    """
    motifs = read_motifs(motifs_path)
    names = [motif.name for motif in motifs]
    with Dataset.open(dataset_path) as dataset:
        rows = np.arange(len(dataset))
        codes = dataset.rows("sequence", rows)
        changed = dataset.target("changed") == 1
        covariates = pd.DataFrame(
            {
                "gc": gc_content(codes),
                "mean_expression": dataset.rows("mean_expression", rows)[:, 0],
            }
        )
        family, _ = resampling_groups(dataset)
        own = gene_names(dataset)
    direction = read_target_table(targets)["direction"].reindex(own).to_numpy()
    found = scan(codes, motifs, pvalue=config.pvalue)
    sets = {
        "changed": changed,
        "up": changed & (direction == 1),
        "down": changed & (direction == 0),
    }
    tables, balance = [], None
    for name, case in sets.items():
        if name != "changed" and case.sum() < _FEWEST:
            continue
        # A changed gene of the other direction is no control.
        open_rows = np.flatnonzero(case | ~changed)
        matched = matched_controls(covariates.iloc[open_rows], case[open_rows], config.match_on)
        if not len(matched.case):
            continue
        balance = matched.balance if balance is None else balance
        for test, rank_by in _TESTS:
            one = enrichment(
                found.present,
                open_rows[matched.case],
                open_rows[matched.control],
                names,
                values=found.n_sites,
                groups=family,
                rank_by=rank_by,
            )
            if test == "counts":
                one["pvalue"], one["padj"] = one["pvalue_values"], one["padj_values"]
            tables.append(one[[*_COLUMNS, "auroc"]].assign(set=name, test=test))
    if balance is None:
        raise InputError(
            "no changed gene has an unchanged one of like GC and expression",
            file=dataset_path,
            found=f"{int(changed.sum()):,} changed genes of {len(changed):,}",
            remedy="Match on less: motifs.match_on",
        )
    with atomic_directory(out) as folder:
        pd.concat(tables).to_csv(folder / "table.tsv", sep="\t", index=False)
        shown = balance.rename(columns={"smd_before": "before", "smd_after": "after"})
        shown.to_csv(folder / "balance.tsv", sep="\t", index=False)

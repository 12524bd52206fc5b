"""What a simulated world knows: the genes that truly changed, the ceiling, the factor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.split import Split
from exprimo.evaluate import bootstrap
from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.benchmarking.plan import slug
from exprimo.studies.differential.promoters import read_by_id


def compare_with_truth(
    truth: Path, targets: Path, lfc: float, benchmark: Benchmarked, split: str, motifs: Path
) -> dict[str, Any]:
    """Hold a study against the truth of the world that it was made from.

    Parameters
    ----------
    truth
        The world's truth folder.
    targets
        The study's table of targets.
    lfc
        Fold change beyond which a gene counts as truly changed, as it does for a call.
    split
        The split whose test genes the ceiling is for.
    motifs
        The folder of the enrichment.
    """
    genes = read_by_id(truth / "differential.tsv")
    called = read_by_id(targets).set_index("gene_id")
    genes = genes.set_index("gene_id").join(called[["changed"]])
    factor = json.loads((truth / "world.json").read_text(encoding="utf-8"))["conditions"]["factor"]
    facts: dict[str, Any] = {"dge": _detection(genes, lfc)}
    facts["ceiling"] = _ceiling(genes, benchmark, split)
    facts["changed_factor"] = factor
    facts["factor_rank"] = _rank(motifs / "table.tsv", factor)
    return facts


def _detection(genes: pd.DataFrame, lfc: float) -> dict[str, Any]:
    """Give recall among all truly changed genes, and the share of calls that did not change.

    A false discovery is a called gene that no factor changed; one that changed by less than the
    threshold is called too high, not called falsely.
    """
    change = genes["log2_fold_change"].abs()
    true, called = change > lfc, genes["changed"] == 1
    unchanged = genes["factor_contribution"] == 0
    n_called = int(called.sum())
    return {
        "n_true": int(true.sum()),
        "n_called": n_called,
        "recall": float((called & true).sum() / max(1, true.sum())),
        "recall_tested": float(
            (called & true).sum() / max(1, (true & genes["changed"].notna()).sum())
        ),
        "fdr": float((called & unchanged).sum() / max(1, n_called)),
        "below_threshold": int((called & ~true & ~unchanged).sum()),
    }


def _ceiling(genes: pd.DataFrame, benchmark: Benchmarked, split: str) -> dict[str, Any]:
    used = Split.load(benchmark.path / "splits" / f"{slug(split)}.parquet")
    rows = used.rows("test")
    test = genes.reindex(used.example_id[rows])
    known = test["changed"].notna().to_numpy()
    score = test["factor_contribution"].abs().to_numpy(np.float64)
    groups = (used.example_id if used.group is None else used.group)[rows]
    found = bootstrap(
        test["changed"].to_numpy(np.float64)[known],
        score[known],
        groups[known],
        ["auroc"],
        unit=used.unit,
    )["auroc"]
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "what": "the changed factor's true effect on each promoter, same test genes",
    }


def _rank(path: Path, factor: str) -> int | None:
    if not path.exists():
        return None
    table = pd.read_csv(path, sep="\t")
    chosen = table[
        (table["set"] == "changed") & (table["test"] == "counts") & (table["motif"] == factor)
    ]
    return int(chosen["rank"].iloc[0]) if len(chosen) else None

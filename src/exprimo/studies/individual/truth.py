"""What the truth of a simulated world tells of personal predictions and variant effects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.data.phenotypes import PersonalExpression
from exprimo.evaluate import bootstrap
from exprimo.evaluate.grouped import across_people
from exprimo.evaluate.proportions import proportion
from exprimo.studies.individual.agreement import Judged, judge

VARIANTS = "variants.tsv"
COMPONENTS = "individual_components.tsv.gz"
_FEWEST = 10
# Another world's truth shares some variants by chance.
_SHARE_KNOWN = 0.5
_YES = "yes"


def true_effects(truth: Path, scored: pd.DataFrame) -> pd.DataFrame:
    """Join scored pairs of variant and gene with what they truly do.

    Parameters
    ----------
    scored
        Columns variant_id, gene_id, raw_score.

    Returns
    -------
    DataFrame
        The rows that the truth knows, with ``effect`` (log2, ALT less REF) and ``in_site``.
    """
    table = pd.read_csv(truth / VARIANTS, sep="\t", dtype={"variant_id": str, "gene_id": str})
    table = table.dropna(subset=["gene_id"])
    columns = ["variant_id", "gene_id", "effect", "in_site", "what"]
    joined = scored.merge(table[columns], on=["variant_id", "gene_id"], how="inner")
    if len(joined) < _SHARE_KNOWN * len(scored):
        raise MismatchError(
            "the truth does not know the variants that were scored",
            file=truth / VARIANTS,
            found=f"{len(joined):,} of {len(scored):,}; it has "
            + ", ".join(table["variant_id"].head(3)),
            expected=", ".join(scored["variant_id"].head(3)),
            remedy="Give the truth of the world that the genotypes are from, or leave it out",
        )
    return joined


def judge_effects(joined: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """Ask whether variants that act rank above the rest, and whether signs and sizes agree.

    Returns
    -------
    dict
        ``auroc_acting`` and ``auroc_in_site``: of the size of the score, for variants that
        change expression, and for those within a site of a factor, against all others;
        ``sign``: share of acting variants with the right sign; ``pearson_r``: score with true
        effect over all variants; each with its interval over genes.
    """
    size = joined["raw_score"].abs().to_numpy(dtype=np.float64)
    effect = joined["effect"].to_numpy(dtype=np.float64)
    genes = joined["gene_id"].to_numpy()
    acts = effect != 0
    inside = (joined["in_site"] == _YES).to_numpy()
    facts: dict[str, Any] = {"n": len(joined), "n_acting": int(acts.sum())}
    for name, positive in (("acting", acts), ("in_site", inside)):
        facts[f"n_{name}"] = int(positive.sum())
        if min(positive.sum(), (~positive).sum()) >= _FEWEST:
            found = bootstrap(
                positive.astype(float), size, genes, ["auroc", "auprc"], unit="gene", seed=seed
            )
            facts[f"auroc_{name}"] = found["auroc"]._asdict()
            facts[f"auprc_{name}"] = found["auprc"]._asdict()
    if acts.sum() >= _FEWEST:
        score = joined["raw_score"].to_numpy(dtype=np.float64)
        right = np.sign(score[acts]) == np.sign(effect[acts])
        facts["sign"] = proportion(right, genes[acts], unit="gene")._asdict()
        found = bootstrap(effect, score, genes, ["pearson_r"], unit="gene", seed=seed)
        facts["pearson_r"] = found["pearson_r"]._asdict()
        strong = acts & (np.abs(effect) >= np.median(np.abs(effect[acts])))
        right = np.sign(score[strong]) == np.sign(effect[strong])
        facts["sign_strong"] = proportion(right, genes[strong], unit="gene")._asdict()
    return facts


def ceiling(
    truth: Path, expression: PersonalExpression, covariates: Any, judged: Judged, *, seed: int
) -> dict[str, Any]:
    """Judge the true genetic part itself over people: no model of genotypes can do better."""
    table = pd.read_csv(truth / COMPONENTS, sep="\t", dtype={"gene_id": str})
    true = table.set_index("gene_id")
    kept = [gene for gene in judged.genes if gene in true.index]
    best = judge(true.loc[kept], expression, covariates)
    columns = [best.people.index(name) for name in judged.people]
    found = across_people(best.observed[:, columns], best.predicted[:, columns], seed=seed)
    rows = [judged.genes.index(gene) for gene in best.genes]
    own = across_people(best.predicted[:, columns], judged.predicted[rows], seed=seed)
    return {"across_people": found.mean_r._asdict(), "with_true_part": own.mean_r._asdict()}

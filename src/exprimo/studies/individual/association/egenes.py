"""One row for each tested gene: its strongest variant, its eQTL, its heritability, the truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from exprimo.genetics.cohort import cis_windows
from exprimo.studies.individual.association.given import Given
from exprimo.studies.individual.association.stages import EQTL, FINEMAP, SCORES
from exprimo.studies.individual.association.truth import Truth

Floats = npt.NDArray[np.float64]

HERITABILITY = "heritability.parquet"
_AS_IT_IS = (
    "variant_id", "tss_distance", "af", "slope", "slope_se", "pval_nominal", "pval_beta", "qval",
)  # fmt: skip


def egene_table(given: Given, truth: Truth | None) -> pd.DataFrame:
    """Give the tested genes in the order of the expression; ``egene`` is yes or no."""
    genes = read_table(given.folder / EQTL / "genes.parquet")
    called = genes["qval"] <= given.settings.fdr
    # Along the chromosome: the variant's first base less the TSS that it was measured from.
    table = pd.DataFrame(
        {
            "gene_id": genes["phenotype_id"],
            "chrom": genes["chrom"],
            "tss": genes["pos"] - genes["tss_distance"],
            "n_variants": genes["num_var"],
            **{name: genes[name] for name in _AS_IT_IS},
            "egene": yes_no(called.to_numpy()),
        }
    )
    table = table.merge(_sets(given), on="gene_id", how="left")
    table = table.merge(_heritability(given), on="gene_id", how="left")
    return table if truth is None else _with_truth(table, given, truth)


def _sets(given: Given) -> pd.DataFrame:
    """Count the credible sets of the genes that were fine-mapped."""
    path = given.folder / FINEMAP / "genes.parquet"
    if not path.exists():
        return pd.DataFrame(
            {"gene_id": pd.Series(dtype=object), "n_sets": pd.Series(dtype="Int64")}
        )
    genes = read_table(path)
    return pd.DataFrame(
        {"gene_id": genes["phenotype_id"], "n_sets": genes["num_sets"].astype("Int64")}
    )


def _heritability(given: Given) -> pd.DataFrame:
    columns = ["gene_id", "h2", "h2_low", "h2_high"]
    path = given.folder / SCORES / HERITABILITY
    return read_table(path)[columns] if path.exists() else pd.DataFrame(columns=columns)


def _with_truth(table: pd.DataFrame, given: Given, truth: Truth) -> pd.DataFrame:
    acting = truth.acting[truth.acting["gene_id"].isin(table["gene_id"])]
    names: dict[str, set[str]] = {}
    for gene, variant in zip(acting["gene_id"], acting["variant_id"], strict=True):
        names.setdefault(gene, set()).add(variant)
    lead = dict(zip(table["gene_id"], table["variant_id"], strict=True))
    greatest = _greatest_r2(given, {gene: lead[gene] for gene in names}, names)
    acts = [variant in names.get(gene, ()) for gene, variant in lead.items()]
    return table.assign(
        true_h2=table["gene_id"].map(truth.h2),
        n_acting=[len(names.get(gene, ())) for gene in table["gene_id"]],
        lead_acts=yes_no(np.array(acts, dtype=bool)),
        lead_r2_acting=table["gene_id"].map(greatest),
    )


def _greatest_r2(
    given: Given, lead: Mapping[str, str], acting: Mapping[str, set[str]]
) -> dict[str, float]:
    """Give the greatest r² of each gene's strongest variant with one that acts on the gene."""
    found: dict[str, float] = {}
    if not lead:
        return found
    settings = given.settings
    with given.cohort() as cohort:
        # Rare variants may act too: nothing is filtered.
        for window in cis_windows(
            cohort,
            upstream=settings.upstream,
            downstream=settings.downstream,
            maf=0.0,
            min_count=0.0,
            genes=list(lead),
        ):
            names = window.variants["variant_id"].to_numpy()
            first = np.flatnonzero(names == lead[window.gene_id])
            acts = np.isin(names, list(acting[window.gene_id]))
            if len(first) and acts.any():
                r2 = r2_with(window.dosage[acts], window.dosage[first[0]])
                found[window.gene_id] = float(r2.max())
    return found


def read_table(path: Path) -> pd.DataFrame:
    """Read a parquet table."""
    table: pd.DataFrame = pq.read_table(path.absolute()).to_pandas()
    return table


def yes_no(values: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """Spell booleans as tables do.

    Examples
    --------
    >>> yes_no(np.array([True, False])).tolist()
    ['yes', 'no']
    """
    return np.where(values, "yes", "no").astype(object)


def r2_with(dosage: npt.NDArray[np.floating], one: npt.NDArray[np.floating]) -> Floats:
    """Give the squared correlation of each variant's dosages with those of one variant.

    Parameters
    ----------
    dosage
        (variants, people), NaN where missing: such a person counts as the mean.
    one
        (people,).

    Returns
    -------
    (variants,); 0 where a variant does not vary.

    Examples
    --------
    >>> r2_with(np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0], [1, 1, 1]]), np.array([0.0, 1.0, 2.0]))
    array([1., 1., 0.])
    """
    rows, mine = _centred(np.asarray(dosage)), _centred(np.asarray(one)[None])[0]
    below = (rows * rows).sum(axis=1) * (mine @ mine)
    shared = (rows @ mine) ** 2
    found: Floats = np.divide(shared, below, out=np.zeros(len(rows)), where=below > 0)
    return found


def _centred(dosage: npt.NDArray[np.floating]) -> Floats:
    known = ~np.isnan(dosage)
    filled = np.where(known, dosage, 0.0).astype(np.float64)
    mean = filled.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    centred: Floats = np.where(known, filled - mean[:, None], 0.0)
    return centred

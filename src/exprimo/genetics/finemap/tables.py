"""The tables of fine-mapped genes: probabilities, credible sets, one row a gene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.files.origin import P_VALUE, with_column_sources, write_table
from exprimo.genetics.finemap.susie import Susie

NO_FOLD = -1
"""Number of the fold where nobody was left out."""

VARIANT_COLUMNS = (
    "phenotype_id",
    "variant_id",
    "pip",
    "af",
    "cs_id",
    "effect",
    "tss_distance",
    "chrom",
    "pos",
    "ref",
    "alt",
)
"""Of variants; the first five as tensorQTL has them. ``cs_id`` counts from 1, 0: in no set."""

SET_COLUMNS = ("phenotype_id", "cs_id", "size", "coverage", "purity", "log_bf", "top", "top_pip")
"""Of credible sets; ``top`` is the variant with the largest probability of this effect."""

GENE_COLUMNS = (
    "phenotype_id",
    "num_var",
    "num_sets",
    "sets_dropped",
    "expected_causal",
    "residual_variance",
    "elbo",
    "iterations",
    "converged",
)
"""Of genes; ``sets_dropped`` were impure, ``expected_causal`` is the sum of the probabilities."""


def variant_table(gene: str, variants: pd.DataFrame, found: Susie, least: float) -> pd.DataFrame:
    """Give the variants of a gene that are in a credible set or reach a probability.

    Parameters
    ----------
    gene
        Its id.
    variants
        ``variant_id, chrom, ref, alt``, ``start`` or ``pos``; ``af`` and ``tss_distance`` where
        they are known.
    found
        Of these variants, in this order.
    least
        Smallest probability outside of credible sets.
    """
    cs_id = set_numbers(found, len(variants))
    kept = np.flatnonzero((cs_id > 0) | (found.pip >= least))
    rows = variants.iloc[kept]
    pos = rows["pos"] if "pos" in rows else rows["start"] + 1
    unknown = np.full(len(kept), np.nan)
    return pd.DataFrame(
        {
            "phenotype_id": np.full(len(kept), gene, dtype=object),
            "variant_id": rows["variant_id"].to_numpy(dtype=object),
            "pip": found.pip[kept],
            "af": rows["af"].to_numpy(np.float64) if "af" in rows else unknown,
            "cs_id": cs_id[kept],
            "effect": found.effect[kept],
            "tss_distance": rows["tss_distance"].to_numpy(np.int64)
            if "tss_distance" in rows
            else pd.array([pd.NA] * len(kept), dtype="Int64"),
            "chrom": rows["chrom"].to_numpy(dtype=object),
            "pos": pos.to_numpy(np.int64),
            "ref": rows["ref"].to_numpy(dtype=object),
            "alt": rows["alt"].to_numpy(dtype=object),
        },
        columns=list(VARIANT_COLUMNS),
    )


def set_numbers(found: Susie, n_variants: int) -> npt.NDArray[np.int64]:
    """Number each variant by its credible set, from 1; 0 in none.

    A variant of several sets counts to the one in which it is the more probable.
    """
    number = np.zeros(n_variants, dtype=np.int64)
    best = np.zeros(n_variants)
    for at, one in enumerate(found.sets, start=1):
        alpha = found.alpha[one.effect, one.variants]
        better = one.variants[alpha > best[one.variants]]
        number[better] = at
        best[one.variants] = np.maximum(best[one.variants], alpha)
    return number


def set_table(gene: str, variants: pd.DataFrame, found: Susie) -> pd.DataFrame:
    """Give the credible sets of a gene."""
    names = variants["variant_id"].to_numpy(dtype=object)
    rows = [
        (
            gene,
            at,
            len(one.variants),
            one.coverage,
            one.purity,
            one.log_bf,
            names[one.variants[0]],
            float(found.pip[one.variants[0]]),
        )
        for at, one in enumerate(found.sets, start=1)
    ]
    return pd.DataFrame(rows, columns=list(SET_COLUMNS))


def gene_row(gene: str, found: Susie) -> dict[str, Any]:
    """Give the row of a gene."""
    return {
        "phenotype_id": gene,
        "num_var": len(found.pip),
        "num_sets": len(found.sets),
        "sets_dropped": found.sets_dropped,
        "expected_causal": float(found.pip.sum()),
        "residual_variance": found.residual_variance,
        "elbo": float(found.elbo[-1]),
        "iterations": len(found.elbo),
        "converged": found.converged,
    }


# A ranking by these is one by association.
_SOURCES = {name: [P_VALUE] for name in ("pip", "cs_id", "effect", "log_bf", "top_pip")}


class FinemapTables:
    """Rows as they come, gene by gene."""

    def __init__(self) -> None:
        self.variants: list[pd.DataFrame] = []
        self.sets: list[pd.DataFrame] = []
        self.genes: list[dict[str, Any]] = []

    def add(self, fold: int, gene: str, variants: pd.DataFrame, found: Susie, least: float) -> None:
        """Add a gene, mapped without the people of a fold."""
        self.variants.append(variant_table(gene, variants, found, least).assign(fold=fold))
        self.sets.append(set_table(gene, variants, found).assign(fold=fold))
        self.genes.append({**gene_row(gene, found), "fold": fold})

    def write(self, folder: Path, origin: dict[str, Any]) -> None:
        """Write ``variants.parquet``, ``credible_sets.parquet`` and ``genes.parquet``."""
        origin = with_column_sources(origin, _SOURCES)
        variants = pd.concat([one for one in self.variants if len(one)] or self.variants[:1])
        write_table(folder / "variants.parquet", variants, origin)
        sets = pd.concat([one for one in self.sets if len(one)] or self.sets[:1])
        write_table(folder / "credible_sets.parquet", sets, origin)
        genes = pd.DataFrame(self.genes, columns=[*GENE_COLUMNS, "fold"])
        write_table(folder / "genes.parquet", genes, origin)

"""The tables that say what is true of people: their variants, and how much these explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.simulate.individuals.effects import GeneEffects
from exprimo.simulate.individuals.variants import Variants

COLUMNS = (
    "variant_id",
    "chrom",
    "pos",
    "ref",
    "alt",
    "gene_id",
    "tss_distance",
    "factor",
    "what",
    "effect",
    "af",
    "in_site",
    "placed",
)


def variant_table(
    variants: Variants,
    gene_ids: Sequence[str],
    tss: npt.NDArray[np.int64],
    effects: GeneEffects | None,
) -> pd.DataFrame:
    """List the variants of one chromosome with what each does alone, in order of position.

    Parameters
    ----------
    gene_ids, tss
        Name and TSS (0-based) of each gene of the chromosome.
    effects
        None where no variant acts.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. A variant outside all acting windows is listed with the nearest gene, and
        effect 0; one in the windows of two genes has a row for each. ``pos`` counts from 1;
        ``tss_distance`` is the variant's position less that of the TSS, forward strand.
    """
    if not variants.alleles:
        return pd.DataFrame({name: [] for name in COLUMNS})
    acting = _no_effects() if effects is None else effects.variants
    listed = acting["variant"].to_numpy()
    others = np.setdiff1d(np.arange(len(variants.alleles)), listed)
    rest = pd.DataFrame({"variant": others, "gene": nearest(variants.starts[others], tss)})
    rest = rest.assign(factor="", what="none", effect=0.0, in_site=False)
    table = pd.concat([part for part in (acting, rest) if len(part)], ignore_index=True)
    table = table.sort_values(["variant", "gene"], kind="stable", ignore_index=True)
    number, gene = table["variant"].to_numpy(), table["gene"].to_numpy()
    alleles, names = variants.alleles, variants.names
    table["variant_id"] = [names[row] for row in number.tolist()]
    table["chrom"] = variants.chrom
    table["pos"] = variants.starts[number] + 1
    table["ref"] = [alleles[row].ref for row in number.tolist()]
    table["alt"] = [alleles[row].alt for row in number.tolist()]
    table["gene_id"] = [gene_ids[row] for row in gene.tolist()]
    table["tss_distance"] = variants.starts[number] - tss[gene]
    table["af"] = variants.frequency[number]
    table["in_site"] = np.where(table["in_site"].astype(bool), "yes", "no")
    table["placed"] = np.where(variants.placed[number], "yes", "no")
    return table[list(COLUMNS)]


def _no_effects() -> pd.DataFrame:
    columns = ("variant", "gene", "factor", "what", "effect", "in_site")
    table = pd.DataFrame({name: [] for name in columns})
    return table.astype({"variant": np.int64, "gene": np.int64})


def nearest(positions: npt.NDArray[np.int64], tss: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give the row of the gene whose TSS is nearest to each position.

    Examples
    --------
    >>> nearest(np.array([0, 60, 90]), np.array([100, 10])).tolist()
    [1, 0, 0]
    """
    order = np.argsort(tss, kind="stable")
    ordered = tss[order]
    right = np.clip(np.searchsorted(ordered, positions), 0, ordered.size - 1)
    left = np.clip(right - 1, 0, None)
    closer = np.abs(ordered[left] - positions) < np.abs(ordered[right] - positions)
    return np.asarray(order[np.where(closer, left, right)])


def heritability_table(
    gene_ids: Sequence[str], variants: pd.DataFrame, told: pd.DataFrame
) -> pd.DataFrame:
    """Say how much of each gene's variance its variants explain, and how many of them act.

    Returns
    -------
    pandas.DataFrame
        gene_id, h2 (the share that was realised), h2_asked, causal_variants, cis_variance,
        noise_variance, cis_varies (yes or no). A gene is truly null where the last is "no": its
        cis part is the same in all people, while a variance of 0.0000 may only be small.
    """
    acting = variants.loc[variants["effect"] != 0, "gene_id"].value_counts()
    table = pd.DataFrame({"gene_id": list(gene_ids)})
    table["h2"] = told["h2"].to_numpy()
    table["h2_asked"] = told["h2_asked"].to_numpy()
    table["causal_variants"] = table["gene_id"].map(acting).fillna(0).astype(np.int64)
    table["cis_variance"] = told["cis_variance"].to_numpy()
    table["noise_variance"] = told["noise_variance"].to_numpy()
    table["cis_varies"] = np.where(told["cis_varies"].to_numpy(dtype=bool), "yes", "no")
    return table


def within_gene_r(cis: npt.NDArray[np.float64], expression: npt.NDArray[np.float64]) -> float:
    """Average, over the genes whose cis part varies, Pearson's r of it and expression; 0: none.

    Parameters
    ----------
    cis, expression
        Shape (genes, people).

    Examples
    --------
    >>> within_gene_r(np.array([[0.0, 1.0], [2.0, 2.0]]), np.array([[3.0, 5.0], [1.0, 2.0]]))
    1.0
    """
    one = cis - cis.mean(axis=1, keepdims=True)
    other = expression - expression.mean(axis=1, keepdims=True)
    varies = (one**2).mean(axis=1) > 1e-12
    if not varies.any():
        return 0.0
    shared = (one * other).sum(axis=1)[varies]
    size = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))[varies]
    return round(float((shared / size).mean()), 6)

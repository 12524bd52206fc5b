"""One gene: its strongest variant, and how strong a window like this gets by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.genetics.cohort import CisWindow
from exprimo.genetics.eqtl.projection import Projection
from exprimo.genetics.eqtl.statistics.association import Associations, Prepared
from exprimo.genetics.eqtl.statistics.beta import fit_beta
from exprimo.genetics.eqtl.statistics.permutations import empirical_p, strongest_by_chance

GENE_COLUMNS = (
    "phenotype_id",
    "num_var",
    "beta_shape1",
    "beta_shape2",
    "true_df",
    "pval_true_df",
    "variant_id",
    "tss_distance",
    "ma_samples",
    "ma_count",
    "af",
    "pval_nominal",
    "slope",
    "slope_se",
    "pval_perm",
    "pval_beta",
    "chrom",
    "pos",
    "ref",
    "alt",
)
"""Names as tensorQTL's; the last four, ``pos`` from 1, tell the variant without its name."""

GeneRow = dict[str, Any]


def strongest(found: Associations) -> int | None:
    """Give the place of the variant with the largest correlation, the first of equals.

    None where none could be tested.

    Examples
    --------
    >>> r = np.array([np.nan, 0.1, -0.5])
    >>> strongest(Associations(r, r, r, r))
    2
    """
    size = np.where(np.isnan(found.r), -1.0, np.abs(found.r))
    if not len(size) or size.max() < 0:
        return None
    # Copies of one variant differ by rounding, which must not choose among them.
    return int(np.argmax(size >= size.max() * (1 - 1e-12)))


def judged(
    window: CisWindow,
    prepared: Prepared,
    found: Associations,
    expression: npt.NDArray[np.float64],
    space: Projection,
    orders: npt.NDArray[np.uint32],
) -> GeneRow | None:
    """Give the row of a gene: its strongest variant with p-values for having picked it.

    None where no variant could be tested. Without permutations (``orders`` has no rows), and
    where no beta distribution fits them, the columns that need them are NaN.
    """
    top = strongest(found)
    if top is None:
        return None
    row = variant_row(window, found, top)
    row["num_var"] = int(prepared.usable.sum())
    if len(orders):
        by_chance = strongest_by_chance(prepared, expression, space, orders)
        r2 = float(found.r[top] ** 2)
        # The permutations' products are float32: a tie must not depend on the rounding.
        row["pval_perm"] = empirical_p(r2 * (1 - 1e-6), by_chance)
        row.update(beta_figures(by_chance, r2, space.df))
    return {name: row.get(name, np.nan) for name in GENE_COLUMNS}


def beta_figures(by_chance: npt.NDArray[np.float64], r2: float, df: int) -> GeneRow:
    """Give the columns of the beta approximation; none where no beta distribution fits."""
    try:
        fit = fit_beta(by_chance, df)
    except ArithmeticError:
        return {}
    p_true, p_beta = fit.p_values(r2)
    return {**fit._asdict(), "pval_true_df": p_true, "pval_beta": p_beta}


def variant_row(window: CisWindow, found: Associations, at: int) -> GeneRow:
    """Give what is known of one variant and its association with the gene."""
    variant = {name: values[at] for name, values in window.columns.items()}
    return {
        "phenotype_id": window.gene_id,
        "variant_id": variant["variant_id"],
        "tss_distance": int(variant["tss_distance"]),
        "ma_samples": int(variant["ma_samples"]),
        "ma_count": float(variant["ma_count"]),
        "af": float(variant["af"]),
        "pval_nominal": float(found.pval_nominal[at]),
        "slope": float(found.slope[at]),
        "slope_se": float(found.slope_se[at]),
        "chrom": window.chrom,
        "pos": int(variant["start"]) + 1,
        "ref": variant["ref"],
        "alt": variant["alt"],
    }

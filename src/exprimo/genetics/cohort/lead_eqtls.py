"""Strong eQTLs that are found in some people, to be looked for in others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from exprimo.core.errors import InputError
from exprimo.data.phenotypes import fit_hidden_factors
from exprimo.genetics.cohort.cohort import Cohort
from exprimo.genetics.cohort.windows import cis_windows

Matrix = npt.NDArray[np.float64]


class LeadEqtl(NamedTuple):
    """The best variant of one gene in the training people.

    Attributes
    ----------
    gene
        Row of the cohort's expression.
    chrom, start, variant_id
        Which variant.
    r
        Correlation of its dosage with the gene's residual expression in the training people.
    dosage
        (people,), of all people; missing ones have the mean.
    """

    gene: int
    chrom: str
    start: int
    variant_id: str
    r: float
    dosage: Matrix


def residual_expression(cohort: Cohort, training: npt.NDArray[np.bool_], hidden: int = 0) -> Matrix:
    """Give what covariates leave of expression, standardised, all fitted on training people.

    Parameters
    ----------
    cohort
        From `open_cohort`.
    training
        (people,): who is learned from.
    hidden
        How many hidden factors count as covariates too.

    Returns
    -------
    (genes, people); a gene that does not vary in the training people is 0 throughout.
    """
    values, covariates = cohort.expression.values, cohort.covariates
    if hidden:
        factors = fit_hidden_factors(values[:, training], hidden, covariates=covariates[training])
        covariates = np.hstack([covariates, factors.of(values, covariates)])
    design = np.column_stack([np.ones(len(cohort.people)), covariates])
    weights, *_ = np.linalg.lstsq(design[training], values[:, training].T, rcond=None)
    left = values - (design @ weights).T
    sd = left[:, training].std(axis=1, keepdims=True)
    flat = sd[:, 0] <= 1e-9 * np.abs(values).max(axis=1)
    sd[flat] = 1
    left[flat] = 0
    scaled: Matrix = left / sd
    return scaled


def lead_eqtls(
    cohort: Cohort,
    folds: npt.NDArray[np.int64],
    expression: Sequence[Matrix],
    *,
    hidden: int = 0,
    window: int = 100_000,
    maf: float = 0.05,
    alpha: float = 1e-3,
) -> list[list[LeadEqtl]]:
    """Find, for each fold, the strong eQTLs of the people who are not in it.

    Parameters
    ----------
    cohort
        From `open_cohort`.
    folds
        (people,), from `folds_of`.
    expression
        For each fold what `residual_expression` gives of the people who are not in it.
    hidden
        How many hidden factors were projected out of it.
    window, maf
        Variants up to so many bases from the TSS, at least so frequent.
    alpha
        Largest p of a gene's best variant, times the number of its variants (Bonferroni).

    Returns
    -------
    One list a fold, in order of the genes.
    """
    numbers = range(int(folds.max()) + 1)
    masks = np.stack([folds != fold for fold in numbers], axis=1).astype(np.float64)
    fitted = cohort.covariates.shape[1] + hidden
    freedom = masks.sum(axis=0) - 2 - fitted
    if freedom.min() < 2:
        raise InputError(
            "too few training people",
            found=f"{int(masks.sum(axis=0).min())} and {fitted} covariates and factors",
            expected=f"at least {fitted + 4} people",
        )
    found: list[list[LeadEqtl]] = [[] for _ in numbers]
    for gene, near in enumerate(cis_windows(cohort, upstream=window, downstream=window, maf=maf)):
        if not len(near.variants):
            continue
        dosage = near.dosage.astype(np.float64)
        means = np.nanmean(dosage, axis=1, keepdims=True)
        dosage = np.where(np.isnan(dosage), means, dosage)
        # One copy of a variant's dosages serves all folds that it leads in.
        kept: dict[int, Matrix] = {}
        own = np.stack([residuals[gene] for residuals in expression], axis=1)
        r = _correlations(dosage, own, masks)
        for fold, best in enumerate(np.abs(r).argmax(axis=0)):
            strongest = float(r[best, fold])
            if abs(strongest) < _least_correlation(alpha / len(r), freedom[fold]):
                continue
            row = near.variants.iloc[best]
            lead = LeadEqtl(
                gene, near.chrom, int(row["start"]), str(row["variant_id"]), strongest,
                kept.setdefault(int(best), dosage[best].copy()),
            )  # fmt: skip
            found[fold].append(lead)
    return found


def apart_from_each_other(leads: list[LeadEqtl], apart: int) -> list[LeadEqtl]:
    """Keep the strongest, and of the rest those at least ``apart`` bases from all kept so far.

    Neighbours share variants, or linked ones: to count both would count one fact twice.
    """
    kept: list[LeadEqtl] = []
    taken: dict[str, list[int]] = {}
    for lead in sorted(leads, key=lambda one: -abs(one.r)):
        here = taken.setdefault(lead.chrom, [])
        if all(abs(lead.start - other) >= apart for other in here):
            here.append(lead.start)
            kept.append(lead)
    return kept


def _correlations(dosage: Matrix, expression: Matrix, masks: Matrix) -> Matrix:
    """Give Pearson's r of variants and a gene in each fold's training people.

    Parameters
    ----------
    dosage
        (variants, people).
    expression, masks
        (people, folds): the gene's residuals, of mean 0 in the training people, and 1 for these.

    Returns
    -------
    (variants, folds); 0 where a variant or the gene is constant.
    """
    # Less the mean over all, sums of squares lose no digits.
    centred = dosage - dosage.mean(axis=1, keepdims=True)
    own = expression * masks
    squares = centred**2 @ masks - (centred @ masks) ** 2 / masks.sum(axis=0)
    bound = np.sqrt(np.clip(squares, 0, None) * (own**2).sum(axis=0))
    product = centred @ own
    r: Matrix = np.divide(product, bound, out=np.zeros(product.shape), where=bound > 1e-9)
    # A perfect correlation would weigh infinitely.
    return np.clip(r, -0.999, 0.999)


def _least_correlation(p: float, df: float) -> float:
    """Give the smallest |r| whose two-sided p is at most ``p``."""
    t = float(stats.t.isf(p / 2, df))
    return t / float(np.sqrt(df + t**2))

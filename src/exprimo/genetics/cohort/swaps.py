"""Whose expression fits another person's genotypes better than their own.

Strong eQTLs are found in some people; of the others, expression is compared with what everybody's
genotypes predict (as Westra et al. 2011, Bioinformatics 27:2104, look for mix-ups).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError
from exprimo.data.phenotypes import fit_hidden_factors
from exprimo.genetics.cohort.cohort import Cohort
from exprimo.genetics.cohort.folds import folds_of
from exprimo.genetics.cohort.lead_eqtls import (
    LeadEqtl,
    apart_from_each_other,
    lead_eqtls,
    residual_expression,
)

Matrix = npt.NDArray[np.float64]

# Standardised expression farther out counts as this: one outlier must not decide.
_FARTHEST = 4.0
# More factors than this leave too little of expression to tell people by.
_PEOPLE_A_FACTOR = 4


class SwapCheck(NamedTuple):
    """What was found.

    Attributes
    ----------
    people
        ``sample``; ``own_z``: how far the fit of the own genotypes lies above that of the others',
        in their standard deviations; ``best_match``: whose genotypes fit best, ``best_z``;
        ``log10_ratio``: likelihood of the best other person's genotypes to the own; ``suspected``;
        ``mutual``: the best match's best match is this person.
    eqtls
        ``fold, gene_id, variant_id, r``: what it rests on.
    expected_ratio
        log10 of the likelihood ratio that own genotypes have on average, in the worst fold.
    least_ratio
        The ratio (log10) from which on a person is suspected.
    enough
        Whether the eQTLs are strong enough to tell (``expected_ratio`` reaches ``least_ratio``).
        If not, nobody is suspected.
    """

    people: pd.DataFrame
    eqtls: pd.DataFrame
    expected_ratio: float
    least_ratio: float
    enough: bool


def check_swaps(
    cohort: Cohort,
    *,
    folds: int = 5,
    seed: int = 0,
    window: int = 100_000,
    maf: float = 0.05,
    alpha: float = 1e-3,
    hidden: int | Literal["auto"] = "auto",
    apart: int = 100_000,
    odds: float = 100.0,
) -> SwapCheck:
    """Look for people whose expression and genotypes are of different persons.

    Parameters
    ----------
    cohort
        From `open_cohort`. Covariates are projected out of expression.
    folds, seed
        Each person is judged by eQTLs that were found without them.
    window, maf, alpha
        See `exprimo.genetics.cohort.lead_eqtls.lead_eqtls`.
    hidden
        How many hidden factors are projected out too. What they do to many genes at once would
        be counted as many facts; ``"auto"``: as many as the permutation rule finds, but
        no more than a quarter of the number of people.
    apart
        Bases between the variants used: closer ones tell the same.
    odds
        Suspect a person where another's genotypes fit better by this times the number of others.

    Examples
    --------
    >>> with open_cohort("g.vcf.gz", "e.bed.gz") as cohort:  # doctest: +SKIP
    ...     found = check_swaps(cohort)
    >>> found.people[found.people["suspected"]]  # doctest: +SKIP
    """
    if odds < 1 or apart < 0:
        raise ConfigError(
            "not a setting of the swap check",
            found=f"odds {odds:g}, apart {apart}",
            expected="odds from 1, a distance from 0",
        )
    numbers = folds_of(cohort.people, folds, seed)
    n = len(cohort.people)
    factors = _count_factors(cohort, seed) if hidden == "auto" else hidden
    expression = [residual_expression(cohort, numbers != fold, factors) for fold in range(folds)]
    search = lead_eqtls(
        cohort, numbers, expression, hidden=factors, window=window, maf=maf, alpha=alpha
    )
    found = [apart_from_each_other(leads, apart) for leads in search]
    scores = np.zeros((n, n))
    expected = []
    for fold, leads in enumerate(found):
        training = numbers != fold
        scores[~training] = _scores(expression[fold], leads, training)
        r2 = np.array([lead.r**2 for lead in leads])
        expected.append(float((r2 / (1 - r2)).sum() / np.log(10)))
    least = float(np.log10(odds * (n - 1)))
    enough = min(expected) >= least
    genes = cohort.expression.genes["gene_id"].to_numpy()
    eqtls = pd.DataFrame(
        [
            (fold, genes[lead.gene], lead.variant_id, lead.r)
            for fold, leads in enumerate(found)
            for lead in leads
        ],
        columns=["fold", "gene_id", "variant_id", "r"],
    )
    people = _verdicts(cohort.people, scores, least, enough)
    return SwapCheck(people, eqtls, min(expected), least, enough)


def _count_factors(cohort: Cohort, seed: int) -> int:
    found = fit_hidden_factors(cohort.expression.values, covariates=cohort.covariates, seed=seed)
    return min(len(found.names), len(cohort.people) // _PEOPLE_A_FACTOR)


def _scores(expression: Matrix, leads: list[LeadEqtl], training: npt.NDArray[np.bool_]) -> Matrix:
    """Give the log likelihood of each tested person's expression by everybody's genotypes.

    Shape (tested people, people), up to a constant for each tested person: with z the expression
    and x the dosage, both standardised, z given x is normal about r x with variance 1 - r².
    """
    tested = ~training
    if not leads:
        return np.zeros((int(tested.sum()), len(training)))
    r = np.array([lead.r for lead in leads])
    dosage = np.stack([lead.dosage for lead in leads])
    mean = dosage[:, training].mean(axis=1, keepdims=True)
    predicted = r[:, None] * (dosage - mean) / dosage[:, training].std(axis=1, keepdims=True)
    measured = expression[[lead.gene for lead in leads]][:, tested]
    weighted = np.clip(measured, -_FARTHEST, _FARTHEST) / (1 - r**2)[:, None]
    size = (predicted**2 / (1 - r**2)[:, None]).sum(axis=0)
    likelihood: Matrix = weighted.T @ predicted - size / 2
    return likelihood


def _verdicts(people: tuple[str, ...], scores: Matrix, least: float, enough: bool) -> pd.DataFrame:
    n = len(people)
    own = scores.diagonal()
    others = scores.copy()
    np.fill_diagonal(others, np.nan)
    mean, sd = np.nanmean(others, axis=1), np.nanstd(others, axis=1)
    sd[sd == 0] = 1
    np.fill_diagonal(others, -np.inf)
    nearest = others.argmax(axis=1)
    ratio = (others[np.arange(n), nearest] - own) / np.log(10)
    best = np.where(ratio > 0, nearest, np.arange(n))
    return pd.DataFrame(
        {
            "sample": list(people),
            "own_z": (own - mean) / sd,
            "best_match": [people[at] for at in best],
            "best_z": (scores[np.arange(n), best] - mean) / sd,
            "log10_ratio": ratio,
            "suspected": (ratio >= least) & enough,
            "mutual": (best != np.arange(n)) & (best[best] == np.arange(n)),
        }
    )

"""Expression transformed, and hidden factors among the covariates, fitted on training people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError
from exprimo.core.ledger import Ledger
from exprimo.data.phenotypes.hidden_factors import fit_hidden_factors
from exprimo.data.phenotypes.transforms import TransformName, fit_transforms
from exprimo.genetics.cohort.cohort import Cohort


def prepared(
    cohort: Cohort,
    training: npt.NDArray[np.bool_] | None = None,
    *,
    transforms: Sequence[TransformName] = (),
    hidden: int | Literal["auto"] = 0,
    seed: int = 0,
) -> tuple[Cohort, Ledger]:
    """Transform expression and add hidden factors to the covariates of all people.

    Parameters
    ----------
    cohort
        From `open_cohort`; it is left as it is, and shares its genotypes.
    training
        (people,): who is learned from; None: all.
    transforms
        In this order; see `exprimo.data.phenotypes.transforms`.
    hidden
        How many factors of the transformed expression, besides the covariates; ``"auto"``: by
        permutation. See `exprimo.data.phenotypes.hidden_factors`.
    seed
        Of the permutations.

    Returns
    -------
    The cohort, and who was learned from (unit ``individual``).

    Examples
    --------
    >>> with open_cohort("g.vcf.gz", "e.bed.gz") as cohort:  # doctest: +SKIP
    ...     ready, ledger = prepared(cohort, transforms=["inverse_normal"], hidden="auto")
    """
    chosen = np.ones(len(cohort.people), dtype=bool) if training is None else training
    if chosen.shape != (len(cohort.people),) or not chosen.any():
        raise InputError(
            "not a choice of training people",
            found=f"{int(chosen.sum())} of {chosen.size}",
            expected=f"some of {len(cohort.people)}",
        )
    learned = frozenset(np.array(cohort.people, dtype=object)[chosen].tolist())
    ledger = Ledger({})
    values, covariates, names = cohort.expression.values, cohort.covariates, cohort.covariate_names
    if transforms:
        values = fit_transforms(transforms, values[:, chosen]).apply(values)
        ledger = ledger.merged(Ledger({"expression transforms": {"individual": learned}}))
    if hidden != 0:
        factors = fit_hidden_factors(
            values[:, chosen],
            None if hidden == "auto" else hidden,
            covariates=covariates[chosen],
            seed=seed,
        )
        covariates = np.hstack([covariates, factors.of(values, covariates)])
        names = (*names, *_new_names(factors.names, names))
        ledger = ledger.merged(Ledger({"hidden factors": {"individual": learned}}))
    ready = cohort._replace(
        expression=cohort.expression._replace(values=values),
        covariates=covariates,
        covariate_names=names,
    )
    return ready, ledger


def _new_names(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Call factors hidden_PC1, ...: PC1 is often a genotype's component among the covariates."""
    new = [f"hidden_{name}" for name in names]
    clash = sorted(set(new) & set(taken))
    if clash:
        raise InputError(
            "covariates already have the names of hidden factors",
            found=", ".join(clash[:5]),
            remedy="Rename them, or ask for no hidden factors",
        )
    return new

"""Expression transformed, and hidden factors among the covariates, fitted on training people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError
from exprimo.core.ledger import Ledger
from exprimo.data.phenotypes.hidden_factors import fit_hidden_factors
from exprimo.data.phenotypes.transforms import TransformName, fit_transforms
from exprimo.genetics.cohort.cohort import Cohort

Matrix = npt.NDArray[np.float64]

HIDDEN_NOTE = (
    "hidden factors are made of all genes of a person: they have seen a little of the gene that "
    "is tested"
)


class PreparedFolds(NamedTuple):
    """Expression and covariates of all people, as the training people of each fold give them.

    Attributes
    ----------
    values
        (genes, people) for each fold, 0, 1, ..., then as everybody gives them; a single one where
        nothing was fitted, and all are the same.
    covariates
        (people, covariates), likewise.
    ledger
        Who was learned from for each fold; empty where nothing was fitted.
    notes
        What should be known of it.
    """

    values: tuple[Matrix, ...]
    covariates: tuple[Matrix, ...]
    ledger: Ledger
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether all folds have the same."""
        return len(self.values) == 1

    def of_fold(self, fold: int) -> tuple[Matrix, Matrix]:
        """Give expression and covariates for a fold that is held out; -1: for everybody."""
        at = 0 if self.same else fold
        return self.values[at], self.covariates[at]


def prepare_folds(
    people: Sequence[str],
    values: Matrix,
    covariates: Matrix,
    fold: npt.NDArray[np.int64],
    *,
    transforms: Sequence[TransformName] = (),
    hidden: int | Literal["auto"] = 0,
    everybody: bool = True,
    seed: int = 0,
) -> PreparedFolds:
    """Transform expression and add hidden factors anew for each fold that is held out.

    Parameters
    ----------
    people, values, covariates
        Names; (genes, people); (people, covariates).
    fold
        Of each person, (people,), from 0.
    transforms, hidden, seed
        As `prepared` takes them.
    everybody
        Prepare by everybody too.

    Examples
    --------
    >>> values = np.array([[1.0, 2.0, 3.0, 6.0]])
    >>> given = (["a", "b", "c", "d"], values, np.empty((4, 0)), np.array([0, 0, 1, 1]))
    >>> found = prepare_folds(*given, transforms=["zscore"])
    >>> found.values[1].round(2).tolist(), sorted(found.ledger.learned)[1]
    ([[-0.71, 0.71, 2.12, 6.36]], 'expression transforms without fold 0')
    """
    if not transforms and hidden == 0:
        return PreparedFolds((values,), (covariates,), Ledger({}))
    found = [(f"without fold {number}", fold != number) for number in range(int(fold.max()) + 1)]
    if everybody:
        found.append(("of everybody", np.ones(len(people), dtype=bool)))
    ready = [
        _prepared(people, values, covariates, chosen, transforms, hidden, seed)
        for _, chosen in found
    ]
    learned = {
        f"{name} {of}": units
        for (of, _), one in zip(found, ready, strict=True)
        for name, units in one[2].learned.items()
    }
    return PreparedFolds(
        tuple(one[0] for one in ready),
        tuple(one[1] for one in ready),
        Ledger(learned),
        (HIDDEN_NOTE,) if hidden != 0 else (),
    )


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
    values, covariates, ledger = _prepared(
        cohort.people,
        cohort.expression.values,
        cohort.covariates,
        chosen,
        transforms,
        hidden,
        seed,
    )
    names = cohort.covariate_names
    n_hidden = covariates.shape[1] - len(names)
    ready = cohort._replace(
        expression=cohort.expression._replace(values=values),
        covariates=covariates,
        covariate_names=(*names, *_new_names(n_hidden, names)),
    )
    return ready, ledger


def _prepared(
    people: Sequence[str],
    values: Matrix,
    covariates: Matrix,
    chosen: npt.NDArray[np.bool_],
    transforms: Sequence[TransformName],
    hidden: int | Literal["auto"],
    seed: int,
) -> tuple[Matrix, Matrix, Ledger]:
    learned = frozenset(np.array(people, dtype=object)[chosen].tolist())
    ledger = Ledger({})
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
        ledger = ledger.merged(Ledger({"hidden factors": {"individual": learned}}))
    return values, covariates, ledger


def _new_names(n: int, taken: Sequence[str]) -> list[str]:
    """Call factors hidden_PC1, ...: PC1 is often a genotype's component among the covariates."""
    new = [f"hidden_PC{at + 1}" for at in range(n)]
    clash = sorted(set(new) & set(taken))
    if clash:
        raise InputError(
            "covariates already have the names of hidden factors",
            found=", ".join(clash[:5]),
            remedy="Rename them, or ask for no hidden factors",
        )
    return new

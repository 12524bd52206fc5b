"""What the association stages work on: files, people, folds, and the genes that can be tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.data.names import read_chromosome_names
from exprimo.genetics.cohort import Cohort, folds_of, open_cohort
from exprimo.studies.individual.association.config import Association
from exprimo.studies.individual.config import IndividualStudy

FOLDS = "folds.tsv"
# Of the rows that any learner of the stack is fitted on; see its members.
_FEWEST_TO_LEARN = 8
_INNER_FOLDS = 5
_MOST_INNER = 10


class Given(NamedTuple):
    """What every stage is given.

    Attributes
    ----------
    folder
        ``association`` in the folder of results.
    genotypes, expression, covariates
        Files.
    chrom_style
        ``"auto"``, or a table of names.
    people
        Whose genotypes and expression are known, and their folds, (people,).
    genes
        Genes of the study whose expression varies, in the order of the expression.
    drawn
        Those of them that scores and stack are fitted on, in the same order.
    settings, seed, threads
        Of the study.
    """

    folder: Path
    genotypes: Path
    expression: Path
    covariates: Path | None
    chrom_style: str | Path
    people: tuple[str, ...]
    folds: npt.NDArray[np.int64]
    genes: tuple[str, ...]
    drawn: tuple[str, ...]
    settings: Association
    seed: int
    threads: int | None

    @contextmanager
    def cohort(self) -> Iterator[Cohort]:
        """Open genotypes and expression of these people."""
        names = None if self.chrom_style == "auto" else read_chromosome_names(self.chrom_style)
        with open_cohort(
            self.genotypes, self.expression, self.covariates,
            samples=self.people, chrom_table=names, constant="drop",
        ) as cohort:  # fmt: skip
            yield cohort

    @property
    def inner_folds(self) -> int:
        """Give PredictDB's ten folds of training people, or fewer where there are few people."""
        return min(_MOST_INNER, fewest_training(len(self.people), self.settings.folds) // 2)

    @property
    def folds_file(self) -> Path:
        """Give the table ``sample, fold`` that all predictors share."""
        return self.folder / FOLDS


def open_given(
    study: IndividualStudy,
    home: Path,
    folder: Path,
    people: Sequence[str],
    genes: Sequence[str],
) -> Given | None:
    """Match people and genes for the association, and refuse what none of its stages could use.

    Parameters
    ----------
    folder
        Of results.
    people, genes
        Of the study.

    Returns
    -------
    Given or None
        None where there is no expression, or nothing of this is asked for.
    """
    if study.people.expression is None or not study.association.run:
        return None
    style, settings = study.genes.chrom_style, study.association
    covariates = study.people.covariates
    _refuse_few(len(people), settings)
    given = Given(
        folder / "association",
        home / study.people.genotypes,
        home / study.people.expression,
        None if covariates is None else home / covariates,
        style if style == "auto" else home / style,
        tuple(people),
        folds_of(people, settings.folds, study.seed),
        (), (), settings, study.seed, study.threads,
    )  # fmt: skip
    with given.cohort() as cohort:
        wanted = set(genes)
        known = tuple(gene for gene in cohort.expression.genes["gene_id"] if gene in wanted)
    if not known:
        raise InputError(
            "no gene of the study varies in expression",
            file=given.expression,
            found=", ".join(list(genes)[:5]),
            remedy="Leave the association out: association.run = false",
        )
    return given._replace(genes=known, drawn=draw(known, settings.stack_genes, study.seed))


def write_folds(given: Given) -> None:
    """Write the folds that all predictors share, where they do not stand yet."""
    given.folder.mkdir(exist_ok=True)
    if not given.folds_file.exists():
        table = pd.DataFrame({"sample": given.people, "fold": given.folds})
        with atomic_file(given.folds_file) as partial:
            table.to_csv(partial, sep="\t", index=False, lineterminator="\n")


def draw(genes: Sequence[str], n: int | None, seed: int) -> tuple[str, ...]:
    """Draw some genes, in the order that they have.

    Examples
    --------
    >>> draw(["a", "b", "c", "d"], 9, 1)
    ('a', 'b', 'c', 'd')
    """
    if n is None or n >= len(genes):
        return tuple(genes)
    chosen = np.random.default_rng([seed, 3]).choice(len(genes), n, replace=False)
    return tuple(genes[at] for at in sorted(chosen.tolist()))


def _refuse_few(n_people: int, settings: Association) -> None:
    """Refuse so few people that the innermost folds of the stack would hold next to nobody."""
    innermost = fewest_training(n_people, settings.folds)
    if settings.folds > n_people or innermost < _FEWEST_TO_LEARN:
        raise InputError(
            "too few people for folds within folds",
            found=f"{n_people}, of whom {max(innermost, 0)} would teach",
            expected=f"{_FEWEST_TO_LEARN} at least",
            remedy="Leave the association out: association.run = false",
        )


def fewest_training(n_people: int, folds: int) -> int:
    """Give how many people train where an outer and an inner fold are left out.

    Examples
    --------
    >>> fewest_training(200, 5), fewest_training(20, 5)
    (128, 12)
    """
    training = n_people - -(-n_people // folds)
    return training - -(-training // _INNER_FOLDS)

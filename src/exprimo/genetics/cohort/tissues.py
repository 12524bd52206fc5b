"""Several tissues of the same people: a cohort each, and folds that they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError
from exprimo.data.fasta.genome import Genome
from exprimo.genetics.cohort.cohort import Cohort, open_cohort
from exprimo.genetics.cohort.folds import folds_of

Folds = npt.NDArray[np.int64]


def open_tissues(
    genotypes: str | Path,
    expression: Mapping[str, str | Path],
    covariates: Mapping[str, str | Path] | str | Path | None = None,
    *,
    genome: Genome | None = None,
    samples: Sequence[str] | Path | None = None,
    chrom_table: Mapping[str, str] | None = None,
    gene_table: str | Path | None = None,
    constant: Literal["error", "drop"] = "error",
) -> Iterator[tuple[str, Cohort]]:
    """Open one cohort after the other, each closed before the next.

    Parameters
    ----------
    genotypes, genome, samples, chrom_table, gene_table, constant
        As `open_cohort` takes them.
    expression
        Tissue -> expression BED.
    covariates
        Tissue -> file, or one file for all.

    Examples
    --------
    >>> for tissue, cohort in open_tissues(
    ...     "g.vcf.gz", {"liver": "l.bed.gz", "brain": "b.bed.gz"}
    ... ):  # doctest: +SKIP
    ...     print(tissue, len(cohort.people))
    """
    if isinstance(covariates, Mapping):
        unlike = sorted(set(expression) ^ set(covariates))
        if unlike:
            raise ConfigError(
                "expression and covariates of different tissues",
                found=", ".join(unlike[:5]),
                expected="both for each tissue, or one file of covariates for all",
            )
    for tissue, bed in expression.items():
        own = covariates[tissue] if isinstance(covariates, Mapping) else covariates
        with open_cohort(
            genotypes, bed, own,
            genome=genome, samples=samples, chrom_table=chrom_table, gene_table=gene_table,
            constant=constant,
        ) as cohort:  # fmt: skip
            yield tissue, cohort


def shared_folds(
    people: Mapping[str, Sequence[str]],
    n: int = 5,
    seed: int = 0,
    file: str | Path | None = None,
) -> dict[str, Folds]:
    """Give each person one fold in every tissue: who is tested in one is trained on in none.

    Parameters
    ----------
    people
        Tissue -> names.
    n, seed, file
        See `folds_of`.

    Examples
    --------
    >>> folds = shared_folds({"liver": ["a", "b", "c"], "brain": ["c", "a"]}, 2)
    >>> bool((folds["brain"] == folds["liver"][[2, 0]]).all())
    True
    """
    everybody = list(dict.fromkeys(name for names in people.values() for name in names))
    numbers = folds_of(everybody, n, seed, file)
    fold_of = dict(zip(everybody, numbers, strict=True))
    folds = {
        tissue: np.array([fold_of[name] for name in names], dtype=np.int64)
        for tissue, names in people.items()
    }
    used = np.unique(numbers)
    for tissue, own in folds.items():
        empty = sorted(set(used.tolist()) - set(own.tolist()))
        if empty:
            raise ConfigError(
                "a fold without people",
                record=f"tissue {tissue}",
                found=f"nobody in fold {', '.join(map(str, empty))}",
                expected="people of every fold in every tissue",
                remedy="Ask for fewer folds, or give a file of folds",
            )
    return folds

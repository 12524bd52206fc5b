"""People and genes that features, expression, covariates and genotypes share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.data.phenotypes import PersonalExpression, read_covariates
from exprimo.data.phenotypes.covariates import people_of_covariates
from exprimo.genetics.cohort import Cohort, open_cohort_of
from exprimo.genetics.cohort.checks import refuse_collinear, refuse_few_people, refuse_unsorted
from exprimo.genetics.cohort.matching import match_people
from exprimo.genetics.stacking.inputs.tables import FeatureTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Samples = Sequence[str] | Path | None


class Matched(NamedTuple):
    """Expression and covariates of the people whom all files have; genotypes where given."""

    people: tuple[str, ...]
    expression: PersonalExpression
    covariates: FloatArray
    cohort: Cohort | None
    dropped: dict[str, int]


class GenotypeFiles(NamedTuple):
    """Genotypes, what REF alleles are checked against, and how chromosomes are named."""

    genotypes: str | Path | None
    fasta: str | Path | None
    chrom_style: str | Path


@contextmanager
def matched(
    measured: PersonalExpression,
    tables: Sequence[FeatureTable],
    files: GenotypeFiles,
    covariates: str | Path | None,
    samples: Samples = None,
) -> Iterator[Matched]:
    """Match people by name over all files.

    Parameters
    ----------
    tables
        Of features; may be empty where there are genotypes.
    samples
        Only these people: names, or a file with one a line.
    """
    asked, counts = samples, dict[str, int]()
    if tables:
        people, counts = _people_with_features(measured, tables, covariates, samples)
        if files.genotypes is None:
            values = _covariates(measured, people, covariates)
            yield Matched(people, measured.of(people), values, None, counts)
            return
        asked = people
    if files.genotypes is None:
        raise ConfigError("neither features nor genotypes", remedy="Give --features")
    opened = open_cohort_of(
        files.genotypes, measured, covariates, fasta=files.fasta, chrom_style=files.chrom_style,
        samples=asked, constant="drop",
    )  # fmt: skip
    with opened as cohort:
        for reason, n in cohort.dropped.items():
            counts[reason] = counts.get(reason, 0) + n
        yield Matched(cohort.people, cohort.expression, cohort.covariates, cohort, counts)


def _covariates(
    measured: PersonalExpression, people: Sequence[str], file: str | Path | None
) -> FloatArray:
    """Read covariates of people without genotypes, refusing what a cohort with them refuses."""
    refuse_unsorted(measured)
    refuse_few_people(people, (), measured.source)
    if file is None:
        return np.empty((len(people), 0))
    names, values = read_covariates(file, people, refuse_constant=True)
    refuse_few_people(people, names, measured.source)
    refuse_collinear(names, values, file)
    return values


def _people_with_features(
    measured: PersonalExpression,
    tables: Sequence[FeatureTable],
    covariates: str | Path | None,
    samples: Samples,
) -> tuple[tuple[str, ...], dict[str, int]]:
    common = set(tables[0].frame["individual"])
    for table in tables[1:]:
        common &= set(table.frame["individual"])
    if not common:
        heads = [f"{one.path}: {', '.join(one.frame['individual'].head(5))}" for one in tables]
        raise MismatchError("nobody is in all feature tables", found="; ".join(heads))
    described = None
    if covariates is not None:
        described = people_of_covariates(covariates, (*sorted(common), *measured.people))
    people, dropped = match_people(
        sorted(common),
        measured.people,
        described,
        asked=samples,
        files=("features", str(measured.source), str(covariates)),
    )
    return people, {reason.replace("genotypes", "features"): n for reason, n in dropped.items()}


def shared_genes(
    expression: PersonalExpression, tables: Sequence[FeatureTable], only: Sequence[str] = ()
) -> tuple[list[str], IntArray, dict[str, int]]:
    """Give genes that vary and that all tables of genes have, and their rows of expression.

    Parameters
    ----------
    only
        These genes; empty: all.
    """
    names = expression.genes["gene_id"].tolist()
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise MismatchError(
            "genes without expression",
            file=expression.source,
            found=f"{len(unknown)}: {', '.join(unknown[:5])}",
            expected=f"genes such as {', '.join(names[:3])}",
        )
    asked = np.isin(names, list(only)) if only else np.ones(len(names), dtype=bool)
    known = [set(table.frame["gene_id"]) for table in tables if table.of_genes]
    has = np.array([all(name in genes for genes in known) for name in names])
    varies = np.ptp(expression.values, axis=1) > 0
    rows = np.flatnonzero(asked & has & varies)
    if not len(rows):
        heads = [f"{one.path}: {', '.join(one.frame['gene_id'].head(3))}"
                 for one in tables if one.of_genes]  # fmt: skip
        raise MismatchError(
            "no gene that varies is in all tables of genes",
            file=expression.source,
            found="; ".join(heads) or "constant genes",
            expected=f"genes such as {', '.join(names[:3])}",
        )
    dropped = {
        "genes without features": int((asked & ~has).sum()),
        "genes that do not vary": int((asked & has & ~varies).sum()),
    }
    return [names[row] for row in rows], rows, {why: n for why, n in dropped.items() if n}

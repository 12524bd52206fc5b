"""Personal predictions beside what was measured: over people in a gene, over genes in a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from exprimo.core.errors import MismatchError
from exprimo.data.phenotypes import PersonalExpression
from exprimo.evaluate import bootstrap
from exprimo.evaluate.grouped import AcrossPeople, across_people
from exprimo.evaluate.regression import pearson_r

Matrix = npt.NDArray[np.float64]


class Judged(NamedTuple):
    """Predictions and measurements of the same genes and people.

    Attributes
    ----------
    genes, people
        Names of rows and columns.
    observed, predicted
        (genes, people).
    """

    genes: tuple[str, ...]
    people: tuple[str, ...]
    observed: Matrix
    predicted: Matrix


def read_predicted(path: Path) -> pd.DataFrame:
    """Read personal predictions as a table, gene by person; several tracks are averaged."""
    columns = ["gene_id", "individual", "prediction"]
    table: pd.DataFrame = pq.read_table(path.absolute(), columns=columns).to_pandas()
    return table.pivot_table(
        index="gene_id", columns="individual", values="prediction", aggfunc="mean", sort=False
    )


def judge(
    predicted: pd.DataFrame, expression: PersonalExpression, covariates: Matrix | None
) -> Judged:
    """Join predictions with expression by gene and person; covariates are taken off expression.

    Parameters
    ----------
    predicted
        Genes by people.
    covariates
        (people, k) of the people of ``expression``.
    """
    row_of = {gene: at for at, gene in enumerate(expression.genes["gene_id"])}
    genes = [gene for gene in predicted.index if gene in row_of]
    people = [name for name in expression.people if name in predicted.columns]
    if not genes or not people:
        raise MismatchError(
            f"no {'gene' if people else 'person'} has both a prediction and expression",
            file=expression.source,
            found=", ".join((list(row_of) if people else list(expression.people))[:5]),
            expected=", ".join(map(str, (predicted.index if people else predicted.columns)[:5])),
        )
    told = predicted.loc[genes, people].to_numpy(dtype=np.float64)
    rows = [row_of[gene] for gene in genes]
    truth = expression.values[rows]
    if covariates is not None:
        truth = without(truth, covariates)
    place = {name: at for at, name in enumerate(expression.people)}
    truth = truth[:, [place[name] for name in people]]
    whole = np.isfinite(told).all(axis=1) & np.isfinite(truth).all(axis=1)
    kept = tuple(gene for gene, ok in zip(genes, whole, strict=True) if ok)
    return Judged(kept, tuple(people), truth[whole], told[whole])


def without(values: Matrix, covariates: Matrix) -> Matrix:
    """Take what covariates explain off each row by least squares; its mean stays.

    Examples
    --------
    >>> rows = np.array([[1.0, 3.0, 5.0], [2.0, 2.0, 5.0]])
    >>> without(rows, np.array([[0.0], [1.0], [2.0]])).round(6).tolist()
    [[3.0, 3.0, 3.0], [3.5, 2.0, 3.5]]
    """
    centred = covariates - covariates.mean(axis=0)
    mean = values.mean(axis=1, keepdims=True)
    fitted, *_ = np.linalg.lstsq(centred, (values - mean).T, rcond=None)
    found: Matrix = values - (centred @ fitted).T
    return found


def gene_table(judged: Judged, found: AcrossPeople) -> pd.DataFrame:
    """Give r over people of each gene, and how much people differ, measured and predicted."""
    return pd.DataFrame(
        {
            "gene_id": judged.genes,
            "n_people": len(judged.people),
            "pearson_r": found.per_gene,
            "sd_observed": judged.observed.std(axis=1, ddof=1),
            "sd_predicted": judged.predicted.std(axis=1, ddof=1),
        }
    )


def people_table(judged: Judged) -> pd.DataFrame:
    """Give r over genes of each person: by their own sequence, and by everybody's mean.

    ``mean_r`` is the r of the prediction's mean over people, which knows nothing of the person.
    """
    mean = judged.predicted.mean(axis=1)
    rows = [
        {
            "individual": name,
            "n_genes": len(judged.genes),
            "pearson_r": pearson_r(judged.observed[:, at], judged.predicted[:, at]),
            "mean_r": pearson_r(judged.observed[:, at], mean),
        }
        for at, name in enumerate(judged.people)
    ]
    return pd.DataFrame(rows)


def agreement(
    judged: Judged, groups: Sequence[str] | None, *, seed: int
) -> tuple[dict[str, Any], AcrossPeople]:
    """Say how well predictions agree with expression, over people and over genes.

    Parameters
    ----------
    groups
        Genes that are resampled together; None: each for itself.

    Returns
    -------
    dict
        ``across_people``: mean r over genes with its interval and its null; ``across_genes``: r
        over genes of the means over people; ``n_genes``, ``n_people``.
    AcrossPeople
        The first with each gene's r.
    """
    found = across_people(judged.observed, judged.predicted, groups=groups, seed=seed)
    between = bootstrap(
        judged.observed.mean(axis=1),
        judged.predicted.mean(axis=1),
        np.asarray(groups if groups is not None else judged.genes),
        ["pearson_r"],
        unit="gene",
        seed=seed,
    )["pearson_r"]
    told = found._asdict() | {"mean_r": found.mean_r._asdict()}
    del told["per_gene"]
    facts = {
        "n_genes": len(judged.genes),
        "n_people": len(judged.people),
        "across_people": told,
        "across_genes": between._asdict(),
    }
    return facts, found

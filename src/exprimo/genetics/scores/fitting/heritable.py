"""Cis-heritability beside the scores: what is reachable. It describes all people, held out or not.

An estimate from everybody is no predictor and judges none: nothing here is used by a score.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.genetics.scores.heritability import basis_beyond, heritability_beyond

HERITABILITY = "heritability.parquet"
_FLOATS = ("h2", "h2_se", "h2_low", "h2_high", "pval")
_SCHEMA = pa.schema(
    [
        ("gene_id", pa.string()),
        *((name, pa.float64()) for name in _FLOATS),
        ("n_variants", pa.int64()),
    ]
)
# Of the squared length of expression: less than this left by the covariates is rounding error.
_EXPLAINED = 1e-18
_DRAWS = 2000


class HeritableGenes:
    """Collects the heritability of one gene after the other.

    Parameters
    ----------
    covariates
        (people, covariates), without an intercept: taken out of expression and variants.
    """

    def __init__(self, covariates: npt.NDArray[np.float64]) -> None:
        self._basis = basis_beyond(covariates, len(covariates))
        self._rows: list[tuple[Any, ...]] = []

    def add(
        self,
        gene: str,
        dosage: npt.NDArray[np.floating],
        expression: npt.NDArray[np.float64],
    ) -> None:
        """Estimate one gene from (variants, people) and (people,).

        Expression that the covariates explain wholly has no heritability: its row is NaN.
        """
        left = self._basis.T @ expression
        if left @ left <= _EXPLAINED * (expression @ expression):
            self._rows.append((gene, *([math.nan] * len(_FLOATS)), len(dosage)))
            return
        found = heritability_beyond(self._basis, dosage, expression)
        self._rows.append(
            (gene, found.h2, found.se, found.low, found.high, found.p, found.n_variants)
        )

    def table(self) -> pd.DataFrame:
        """Give ``gene_id, h2, h2_se, h2_low, h2_high, pval, n_variants``."""
        return pd.DataFrame(self._rows, columns=_SCHEMA.names)

    def write(self, folder: Path, origin: Mapping[str, Any]) -> None:
        """Write the table, with where it comes from."""
        note = {"exprimo": json.dumps({**origin, "people": "all: a description, not a predictor"})}
        rows = pa.Table.from_pandas(self.table(), _SCHEMA, preserve_index=False)
        # A handle, not a path: pyarrow takes a folder called "~" for the user's home.
        with open(folder / HERITABILITY, "wb") as handle:
            pq.write_table(rows.replace_schema_metadata(note), handle)


def mean_heritability(table: pd.DataFrame, n_people: int, seed: int = 0) -> dict[str, float]:
    """Summarise heritabilities over genes; a gene without variants counts as 0.

    Returns
    -------
    ``h2`` (mean over genes, right on average since estimates may be below 0), its ``low`` and
    ``high`` (95% interval, genes resampled), ``median_h2``, ``n_genes``, ``n_people``.

    Examples
    --------
    >>> table = pd.DataFrame({"h2": [0.5, 0.5, np.nan]})
    >>> found = mean_heritability(table, 90)
    >>> found["h2"], found["low"], found["high"], found["n_genes"]
    (0.5, 0.5, 0.5, 2)
    """
    h2 = table["h2"].dropna().to_numpy(np.float64)
    if not len(h2):
        nothing = dict.fromkeys(("h2", "low", "high", "median_h2"), math.nan)
        return {**nothing, "n_genes": 0, "n_people": n_people}
    draws = np.random.default_rng(seed).integers(0, len(h2), (_DRAWS, len(h2)))
    low, high = np.percentile(h2[draws].mean(axis=1), [2.5, 97.5])
    return {
        "h2": float(h2.mean()),
        "low": float(low),
        "high": float(high),
        "median_h2": float(np.median(h2)),
        "n_genes": len(h2),
        "n_people": n_people,
    }

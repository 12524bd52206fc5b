"""Further signals of a gene, each given the others: forward, then backward."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.genetics.cohort import CisWindow
from exprimo.genetics.eqtl.gene import GeneRow, judged, strongest
from exprimo.genetics.eqtl.projection import Projection
from exprimo.genetics.eqtl.statistics.association import associate, filled, prepare


class Limits(NamedTuple):
    """When the search ends.

    Attributes
    ----------
    p
        Largest gene-level p-value of a signal: that of the weakest eGene.
    signals
        Most signals of one gene.
    """

    p: float
    signals: int


def independent_signals(
    window: CisWindow,
    expression: npt.NDArray[np.float64],
    space: Projection,
    orders: npt.NDArray[np.uint32],
    limits: Limits,
) -> list[GeneRow]:
    """Find conditionally independent signals (GTEx Consortium, Nature 2017, supplement).

    Forward, the strongest variant becomes a covariate and the window is mapped anew, as long as
    the strongest that is left has a gene-level p within the limit. Backward, each signal is mapped
    anew given all the others; the strongest variant then stands for it, if it still passes.

    Parameters
    ----------
    window
        Of one gene.
    expression
        (people,).
    space
        Of the covariates.
    orders
        (permutations, people).
    limits
        When it ends.

    Returns
    -------
    list
        Rows as of ``judged``, each with ``rank``: its place in the forward pass, from 1.
    """
    search = _Search(window, expression, space, orders)
    chosen: list[int] = []
    rows: list[GeneRow] = []
    while len(chosen) < limits.signals and space.df - len(chosen) > 1:
        at, row = search.given(chosen)
        if at is None or row is None or not _gene_p(row) <= limits.p:
            break
        chosen.append(at)
        rows.append(row)
    if len(chosen) > 1:
        return _backward(search, chosen, limits)
    return [{**row, "rank": 1} for row in rows]


def _backward(search: _Search, chosen: list[int], limits: Limits) -> list[GeneRow]:
    """Map each signal given all the others."""
    rows: list[GeneRow] = []
    taken: set[int] = set()
    for rank, signal in enumerate(chosen, 1):
        at, row = search.given([other for other in chosen if other != signal])
        if at is None or row is None or at in taken or not _gene_p(row) <= limits.p:
            continue
        taken.add(at)
        rows.append({**row, "rank": rank})
    return rows


def _gene_p(row: GeneRow) -> float:
    beta = float(row["pval_beta"])
    return float(row["pval_perm"]) if np.isnan(beta) else beta


class _Search(NamedTuple):
    """A window that is mapped given some of its variants."""

    window: CisWindow
    expression: npt.NDArray[np.float64]
    space: Projection
    orders: npt.NDArray[np.uint32]

    def given(self, variants: list[int]) -> tuple[int | None, GeneRow | None]:
        """Give the strongest variant, and its row, given others (places in the window)."""
        known = filled(self.window.dosage[variants])
        space = self.space.with_columns(known.T)
        prepared = prepare(self.window.dosage, space)
        found = associate(prepared, self.expression, space)
        row = judged(self.window, prepared, found, self.expression, space, self.orders)
        return strongest(found), row

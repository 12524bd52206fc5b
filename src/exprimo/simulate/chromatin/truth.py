"""What is true of the cell types: tables, and how well expression could ever be predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.simulate.chromatin.states import CellStates, Values

_HALF = 0.5


def expression_table(gene_ids: Sequence[str], states: CellStates) -> pd.DataFrame:
    """Give gene_id, then the observed log2 expression in each cell type."""
    table = pd.DataFrame(states.observed, columns=states.names)
    table.insert(0, "gene_id", list(gene_ids))
    return table


def cell_table(states: CellStates, scales: pd.DataFrame) -> pd.DataFrame:
    """Give each cell type's depth, factor activities and efficiencies of the marks."""
    activity = states.activity.add_prefix("activity_")
    efficiency = scales.drop(columns="depth").add_prefix("efficiency_")
    table = scales[["depth"]].join(activity).join(efficiency)
    return table.rename_axis("cell_type").reset_index()


def chromatin_table(
    gene_ids: Sequence[str], states: CellStates, heights: Mapping[str, Values]
) -> pd.DataFrame:
    """Give what is true of each gene in each cell type: one row each, genes in genome order.

    Returns
    -------
    pandas.DataFrame
        gene_id, cell_type, state, expected, activation, repression, openness, silencing,
        unmarked, and the height of each mark at the gene.
    """
    genes, cells = states.expected.shape
    table = pd.DataFrame(
        {
            "gene_id": np.repeat(np.asarray(gene_ids, dtype=object), cells),
            "cell_type": np.tile(np.asarray(states.names, dtype=object), genes),
            "state": gene_states(states.openness, states.silencing).ravel(),
            "expected": states.expected.ravel(),
            "activation": states.activation.ravel(),
            "repression": states.repression.ravel(),
            "openness": states.openness.ravel(),
            "silencing": states.silencing.ravel(),
            "unmarked": np.repeat(states.unmarked, cells),
        }
    )
    for name, values in heights.items():
        table[name] = values.ravel()
    return table


def gene_states(openness: Values, silencing: Values) -> npt.NDArray[np.object_]:
    """Name the state of each gene in each cell, same shape.

    Examples
    --------
    >>> gene_states(np.array([0.9, 0.9, 0.1, 0.1]), np.array([0.1, 0.9, 0.9, 0.1])).tolist()
    ['active', 'bivalent', 'repressed', 'quiet']
    """
    names = np.array([["quiet", "repressed"], ["active", "bivalent"]], dtype=object)
    return np.asarray(names[(openness > _HALF).astype(int), (silencing > _HALF).astype(int)])


def cell_ceilings(expected: Values, observed: Values) -> dict[str, float]:
    """Compare observed expression with its expectation given the truth: no model can do better.

    Parameters
    ----------
    expected, observed
        Shape (genes, cells).

    Returns
    -------
    dict
        Pearson's r and R² = 1 - residual / total sum of squares over all values; the means over
        cells of both over genes; and over cells within a gene: the mean of the genes' r, and R²
        about the genes' means, pooled because a gene that hardly varies has none of its own.

    Examples
    --------
    >>> expected = np.array([[0.0, 1.0, 2.0], [4.0, 6.0, 5.0]])
    >>> found = cell_ceilings(expected, expected + np.array([[0.5, 0.0, -0.5], [0.0, 0.0, 0.0]]))
    >>> found["cells_within_gene_r"], found["cells_within_gene_r2"]
    (1.0, 0.8)
    """
    residual = ((observed - expected) ** 2).sum()
    own = _centred(observed, axis=1)
    by_cell = [_r2(one, other) for one, other in zip(expected.T, observed.T, strict=True)]
    found = {
        "cells_overall_r": _correlations(expected.ravel(), observed.ravel(), axis=0),
        "cells_overall_r2": _r2(expected.ravel(), observed.ravel()),
        "cells_within_cell_r": _correlations(expected, observed, axis=0),
        "cells_within_cell_r2": float(np.mean(by_cell)),
        "cells_within_gene_r": _correlations(expected, observed, axis=1),
        "cells_within_gene_r2": float(1.0 - residual / (own**2).sum()),
    }
    return {name: round(value, 6) for name, value in found.items()}


def _centred(values: Values, axis: int) -> Values:
    return np.asarray(values - values.mean(axis=axis, keepdims=True))


def _r2(expected: Values, observed: Values) -> float:
    total = ((observed - observed.mean()) ** 2).sum()
    return float(1.0 - ((observed - expected) ** 2).sum() / total)


def _correlations(expected: Values, observed: Values, axis: int) -> float:
    """Average Pearson's r along an axis; what does not vary has none and is left out."""
    one, other = _centred(expected, axis), _centred(observed, axis)
    size = np.sqrt((one**2).sum(axis=axis) * (other**2).sum(axis=axis))
    shared = (one * other).sum(axis=axis)
    return float(np.mean(shared[size > 0] / size[size > 0]))

"""How samples relate to one another: principal components and distances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.floating]

_GENES, _COMPONENTS = 500, 10


class Components(NamedTuple):
    """Principal components of samples.

    ``scores`` has one row per sample and columns pc1, pc2, ...; ``explained`` is the share of
    variance of each; ``n_genes`` were used.
    """

    scores: pd.DataFrame
    explained: tuple[float, ...]
    n_genes: int


def principal_components(values: Floats, samples: list[str]) -> Components:
    """Find the main directions among the 500 most variable genes.

    Parameters
    ----------
    values
        Variance-stabilised, (genes, samples).
    samples
        Their names.

    Examples
    --------
    >>> found = principal_components(np.array([[0.0, 0, 4, 4], [1, 1, 1, 1]]), list("abcd"))
    >>> found.scores["pc1"].abs().tolist(), round(found.explained[0], 6)
    ([2.0, 2.0, 2.0, 2.0], 1.0)
    """
    variance = values.var(1, ddof=1)
    chosen = np.argsort(-variance, kind="stable")[:_GENES]
    centered = (values[chosen] - values[chosen].mean(1, keepdims=True)).T
    u, singular, _ = np.linalg.svd(centered, full_matrices=False)
    kept = min(_COMPONENTS, len(samples) - 1, len(chosen))
    # The sign of a component is arbitrary; the first sample decides, so that reruns agree.
    signs = np.where(u[0] < 0, -1.0, 1.0)
    scores = u * singular * signs
    total = float(np.sum(singular**2))
    explained = tuple(float(s**2) / total if total > 0 else 0.0 for s in singular[:kept])
    names = [f"pc{i + 1}" for i in range(kept)]
    table = pd.DataFrame(scores[:, :kept], index=pd.Index(samples, name="sample"), columns=names)
    return Components(table, explained, len(chosen))


def sample_distances(values: Floats, samples: list[str]) -> pd.DataFrame:
    """Give Euclidean distances between samples over all genes.

    Parameters
    ----------
    values
        Variance-stabilised, (genes, samples).

    Examples
    --------
    >>> sample_distances(np.array([[0.0, 3.0], [0.0, 4.0]]), ["a", "b"]).loc["a", "b"].item()
    5.0
    """
    centered = values - values.mean(1, keepdims=True)
    gram = centered.T @ centered
    squares = np.diag(gram)[:, None] + np.diag(gram)[None] - 2 * gram
    distances = np.sqrt(np.maximum(squares, 0.0))
    np.fill_diagonal(distances, 0.0)
    return pd.DataFrame(distances, index=pd.Index(samples, name="sample"), columns=samples)

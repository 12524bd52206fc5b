"""Groups of samples that a design makes no difference between, and whether any are left to vary."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError
from exprimo.labels.design.matrix import DesignMatrix


def cells(design: DesignMatrix) -> npt.NDArray[np.int64]:
    """Number the groups of samples with equal rows, by first appearance.

    Returns
    -------
    int64 array
        Shape (samples,), 0 up to the number of groups less one.

    Examples
    --------
    >>> import pandas as pd
    >>> from exprimo.labels.design import design_matrix
    >>> cells(design_matrix("~ status", pd.DataFrame({"status": list("BAAB")}))).tolist()
    [0, 1, 1, 0]
    """
    _, first, of_sample = np.unique(design.values, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[of_sample.reshape(-1)]


def cell_sizes(design: DesignMatrix) -> npt.NDArray[np.int64]:
    """Count for each sample those with an equal row, itself included; shape (samples,).

    ``cell_sizes(design) >= n`` is what DESeq2 asks before it trusts or replaces an outlier.

    Examples
    --------
    >>> import pandas as pd
    >>> from exprimo.labels.design import design_matrix
    >>> cell_sizes(design_matrix("~ status", pd.DataFrame({"status": list("BAA")}))).tolist()
    [1, 2, 2]
    """
    groups = cells(design)
    return np.bincount(groups)[groups].astype(np.int64)


def is_group_model(design: DesignMatrix) -> bool:
    """Tell whether there are as many distinct rows as coefficients.

    Then the fitted means are the means of the groups, and a linear model finds them.

    Examples
    --------
    >>> import pandas as pd
    >>> from exprimo.labels.design import design_matrix
    >>> sheet = pd.DataFrame({"a": list("xxyy"), "b": list("uvuv")})
    >>> is_group_model(design_matrix("~ a", sheet)), is_group_model(design_matrix("~ a + b", sheet))
    (True, False)
    """
    return bool(cells(design).max() + 1 == design.values.shape[1])


def check_replicates(design: DesignMatrix) -> None:
    """Refuse a design that leaves no sample to measure variation by.

    Raises
    ------
    InputError
        There are as many coefficients as samples; groups of one sample are named.

    Examples
    --------
    >>> import pandas as pd
    >>> from exprimo.labels.design import design_matrix
    >>> check_replicates(design_matrix("~ status", pd.DataFrame({"status": list("ABB")})))
    """
    n_samples, n_coefficients = design.values.shape
    if n_samples > n_coefficients:
        return
    found = f"{n_samples} samples for {n_coefficients} coefficients"
    if is_group_model(design):
        groups = (_group_text(design, at) for at in range(n_samples))
        listed = [f"{group}: 1 sample" for group in groups if group]
        found += f" ({'; '.join(listed[:8])}{'; ...' if len(listed) > 8 else ''})" if listed else ""
    raise InputError(
        "no replicates: nothing is left to measure variation between samples by",
        record=f"design {design.formula}",
        found=found,
        expected="more samples than coefficients",
        remedy="Add replicates, or leave terms out of the design",
    )


def _group_text(design: DesignMatrix, sample: int) -> str:
    row = design.data.iloc[sample]
    return ", ".join(f"{name} {row[name]}" for name in design.factors)

"""From a table of results to labels: changed, unchanged, or not tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

LABEL_COLUMNS = ("label", "direction", "baseMean", "log2FoldChange")


def call_labels(results: pd.DataFrame, *, lfc: float, padj: float) -> pd.DataFrame:
    """Call genes changed, either way.

    Parameters
    ----------
    results
        With ``baseMean``, ``log2FoldChange`` and ``padj``; the index is kept.
    lfc, padj
        A gene is called (1) if its log2 fold change is beyond ``lfc`` and its adjusted p-value
        below ``padj``; else 0. A gene without an adjusted p-value was not tested and has no
        label: it is never a negative.

    Returns
    -------
    DataFrame
        `LABEL_COLUMNS`; ``label`` 1, 0 or NaN, ``direction`` up, down, none, or None.

    Examples
    --------
    >>> results = pd.DataFrame({"baseMean": [9.0, 9.0, 1.0], "log2FoldChange": [3.0, 0.1, -4.0],
    ...                         "padj": [0.01, 0.9, float("nan")]})
    >>> call_labels(results, lfc=2, padj=0.05)["label"].tolist()
    [1.0, 0.0, nan]
    """
    tested = results["padj"].notna()
    called = (results["log2FoldChange"].abs() > lfc) & (results["padj"] < padj)
    direction = np.full(len(results), None, dtype=object)
    direction[tested] = "none"
    direction[called & (results["log2FoldChange"] > 0)] = "up"
    direction[called & (results["log2FoldChange"] < 0)] = "down"
    return pd.DataFrame(
        {
            "label": np.where(tested, called.astype(float), np.nan),
            "direction": direction,
            "baseMean": results["baseMean"],
            "log2FoldChange": results["log2FoldChange"],
        },
        index=results.index,
    )

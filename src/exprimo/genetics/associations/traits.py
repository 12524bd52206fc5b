"""Which trait rows of associations are of: one, or several genes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from exprimo.core.errors import InputError
from exprimo.data.annotation.identifiers import strip_version


def of_one_trait(
    rows: pd.DataFrame, file: str | Path, genes: Collection[str] = (), option: str = "--gene"
) -> pd.DataFrame:
    """Keep the associations of one trait; those of several genes are refused.

    Parameters
    ----------
    rows
        As `read_associations` gives them.
    file
        Where they come from.
    genes
        Of several genes this one, if it is one; versions are ignored.
    option
        What names it, for the message.

    Examples
    --------
    >>> rows = pd.DataFrame({"gene_id": ["a", "b"], "z": [1.0, 2.0]})
    >>> of_one_trait(rows, "t.tsv", ["b"])["z"].tolist()
    [2.0]
    """
    names = [str(name) for name in rows["gene_id"].unique()]
    if len(names) < 2:
        return rows
    wanted = {strip_version(gene) for gene in genes}
    chosen = [name for name in names if strip_version(name) in wanted]
    if len(wanted) == 1 and chosen:
        return rows[rows["gene_id"].isin(chosen)].reset_index(drop=True)
    raise InputError(
        "associations of several genes where those of one trait are wanted",
        file=file,
        found=f"{len(names):,}: " + ", ".join(sorted(names)[:5]),
        expected=f"one trait, or {', '.join(sorted(wanted))} among them" if wanted else "one trait",
        remedy=f"Name one with {option}, or leave out a column that only names the nearest gene",
    )

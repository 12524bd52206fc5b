"""What columns of scores and of credible sets mean, by the names that they go by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.tabular import unknown_name
from exprimo.genetics.associations import ROLES, Roles, find_columns, read_pieces

_VARIANT: Roles = {
    **{name: ROLES[name] for name in ("variant_id", "gene_id", "chrom", "pos")},
    "ref": ROLES["other_allele"],
    "alt": ROLES["effect_allele"],
}
SCORE_ROLES: Roles = {**_VARIANT, "track": ("track",)}
"""Of a table of scores: what a column means -> names that it goes by, the first found counts."""
CREDIBLE_ROLES: Roles = {**_VARIANT, "cs_id": ("cs_id", "cs", "credible_set"), "pip": ("pip",)}
"""Of a table of credible sets."""

TEXT = frozenset({"variant_id", "gene_id", "chrom", "ref", "alt", "track", "cs_id"})
"""Roles whose cells are text; the others hold numbers."""
SCORE = "score:"
"""Stands before the name of a column of scores, which may be that of a role."""


def read_columns(
    path: Path,
    roles: Roles,
    named: Mapping[str, str],
    needed: Collection[str],
    numbers: Sequence[str] = (),
) -> pd.DataFrame:
    """Read the columns that have a role, under its name, and further columns of numbers.

    Parameters
    ----------
    path
        Parquet, or text with a header.
    roles, named, needed
        Names that roles go by, the names that this table has instead, and roles that must be there.
    numbers
        Further columns, which become ``score:NAME``.

    Returns
    -------
    DataFrame
        A column for each role, with "" or NaN where the table has none.
    """

    def choose(header: Sequence[str]) -> dict[str, str]:
        found = find_columns(header, named, file=path, roles=roles)
        for name in numbers:
            if name not in header:
                raise unknown_name("column", name, list(header), file=path)
        _check_needed(found, roles, needed, header, path)
        return {**found, **{SCORE + name: name for name in numbers}}

    frame = pd.concat(list(read_pieces(path, choose, TEXT)), ignore_index=True)
    for role in roles:
        if role not in frame:
            frame[role] = "" if role in TEXT else np.nan
    return frame


def _check_needed(
    found: Mapping[str, str],
    roles: Roles,
    needed: Collection[str],
    header: Sequence[str],
    path: Path,
) -> None:
    """Refuse a table that lacks a column; places and alleles stand in for ids of variants."""
    for role in needed:
        by_place = role == "variant_id" and {"chrom", "pos", "ref", "alt"} <= set(found)
        if role not in found and not by_place:
            raise FormatError(
                f"no column for {role}",
                file=path,
                record="header",
                found=", ".join(header[:10]),
                expected=", ".join(roles[role]),
                remedy=f"Name the column: {role}=COLUMN",
            )

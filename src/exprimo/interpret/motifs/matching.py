"""Names for patterns: the known motifs that they are most like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from exprimo.interpret.motifs.libraries import Library
from exprimo.interpret.motifs.patterns import POLY_AT, Pattern, consensus
from exprimo.interpret.motifs.similarity import compare
from exprimo.labels.testing.adjustment import benjamini_hochberg

MATCH_COLUMNS = (
    "pattern", "rank", "motif_id", "motif", "group", "p", "q", "strand", "offset", "overlap"
)  # fmt: skip
_KEPT = 10
_NEXT = 3
# Three known bases: what tells a motif from composition.
_LEAST_BITS = 6.0


def match_table(patterns: Sequence[Pattern], library: Library) -> pd.DataFrame:
    """Compare patterns with known motifs: the ten most alike of each, by rank.

    q-values are those of Benjamini and Hochberg (1995) over the library, pattern by pattern, as
    Tomtom gives them: what a pattern is like does not depend on which others were found.
    """
    if not patterns:
        return pd.DataFrame(columns=list(MATCH_COLUMNS))
    found = compare(
        [pattern.probabilities for pattern in patterns],
        [motif.probabilities for motif in library.motifs],
    )
    q = np.array([benjamini_hochberg(row) for row in found.pvalue])
    rows = []
    for i, pattern in enumerate(patterns):
        for rank, j in enumerate(np.argsort(found.pvalue[i], kind="stable")[:_KEPT], 1):
            known = library.motifs[j]
            rows.append(
                (
                    pattern.name,
                    rank,
                    known.name,
                    known.alt_name or known.name,
                    library.groups[j],
                    float(found.pvalue[i, j]),
                    float(q[i, j]),
                    "+" if found.strand[i, j] > 0 else "-",
                    int(found.offset[i, j]),
                    int(found.overlap[i, j]),
                )
            )
    return pd.DataFrame(rows, columns=list(MATCH_COLUMNS))


def motif_table(patterns: Sequence[Pattern], matches: pd.DataFrame, q: float) -> pd.DataFrame:
    """Describe patterns, one row each, with the name of the best match.

    A pattern of at least six bits asks for a name: vague patterns are like many. The q-value of
    its best match is a p-value that it is like no known motif (Simes 1986). Adjusted over the
    patterns that ask, it is ``q_name``, and up to ``q`` the best match gives its name: of all
    names at most that share is expected to be of patterns that are like none (Benjamini &
    Bogomolov 2014). A run of A or T is named so, whatever it matches: factors that have such a
    motif are many, and nucleosomes avoid the tract with no factor at all (Struhl & Segal 2013).

    Examples
    --------
    >>> run = Pattern("pos_1", 1, np.eye(4)[[3] * 8], *np.zeros((2, 8, 4)), np.zeros((30, 4), int))
    >>> table = motif_table([run], pd.DataFrame(columns=list(MATCH_COLUMNS)), 0.05)
    >>> table[["pattern", "seqlets", "consensus", "name"]].values.tolist()
    [['pos_1', 30, 'TTTTTTTT', 'poly(dA:dT)']]
    """
    by_pattern = {str(name): rows for name, rows in matches.groupby("pattern", sort=False)}
    asking = [one.name for one in patterns if one.name in by_pattern
              and not one.is_tract and one.motif.information >= _LEAST_BITS]  # fmt: skip
    adjusted = benjamini_hochberg(np.array([by_pattern[name]["q"].iloc[0] for name in asking]))
    q_name = dict(zip(asking, adjusted.tolist(), strict=True))
    rows = []
    for pattern in patterns:
        found = by_pattern.get(pattern.name)
        best = None if found is None else found.iloc[0]
        own = q_name.get(pattern.name, np.nan)
        named = str(best["motif"]) if best is not None and own <= q else ""
        others = "" if found is None else "; ".join(
            f"{row.motif} ({row.motif_id}) q={row.q:.2g}"
            for row in found.iloc[1 : 1 + _NEXT].itertuples()
        )  # fmt: skip
        rows.append(
            {
                "pattern": pattern.name,
                "sign": "+" if pattern.sign > 0 else "-",
                "seqlets": pattern.n,
                "consensus": consensus(pattern.probabilities),
                "information": round(pattern.motif.information, 3),
                "contribution": float(pattern.contributions.sum()),
                "name": POLY_AT if pattern.is_tract else named,
                "match": "" if best is None else best["motif"],
                "match_id": "" if best is None else best["motif_id"],
                "p": np.nan if best is None else best["p"],
                "q": np.nan if best is None else best["q"],
                "q_name": own,
                "next": others,
            }
        )
    return pd.DataFrame(rows, columns=list(MOTIF_COLUMNS))


MOTIF_COLUMNS = (
    "pattern", "sign", "seqlets", "consensus", "information", "contribution", "name", "match",
    "match_id", "p", "q", "q_name", "next",
)  # fmt: skip

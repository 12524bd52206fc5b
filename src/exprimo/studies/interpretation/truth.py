"""What a simulated world knows of an interpretation: which bases act, which motifs it planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.core.files.atomic import atomic_file
from exprimo.data.motifs import read_motifs
from exprimo.interpret.motifs.similarity import compare
from exprimo.labels.testing.adjustment import benjamini_hochberg

TRUTH_FILES = ("sites.tsv", "tfs.tsv", "motifs.meme")

FOUND_AT = 0.05
"""A planted motif is found where a pattern is like it with a q-value of at most this."""


def write_acting_sites(truth: Path, out: Path) -> Path:
    """Write the places of sites that act on expression as BED.

    Planted sites out of their factor's reach do nothing, and sites that arose by chance within it
    do, so what acts is asked for, not what was planted.
    """
    sites = pd.read_csv(truth / "sites.tsv", sep="\t", dtype={"chrom": str})
    acting = sites.loc[sites["effect"] != 0, ["chrom", "start", "end"]].drop_duplicates()
    with atomic_file(out) as partial:
        acting.to_csv(partial, sep="\t", header=False, index=False, lineterminator="\n")
    return out


def planted_table(truth: Path, found: Path | None) -> pd.DataFrame:
    """Say which planted motifs are among those found.

    A motif counts as planted where its factor acts, or helps another to act.

    Parameters
    ----------
    truth
        The truth folder of a simulated world.
    found
        A MEME file of patterns; None where none was found.

    Returns
    -------
    pandas.DataFrame
        ``motif``, ``consensus``, ``effect``, the ``pattern`` most like it, ``strand``, ``p``, ``q``
        (Benjamini-Hochberg over all pairs), ``found`` (``yes``, ``no``).
    """
    factors = pd.read_csv(truth / "tfs.tsv", sep="\t", dtype={"tf": str, "partner": str})
    partners = set(factors["partner"].dropna())
    acting = factors[(factors["effect"] != 0) | factors["tf"].isin(partners)].set_index("tf")
    planted = [m for m in read_motifs(truth / "motifs.meme") if m.name in acting.index]
    patterns = read_motifs(found) if found is not None else ()
    table = pd.DataFrame(
        {
            "motif": [m.name for m in planted],
            "consensus": [acting.loc[m.name, "consensus"] for m in planted],
            "effect": acting["effect"].reindex([m.name for m in planted]).to_numpy(np.float64),
            "pattern": "", "strand": "", "p": np.nan, "q": np.nan, "found": "no",
        }
    )  # fmt: skip
    if patterns and planted:
        told = compare([m.probabilities for m in patterns], [m.probabilities for m in planted])
        q = benjamini_hochberg(told.pvalue.ravel()).reshape(told.pvalue.shape)
        best, every = told.pvalue.argmin(axis=0), np.arange(len(planted))
        table["pattern"] = [patterns[i].name for i in best]
        table["strand"] = np.where(told.strand[best, every] > 0, "+", "-")
        table["p"], table["q"] = told.pvalue[best, every], q[best, every]
        table["found"] = np.where(table["q"] <= FOUND_AT, "yes", "no")
    return table[["motif", "consensus", "effect", "pattern", "strand", "p", "q", "found"]]

"""Variants for experiments, ranked by what fine-mapping and the model say of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.data.fasta import Genome
from exprimo.data.motifs import read_motifs
from exprimo.features.motifs import MotifChange, motif_changes
from exprimo.studies.individual.association.egenes import read_table
from exprimo.studies.individual.association.given import Given
from exprimo.studies.individual.association.loci import PLACE, read_pairs
from exprimo.studies.individual.association.stages import MODEL_SCORES, SCORE
from exprimo.studies.individual.association.truth import Truth

_COLUMNS = [
    "rank", "gene_id", "variant_id", "chrom", "pos", "ref", "alt", "model", "raw_score",
    "score_rank", "pip", "credible_set", "slope", "pval_nominal", "agrees", "motif", "motif_ref",
    "motif_alt",
]  # fmt: skip


class SequenceFiles(NamedTuple):
    """What the changed motifs are found in.

    Attributes
    ----------
    fasta
        The genome.
    chrom_of
        Gene -> its chromosome's name there.
    motifs
        In MEME format; None: no motif is looked for.
    motif_p
        Chance of a site at a random place.
    """

    fasta: Path
    chrom_of: Mapping[str, str]
    motifs: Path | None
    motif_p: float = 1e-4


def ranked(pairs: pd.DataFrame, n: int) -> pd.DataFrame:
    """Rank pairs of variant and gene by the geometric mean of PIP and share of |score|.

    The share is of the sum of |score| over all variants of the gene that the model reads: both
    numbers are then parts of 1 within a gene. A pair that either knows nothing of is left out.

    Parameters
    ----------
    pairs
        ``gene_id, raw_score, pip, slope``, and whatever else.

    Returns
    -------
    The first ``n``, with ``rank``, ``score_rank`` (1: the largest |score| of the gene) and
    ``agrees``.

    Examples
    --------
    >>> pairs = pd.DataFrame({"gene_id": ["g"] * 3, "raw_score": [-3.0, 1.0, 0.0],
    ...                       "pip": [0.2, 0.8, 0.5], "slope": [-1.0, -1.0, 1.0]})
    >>> ranked(pairs, 5)[["rank", "raw_score", "score_rank", "agrees"]].values.tolist()
    [[1, 1.0, 2, 'no'], [2, -3.0, 1, 'yes']]
    """
    known = pairs.dropna(subset=["raw_score", "pip"])
    size = known["raw_score"].abs()
    whole = size.groupby(known["gene_id"]).transform("sum")
    share = (size / whole.where(whole > 0)).fillna(0.0)
    place = size.groupby(known["gene_id"]).rank(method="min", ascending=False)
    together = np.sqrt(known["pip"] * share)
    kept = known.assign(score_rank=place.astype(np.int64), together=together, agrees=_agrees(known))
    kept = kept[kept["together"] > 0]
    kept = kept.sort_values(["together", "pip"], ascending=False, kind="stable").head(n)
    kept = kept.reset_index(drop=True)
    return kept.assign(rank=np.arange(1, len(kept) + 1))


def candidate_table(
    given: Given,
    egenes: pd.DataFrame,
    model: str,
    sequence: SequenceFiles,
    truth: Truth | None,
) -> pd.DataFrame:
    """List the variants of eGenes that an experiment should look at first.

    Parameters
    ----------
    egenes
        Of `egene_table`.
    model
        The answering one.
    sequence
        Where changed motifs are looked for.
    """
    table = ranked(_within_window(given, egenes, model), given.settings.candidates)
    found = _changed(table, sequence)
    table = table.assign(
        model=model,
        motif=[one.motif for one in found],
        motif_ref=[one.ref for one in found],
        motif_alt=[one.alt for one in found],
    )
    if truth is None:
        return table[_COLUMNS]
    joined = table.merge(truth.effects, on=["gene_id", "variant_id"], how="left")
    return joined[[*_COLUMNS, "effect"]].fillna({"effect": 0.0})


def first_by_pip(given: Given, egenes: pd.DataFrame, model: str, truth: Truth) -> pd.DataFrame:
    """List as many variants within the model's window by PIP alone, with their true ``effect``.

    Whatever more of the candidates act than of these, the model's effect has added.
    """
    known = _within_window(given, egenes, model).dropna(subset=["raw_score", "pip"])
    first = known.sort_values("pip", ascending=False, kind="stable").head(given.settings.candidates)
    joined = first.merge(truth.effects, on=["gene_id", "variant_id"], how="left")
    return joined[["gene_id", "variant_id", "pip", "effect"]].fillna({"effect": 0.0})


def _within_window(given: Given, egenes: pd.DataFrame, model: str) -> pd.DataFrame:
    """Give the pairs of eGenes and variants that a model has scored."""
    called = egenes.loc[egenes["egene"] == "yes", "gene_id"].tolist()
    scores = read_table(given.folder / MODEL_SCORES)[[*PLACE, SCORE + model]]
    scores = scores.rename(columns={SCORE + model: "raw_score"}).drop_duplicates(PLACE)
    return read_pairs(given, called).merge(scores, on=PLACE, how="inner")


def _agrees(pairs: pd.DataFrame) -> list[str]:
    """Say whether score and slope have the same sign; "" where one of them is 0."""
    product = np.sign(pairs["raw_score"].to_numpy()) * np.sign(pairs["slope"].to_numpy())
    return ["yes" if sign > 0 else "no" if sign < 0 else "" for sign in product.tolist()]


def _changed(table: pd.DataFrame, sequence: SequenceFiles) -> Sequence[MotifChange]:
    if sequence.motifs is None or table.empty:
        return [MotifChange("", np.nan, np.nan)] * len(table)
    known = read_motifs(sequence.motifs)
    placed = table.assign(chrom=table["gene_id"].map(sequence.chrom_of))
    with Genome.open(sequence.fasta) as genome:
        return motif_changes(placed, genome, known, known[0].background, pvalue=sequence.motif_p)

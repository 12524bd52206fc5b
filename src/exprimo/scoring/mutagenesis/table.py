"""Effects as rows: one per position while they are made, one per substitution in the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from exprimo.core.sequence import ALPHABET, N_CODE
from exprimo.scoring.mutagenesis.substitutions import N_BASES, Effects, centred, strongest
from exprimo.scoring.mutagenesis.windows import Windows

BASES = ALPHABET[:N_BASES]
EFFECT_COLUMNS = [f"effect_{base}" for base in BASES]
COLUMNS = [
    "variant_id",
    "chrom",
    "pos",
    "ref",
    "alt",
    "gene_id",
    "example_id",
    "strand",
    "tss_distance",
    "gene_ref",
    "gene_alt",
    "track",
    "ref_pred",
    "alt_pred",
    "raw_score",
    "centred_score",
    "attribution",
    "strongest",
]
_LETTERS = np.array(list(ALPHABET))
_COMPLEMENT = np.array(list("TGCAN"))


def effect_rows(
    effects: Effects, windows: Windows, number: int, tracks: tuple[str, ...]
) -> pd.DataFrame:
    """Give a row per track and position, with the effects of the four bases beside each other.

    All letters are in gene orientation; ``pos`` is 1-based on the forward strand, 0 where the
    place of the window is not known.
    """
    one = windows.table.iloc[number]
    n = len(effects.reference)
    sites = np.arange(effects.low, effects.low + n)
    shared = {
        "example_id": one["example_id"],
        "gene_id": one["gene_id"],
        "chrom": one["chrom"],
        "strand": one["strand"],
        "pos": windows.place(number, sites) + 1,
        "site": sites,
        "tss_distance": sites - windows.upstream,
        "gene_ref": _LETTERS[effects.reference],
    }
    found = []
    for track, prediction, values in zip(tracks, effects.prediction, effects.values, strict=True):
        by_base = dict(zip(EFFECT_COLUMNS, values, strict=True))
        rows = pd.DataFrame({**shared, "track": track, "ref_pred": prediction, **by_base})
        found.append(rows)
    return pd.concat(found, ignore_index=True)


class Summary:
    """What goes by while effects are written.

    Attributes
    ----------
    n_substitutions, n_unknown
        Substitutions, and positions where N stands; of all windows, for one track.
    strongest
        The row of the greatest effect, as `long_rows` gives it; None before there is one.
    """

    def __init__(self) -> None:
        self.n_substitutions = self.n_unknown = 0
        self.strongest: pd.Series[Any] | None = None

    def watch(self, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Let rows of `effect_rows` pass."""
        for table in tables:
            rows = table.to_pandas()
            self._note(rows[rows["track"] == rows["track"].iloc[0]])
            best = _strongest_row(rows)
            size = abs(best["raw_score"]) if best is not None else -1.0
            if self.strongest is None or size > abs(self.strongest["raw_score"]):
                self.strongest = best
            yield table

    def _note(self, rows: pd.DataFrame) -> None:
        unknown = int((rows["gene_ref"] == ALPHABET[N_CODE]).sum())
        self.n_unknown += unknown
        self.n_substitutions += (N_BASES - 1) * (len(rows) - unknown)


def _strongest_row(rows: pd.DataFrame) -> pd.Series[Any] | None:
    size = rows[EFFECT_COLUMNS].abs().max(axis=1).fillna(-1.0)
    at = int(size.to_numpy().argmax())
    three = long_rows(rows.iloc[[at]])
    if three.empty:
        return None
    return three.iloc[int(three["raw_score"].abs().to_numpy().argmax())]


def long_tables(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Turn rows per position into rows per substitution; positions of N have none."""
    for table in tables:
        yield pa.Table.from_pandas(long_rows(table.to_pandas()), preserve_index=False)


def long_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Give a row per substitution, with letters of the forward strand and of the gene's.

    Parameters
    ----------
    rows
        From `effect_rows`.

    Returns
    -------
    DataFrame
        `COLUMNS`. ``raw_score`` is ALT - REF; ``centred_score`` that less the mean over the four
        bases; ``attribution`` the centred score of the base that is there, ``strongest`` the
        effect of the greatest size, both the same in all rows of a position.
    """
    rows = rows[rows["gene_ref"] != ALPHABET[N_CODE]].reset_index(drop=True)
    values = rows[EFFECT_COLUMNS].to_numpy(np.float32)
    reference = rows["gene_ref"].to_numpy(str)
    code = np.searchsorted(_LETTERS[:N_BASES], reference)
    at, base = np.nonzero(np.arange(N_BASES) != code[:, None])
    around = centred(values.T).T if len(rows) else values
    strong = strongest(values.T) if len(rows) else np.empty(0, dtype=np.float32)
    one = rows.iloc[at].reset_index(drop=True)
    minus = (one["strand"] == "-").to_numpy()
    ref = np.where(minus, _COMPLEMENT[code[at]], _LETTERS[code[at]])
    alt = np.where(minus, _COMPLEMENT[base], _LETTERS[base])
    places = zip(one["chrom"], one["pos"], ref, alt, strict=True)
    ids = [f"{c}:{p}:{r}:{a}" if p > 0 else "" for c, p, r, a in places]
    prediction = one["ref_pred"].to_numpy(np.float32)
    made = one.assign(
        variant_id=ids,
        ref=ref,
        alt=alt,
        gene_alt=_LETTERS[base],
        ref_pred=prediction,
        alt_pred=prediction + values[at, base],
        raw_score=values[at, base],
        centred_score=around[at, base],
        attribution=around[at, code[at]],
        strongest=strong[at],
    )
    return made[COLUMNS]

"""How a score compares with those of a background: common variants that were scored alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.files.origin import read_origin
from exprimo.core.files.versions import check_format_version
from exprimo.scoring.variants.scores import SIGNED
from exprimo.scoring.variants.table import KEY

SCORES_FORMAT = 1
KIND = "exprimo-variants"
BACKGROUND_FILE = "background.parquet"
"""Its name in a Run."""
FEWEST = 20
"""Below this many variants a quantile says little."""
_WHAT = "a table that exprimo variants wrote as .parquet"

Hashes = npt.NDArray[np.uint64]


class _Track(NamedTuple):
    """Background scores of one track: sizes in order, and by the hash of the variant."""

    sizes: npt.NDArray[np.float64]
    keys: Hashes
    of_key: npt.NDArray[np.float64]


class Background:
    """Scores of common variants, to give the scores of others their quantiles.

    The quantile of a score is the share of the background that is smaller in size, ties counted
    half. A signed score's has its sign, so it lies in [-1, 1]: -0.99 is a fall larger than 99 %
    of the background's changes. An unsigned score's lies in [0, 1]. A variant that is itself in
    the background is compared with the others only.

    Parameters
    ----------
    table
        Columns of `KEY`, track and raw_score; rows without a score are passed over.

    Examples
    --------
    >>> table = pd.DataFrame({"chrom": "I", "pos": range(20), "ref": "A", "alt": "G",
    ...                       "gene_id": "", "track": "t", "raw_score": range(20)})
    >>> scores = pd.DataFrame({"chrom": "I", "pos": [99], "ref": "A", "alt": "G", "gene_id": "",
    ...                        "track": "t", "raw_score": [-15.0]})
    >>> Background(table).quantiles(scores, signed=True)
    array([-0.775])
    """

    def __init__(self, table: pd.DataFrame) -> None:
        known = table[table["raw_score"].notna()]
        hashes = _hashes(known)
        scores = known["raw_score"].to_numpy(np.float64)
        self._tracks: dict[str, _Track] = {}
        for track, rows in known.groupby("track", sort=False).indices.items():
            order = rows[np.argsort(hashes[rows], kind="stable")]
            sizes = np.sort(np.abs(scores[rows]))
            self._tracks[str(track)] = _Track(sizes, hashes[order], np.abs(scores[order]))
        few = {
            name: len(one.sizes) for name, one in self._tracks.items() if len(one.sizes) < FEWEST
        }
        if few or not self._tracks:
            name, count = next(iter(few.items())) if few else ("", 0)
            raise InputError(
                "too few variants to take quantiles against",
                record=f"track {name}" if name else None,
                found=count,
                expected=f"at least {FEWEST} scored variants; better thousands of common ones",
            )

    @classmethod
    def read(cls, path: str | Path, identity: Mapping[str, Any]) -> Self:
        """Read a table of scores, which must have been made as ``identity`` says."""
        source = Path(path)
        check_same_scores(source, identity)
        columns = [*KEY, "track", "raw_score"]
        try:
            with source.open("rb") as handle:
                table = pq.read_table(handle, columns=columns).to_pandas()
        except (OSError, pa.ArrowInvalid) as error:
            raise FormatError("cannot be read", file=source, found=error, expected=_WHAT) from error
        return cls(table)

    def quantiles(self, scores: pd.DataFrame, *, signed: bool) -> npt.NDArray[np.float64]:
        """Give the quantile of each row; NaN where there is no score."""
        values = scores["raw_score"].to_numpy(np.float64)
        hashes = _hashes(scores)
        found = np.full(len(scores), np.nan)
        for track, rows in scores.groupby("track", sort=False).indices.items():
            share = _share(self._tracks[str(track)], np.abs(values[rows]), hashes[rows])
            found[rows] = share
        found[np.isnan(values)] = np.nan
        return found * np.sign(values) if signed else found


def _share(
    track: _Track, sizes: npt.NDArray[np.float64], hashes: Hashes
) -> npt.NDArray[np.float64]:
    """Give the share of a track's other background scores that are smaller in size."""
    below = np.searchsorted(track.sizes, sizes, "left").astype(np.float64)
    not_above = np.searchsorted(track.sizes, sizes, "right").astype(np.float64)
    at = np.minimum(np.searchsorted(track.keys, hashes), len(track.keys) - 1)
    itself = track.keys[at] == hashes
    own = track.of_key[at]
    below -= itself & (own < sizes)
    not_above -= itself & (own <= sizes)
    share: npt.NDArray[np.float64] = (below + not_above) / 2 / (len(track.sizes) - itself)
    return share


def _hashes(table: pd.DataFrame) -> Hashes:
    """Hash what tells one pair of variant and window from another, (rows,)."""
    hashed = pd.util.hash_pandas_object(table[KEY].astype({"pos": np.int64}), index=False)
    return np.asarray(hashed, dtype=np.uint64)


def is_signed(kind: str) -> bool:
    """Tell whether a score has a sign, and so its quantile."""
    return kind in SIGNED


def check_same_scores(path: Path, identity: Mapping[str, Any]) -> None:
    """Refuse a table of scores that were made in another way than those it is to judge."""
    if not path.is_file():
        raise InputError("no such file", file=path, expected=_WHAT)
    if path.suffix != ".parquet":
        raise FormatError("not a background", file=path, found=path.suffix, expected=_WHAT)
    origin = read_origin(path)
    if origin.get("kind") != KIND:
        raise FormatError(
            "not a table of variant scores", file=path, found=origin.get("kind"), expected=_WHAT
        )
    check_format_version(
        origin.get("format_version"), SCORES_FORMAT, file=path, what="table of variant scores"
    )
    theirs = origin.get("identity", {})
    for name, ours in identity.items():
        if theirs.get(name) != ours:
            raise MismatchError(
                "the background was scored in another way",
                file=path,
                record=name.replace("_", " "),
                found=_short(theirs.get(name)),
                expected=_short(ours),
                remedy="Score the common variants with the same model, score, center and tracks",
            )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."

"""Where patterns stand: their seqlets, and every other place that is as alike to them.

A place is a site of a pattern where its contributions, summed, and their similarity to the
pattern's mean contributions reach what most of the pattern's own seqlets have. Similarity is the
cosine of the two, over positions and bases. Such a site is one for the model in this sequence; a
word that matches and contributes nothing is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.predictor import Floats
from exprimo.core.sequence import Codes
from exprimo.interpret.motifs.patterns import Pattern

HIT_COLUMNS = (
    "example_id", "start", "end", "strand", "pattern", "name", "contribution", "similarity",
    "source", "position", "chrom", "chrom_start", "chrom_end", "chrom_strand",
)  # fmt: skip

Table = npt.NDArray[np.float64]
# Of two sites that share more than this of the narrower one, only one is kept.
_SHARED = 0.5


class Limits(NamedTuple):
    """From what on a place is a site of a pattern: summed contribution (its size), similarity."""

    contribution: float
    similarity: float


def place_scores(
    codes: Codes, values: Floats, pattern: Pattern, strand: int
) -> tuple[Floats, Floats]:
    """Score each place of a pattern on one strand.

    Parameters
    ----------
    codes, values
        Bases and what they contribute, (n, length).

    Returns
    -------
    tuple
        Summed contributions, and their similarity to the pattern's, (n, length - width + 1).

    Examples
    --------
    >>> weights = np.eye(4)[[0, 1, 2]]
    >>> site = Pattern("pos_1", 1, weights, weights, weights, np.zeros((1, 4), dtype=np.int64))
    >>> bases, size = np.array([[3, 2, 3, 0]], np.uint8), np.array([[0, 2.0, 2.0, 0]])
    >>> [one.astype(float).round(2).tolist() for one in place_scores(bases, size, site, -1)]
    [[[4.0, 4.0]], [[0.82, 0.0]]]
    """
    weights = pattern.contributions if strand > 0 else pattern.contributions[::-1, ::-1]
    width, n_places = len(weights), codes.shape[1] - len(weights) + 1
    table = np.vstack([weights.T, np.zeros(width)]).astype(np.float32)
    sizes = values.astype(np.float32)
    total, dot, square = (np.zeros((len(codes), n_places), np.float32) for _ in range(3))
    for at in range(width):
        here = sizes[:, at : at + n_places]
        total += here
        square += here**2
        dot += here * table[codes[:, at : at + n_places], at]
    length = np.sqrt(square) * float(np.linalg.norm(weights))
    return total, np.divide(dot, length, out=np.zeros_like(dot), where=length > 0)


def own_limits(pattern: Pattern, codes: Codes, values: Floats, share: float) -> Limits:
    """Give what ``share`` of a pattern's own seqlets reach; ``sites`` are rows of ``codes``."""
    scores = own_scores(pattern, codes, values)
    quantile = np.quantile(scores, 1 - share, axis=0)
    return Limits(float(quantile[0]), float(quantile[1]))


def own_scores(pattern: Pattern, codes: Codes, values: Floats) -> Table:
    """Give contribution, times the pattern's sign, and similarity of each seqlet, (n, 2)."""
    rows = []
    for example, start, end, strand in pattern.sites:
        here = slice(int(start), int(end))
        total, alike = place_scores(
            codes[example, here][None], values[example, here][None], pattern, int(strand)
        )
        rows.append((pattern.sign * total[0, 0], alike[0, 0]))
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def sites_in(
    codes: Codes,
    values: Floats,
    patterns: Sequence[Pattern],
    limits: Sequence[Limits],
    own: Mapping[int, Sequence[tuple[int, int, int, int]]],
) -> Iterator[tuple[Any, ...]]:
    """Find sites in some sequences; of those that overlap the clearest is kept.

    Parameters
    ----------
    own
        Row -> (pattern number, start, end, strand) of seqlets: they are sites in any case, and go
        before what is alike.

    Yields
    ------
    tuple
        Row, start, end, strand, number of the pattern, contribution, similarity, source.
    """
    found: dict[int, list[tuple[Any, ...]]] = {}
    for number, (pattern, limit) in enumerate(zip(patterns, limits, strict=True)):
        if pattern.width > codes.shape[1]:
            continue
        for strand in (1, -1):
            total, alike = place_scores(codes, values, pattern, strand)
            reached = (pattern.sign * total >= limit.contribution) & (alike >= limit.similarity)
            for row, start in zip(*np.nonzero(reached), strict=True):
                site = (int(start), int(start) + pattern.width, strand, number,
                        float(total[row, start]), float(alike[row, start]), "scan")  # fmt: skip
                found.setdefault(int(row), []).append(site)
    for row, seqlets in own.items():
        for number, start, end, strand in seqlets:
            here = slice(start, end)
            score = place_scores(
                codes[row, here][None], values[row, here][None], patterns[number], strand
            )
            total_here, alike_here = (float(one[0, 0]) for one in score)
            site = (start, end, strand, number, total_here, alike_here, "seqlet")
            found.setdefault(row, []).append(site)
    for row in sorted(found):
        for site in sorted(clearest(found[row])):
            yield (row, *site)


def _clearness(site: tuple[Any, ...]) -> tuple[Any, ...]:
    """Order seqlets first, then by size times likeness; of a palindrome's strands the + first."""
    return site[6] != "seqlet", -abs(site[4]) * site[5], *site[:2], -site[2], *site[3:]


def clearest(sites: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Keep of sites that overlap by half the clearest: seqlets first, then by size times likeness.

    Examples
    --------
    >>> clearest([(0, 8, 1, 0, 1.0, 0.9, "scan"), (2, 10, 1, 1, 2.0, 0.9, "scan"),
    ...           (7, 15, -1, 0, 1.0, 0.8, "scan")])
    [(2, 10, 1, 1, 2.0, 0.9, 'scan'), (7, 15, -1, 0, 1.0, 0.8, 'scan')]
    """
    kept: list[tuple[Any, ...]] = []
    for site in sorted(sites, key=_clearness):
        start, end = site[:2]
        for other in kept:
            shared = min(end, other[1]) - max(start, other[0])
            if shared > _SHARED * min(end - start, other[1] - other[0]):
                break
        else:
            kept.append(site)
    return kept


def hit_table(
    sites: Sequence[tuple[Any, ...]],
    patterns: Sequence[Pattern],
    names: Mapping[str, str],
    example_ids: npt.NDArray[np.str_],
    places: Mapping[str, npt.NDArray[Any]],
    tss_index: int | None,
) -> pd.DataFrame:
    """Write sites out, in the window and, where a window's place is known, in the genome.

    ``start`` and ``end`` are 0-based and half-open, in gene orientation; ``position`` is that of
    the site's middle base relative to the TSS; ``chrom_start`` and ``chrom_end`` are those of the
    forward strand, as in a BED file.
    """
    columns = ["row", *HIT_COLUMNS[1:4], "number", "contribution", "similarity", "source"]
    table = pd.DataFrame(list(sites), columns=columns)
    rows = table["row"].to_numpy(dtype=np.int64)
    start, end = (table[name].to_numpy(dtype=np.int64) for name in ("start", "end"))
    strand = table["strand"].to_numpy(dtype=np.int64)
    called = [patterns[number].name for number in table["number"]]
    table["example_id"] = example_ids[rows]
    table["pattern"] = called
    table["name"] = [names.get(name, "") for name in called]
    table["strand"] = np.where(strand > 0, "+", "-")
    middle = (start + end - 1) // 2
    table["position"] = middle - (tss_index or 0) if tss_index is not None else np.nan
    for name, values in _in_genome(rows, start, end, strand, places).items():
        table[name] = values
    return table[list(HIT_COLUMNS)]


def _in_genome(
    rows: npt.NDArray[np.int64],
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    strand: npt.NDArray[np.int64],
    places: Mapping[str, npt.NDArray[Any]],
) -> dict[str, Any]:
    if not places:
        return dict.fromkeys(HIT_COLUMNS[-4:], "")
    chrom, first, last, side = (places[name][rows] for name in ("chrom", "start", "end", "strand"))
    known = (chrom.astype(str) != "") & (first.astype(np.int64) >= 0)
    back = side.astype(str) == "-"
    begins = np.where(back, last - end, first + start)
    ends = np.where(back, last - start, first + end)
    forward = (strand > 0) != back

    def shown(values: Any) -> Any:
        return np.where(known, values.astype(str), "")

    return {
        "chrom": shown(chrom),
        "chrom_start": shown(begins),
        "chrom_end": shown(ends),
        "chrom_strand": shown(np.where(forward, "+", "-")),
    }

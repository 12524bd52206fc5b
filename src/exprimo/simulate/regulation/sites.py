"""What promoters do: every site in the acting window, and its effect on expression.

The truth is read from the finished sequence: a planted site that mutation has broken does
nothing, and a site that arose by chance acts like a planted one. The promoter's part in
expression is therefore an exact function of the window's sequence.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.sequence import Codes
from exprimo.simulate.config import Factor, RegulationConfig
from exprimo.simulate.regulation.motifs import Matrix, Motif, PlantedSite

Scores = npt.NDArray[np.float32]
_CHUNK = 1000


def word_scores(windows: Codes, log_odds: Matrix) -> Scores:
    """Score the motif at each start in each window, shape (windows, length - width + 1)."""
    width = len(log_odds)
    starts = windows.shape[1] - width + 1
    # The unknown base scores as the worst one: it never makes a site.
    table = np.concatenate([log_odds, log_odds.min(axis=1, keepdims=True)], axis=1)
    scores = np.zeros((len(windows), starts), dtype=np.float32)
    for position, column in enumerate(table.astype(np.float32)):
        # take is 1.7 times as fast as indexing.
        scores += np.take(column, windows[:, position : position + starts])
    return scores


def _reverse(log_odds: Matrix) -> Matrix:
    return log_odds[::-1, ::-1]


def scan(windows: Codes, motifs: dict[str, Motif], config: RegulationConfig) -> pd.DataFrame:
    """Find the sites of all factors on both strands of the acting windows.

    Parameters
    ----------
    windows
        Shape (genes, upstream + downstream), gene orientation.

    Returns
    -------
    pandas.DataFrame
        gene (row of ``windows``), factor, offset (of the first base from the TSS, gene
        orientation), orientation (1, -1), score (bits).
    """
    found: list[pd.DataFrame] = []
    for first in range(0, len(windows), _CHUNK):
        chunk = windows[first : first + _CHUNK]
        for motif in motifs.values():
            for orientation in (1, -1):
                log_odds = motif.log_odds if orientation > 0 else _reverse(motif.log_odds)
                scores = word_scores(chunk, log_odds)
                gene, start = np.nonzero(scores >= config.threshold * motif.best_score)
                found.append(
                    pd.DataFrame(
                        {
                            "gene": gene + first,
                            "factor": motif.name,
                            "offset": start - config.upstream,
                            "orientation": orientation,
                            "score": scores[gene, start].astype(np.float64),
                        }
                    )
                )
    return pd.concat(found, ignore_index=True)


def site_weight(
    factor: Factor, offset: npt.NDArray[np.int64], orientation: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Weigh sites by where they lie and which way they read.

    Examples
    --------
    >>> one = Factor(name="F", effect=1, rate=1, reach=(-100, 0), reverse=-0.5)
    >>> site_weight(one, np.array([-150, -50, -50]), np.array([1, 1, -1])).tolist()
    [0.0, 1.0, -0.5]
    """
    inside = (offset >= factor.reach[0]) & (offset < factor.reach[1])
    weight = np.where(orientation > 0, factor.forward, factor.reverse) * inside
    if factor.decay is not None:
        weight = weight * np.exp(-np.abs(offset) / factor.decay)
    return np.asarray(weight, dtype=np.float64)


def site_effects(
    sites: pd.DataFrame, motifs: dict[str, Motif], config: RegulationConfig
) -> npt.NDArray[np.float64]:
    """Give each site's part in log2 expression, shape (sites,).

    A pair's effect is the product of both occupancies and is shared by its two sites in halves,
    so that a promoter's part is always the plain sum over its sites.
    """
    occupancy = np.zeros(len(sites))
    for name, motif in motifs.items():
        of_factor = (sites["factor"] == name).to_numpy()
        share = sites["score"].to_numpy()[of_factor] / motif.best_score
        above = np.clip((share - config.threshold) / (1.0 - config.threshold), 0.0, 1.0)
        occupancy[of_factor] = config.weakest_occupancy + (1.0 - config.weakest_occupancy) * above
    effects = np.zeros(len(sites))
    offset, orientation = sites["offset"].to_numpy(), sites["orientation"].to_numpy()
    for factor in config.factors:
        at = np.flatnonzero((sites["factor"] == factor.name).to_numpy())
        strength = factor.effect * site_weight(factor, offset[at], orientation[at])
        if factor.partner is None:
            effects[at] += strength * occupancy[at]
            continue
        leads, mates = _pairs(sites, factor, motifs)
        strength_of = dict(zip(at.tolist(), strength.tolist(), strict=True))
        for lead, mate in zip(leads.tolist(), mates.tolist(), strict=True):
            half = 0.5 * strength_of[lead] * occupancy[lead] * occupancy[mate]
            effects[lead] += half
            effects[mate] += half
    return effects


def _pairs(
    sites: pd.DataFrame, factor: Factor, motifs: dict[str, Motif]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find the rows of each pair: the partner follows on the same strand at the right gap."""
    rows = sites.assign(row=np.arange(len(sites)))
    leads = rows[rows["factor"] == factor.name]
    mates = rows[rows["factor"] == factor.partner]
    both = leads.merge(mates, on=["gene", "orientation"], suffixes=("", "_mate"))
    along = both["orientation"] > 0
    width, partner_width = motifs[factor.name].width, motifs[str(factor.partner)].width
    gap = np.where(
        along,
        both["offset_mate"] - both["offset"] - width,
        both["offset"] - both["offset_mate"] - partner_width,
    )
    right = (gap >= factor.spacing[0]) & (gap < factor.spacing[1])
    return both["row"].to_numpy()[right], both["row_mate"].to_numpy()[right]


def regulate(
    windows: Codes,
    planted: list[tuple[PlantedSite, ...]],
    copied: npt.NDArray[np.bool_],
    motifs: dict[str, Motif],
    config: RegulationConfig,
) -> pd.DataFrame:
    """List every site of every promoter with its effect.

    Parameters
    ----------
    windows
        Shape (genes, upstream + downstream), gene orientation.
    planted
        Per gene, the sites that were written into it or into its family's founder.
    copied
        Per gene, whether it is a copy of a founder.

    Returns
    -------
    pandas.DataFrame
        As `scan`, with ``origin`` (planted, inherited, chance) and ``effect``. Planted sites
        that mutation has broken are kept, with the score they have now and effect 0.
    """
    intended = pd.DataFrame(
        [(gene, *site) for gene, sites in enumerate(planted) for site in sites],
        columns=["gene", "factor", "offset", "orientation"],
    )
    intended["origin"] = np.where(
        copied[intended["gene"].to_numpy(dtype=np.int64)], "inherited", "planted"
    )
    keys = ["gene", "factor", "offset", "orientation"]
    live = scan(windows, motifs, config)
    live["effect"] = site_effects(live, motifs, config)
    sites = live.merge(intended, on=keys, how="outer")
    sites["origin"] = sites["origin"].fillna("chance")
    broken = sites["score"].isna()
    sites.loc[broken, "score"] = _scores_at(windows, sites[broken], motifs, config)
    sites["effect"] = sites["effect"].fillna(0.0)
    return sites.sort_values(keys, kind="stable", ignore_index=True)


def _scores_at(
    windows: Codes, sites: pd.DataFrame, motifs: dict[str, Motif], config: RegulationConfig
) -> npt.NDArray[np.float64]:
    scores = np.zeros(len(sites))
    rows = zip(sites["gene"], sites["factor"], sites["offset"], sites["orientation"], strict=True)
    for index, (gene, factor, offset, orientation) in enumerate(rows):
        motif = motifs[factor]
        log_odds = motif.log_odds if orientation > 0 else _reverse(motif.log_odds)
        at = offset + config.upstream
        scores[index] = log_odds[np.arange(motif.width), windows[gene, at : at + motif.width]].sum()
    return scores


def promoter_component(sites: pd.DataFrame, genes: int) -> npt.NDArray[np.float64]:
    """Sum the effects of each gene's sites, shape (genes,)."""
    total = np.zeros(genes)
    np.add.at(total, sites["gene"].to_numpy(), sites["effect"].to_numpy())
    return total

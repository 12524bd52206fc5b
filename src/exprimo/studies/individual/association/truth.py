"""What the truth of a simulated world says of eQTLs, fine-mapping, predictors and candidates."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.textfile import require_file
from exprimo.evaluate import Estimate
from exprimo.evaluate.grouped.people import mean_over_groups
from exprimo.evaluate.intervals import percentile_interval
from exprimo.evaluate.proportions import proportion

VARIANTS, HERITABILITY = "variants.tsv", "heritability.tsv"
# Shares of variance, and probabilities, between which genes and variants are counted together.
_H2_EDGES = (0.0, 0.05, 0.1, 0.2, 0.3, 1.0)
_PIP_EDGES = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_TOPS = (5, 10, 20, 50)
_DRAWS = 2000


class Truth(NamedTuple):
    """Which variants act on which genes, and how much they explain.

    Attributes
    ----------
    effects
        ``gene_id, variant_id, effect`` of every listed pair.
    acting
        Those of them whose effect is not 0.
    h2
        Gene -> share of the variance of expression, less covariates, that cis variants explain.
    """

    effects: pd.DataFrame
    acting: pd.DataFrame
    h2: Mapping[str, float]


def read_truth(folder: Path) -> Truth:
    """Read the truth folder of a simulated world with people."""
    what = "the truth of a simulated world with people"
    variants = pd.read_csv(
        require_file(folder / VARIANTS, what),
        sep="\t",
        dtype={"variant_id": str, "gene_id": str},
        usecols=["variant_id", "gene_id", "effect"],
    )
    genes = pd.read_csv(require_file(folder / HERITABILITY, what), sep="\t", dtype={"gene_id": str})
    if "h2" not in genes:
        raise FormatError(
            "no column of heritabilities",
            file=folder / HERITABILITY,
            found=", ".join(genes.columns),
            expected="gene_id, h2",
        )
    effects = variants.dropna(subset=["gene_id"]).drop_duplicates(["gene_id", "variant_id"])
    acting = effects[effects["effect"] != 0]
    return Truth(effects, acting, dict(zip(genes["gene_id"], genes["h2"], strict=True)))


def judge_egenes(egenes: pd.DataFrame) -> dict[str, Any]:
    """Give power over genes on which something acts, and the share of eGenes that are none.

    Parameters
    ----------
    egenes
        Of `egene_table`, with truth.
    """
    called = (egenes["egene"] == "yes").to_numpy()
    acts = (egenes["n_acting"] > 0).to_numpy()
    h2 = egenes["true_h2"].to_numpy(np.float64)
    bins = []
    for low, high in pairwise(_H2_EDGES):
        inside = acts & (h2 > low) & (h2 <= high)
        if inside.any():
            share = proportion(called[inside], unit="gene")
            bins.append(
                {
                    "low": low, "high": high, "value": share.value, "ci_low": share.low,
                    "ci_high": share.high, "n": share.n,
                }
            )  # fmt: skip
    return {
        "power": _share(called[acts]),
        "power_by_h2": bins,
        "false_discovery": _share(~acts[called]),
    }


def judge_probabilities(pips: pd.DataFrame, sets: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """Ask whether probabilities are kept, and whether credible sets hold a variant that acts.

    Parameters
    ----------
    pips
        ``gene_id, pip, acts`` of all tested variants of the fine-mapped genes; those that were not
        written have 0.
    sets
        ``gene_id, has_acting`` of the credible sets.
    """
    pip, acts = pips["pip"].to_numpy(np.float64), pips["acts"].to_numpy(bool)
    calibration = []
    for low, high in pairwise(_PIP_EDGES):
        inside = (pip > low) & (pip <= high)
        if inside.any():
            share = proportion(acts[inside], pips["gene_id"].to_numpy()[inside], unit="gene")
            calibration.append(
                {
                    "low": low, "high": high, "mean_pip": float(pip[inside].mean()),
                    "share_causal": share.value, "ci_low": share.low, "ci_high": share.high,
                    "n": share.n,
                }
            )  # fmt: skip
    causal = pips[acts]
    mean = mean_over_groups(
        causal["pip"].to_numpy(np.float64), causal["gene_id"].to_numpy(), "gene", _DRAWS, seed
    )
    held = proportion(sets["has_acting"], sets["gene_id"].to_numpy(), unit="gene")
    return {
        "calibration": calibration,
        "mean_of_causal": interval(mean),
        "sets_with_causal": interval(held),
    }


def reached(
    r2: Mapping[str, npt.NDArray[np.float64]], h2: npt.NDArray[np.float64], *, seed: int
) -> dict[str, Any]:
    """Give each predictor's mean R² over the mean true heritability of the same genes.

    Genes are drawn anew for the interval. Only a score that explains everything that cis variants
    do, in people it has not seen, reaches 1.
    """
    found = {}
    for name, values in r2.items():
        known = np.isfinite(values) & np.isfinite(h2)
        mine, true = values[known], h2[known]
        if not known.any() or true.mean() <= 0:
            found[name] = interval(Estimate(np.nan, np.nan, np.nan, len(mine), len(mine), "gene"))
            continue
        value = float(mine.mean() / true.mean())
        drawn = np.random.default_rng(seed).integers(0, len(mine), (_DRAWS, len(mine)))
        below = true[drawn].mean(axis=1)
        ratios = mine[drawn].mean(axis=1)[below > 0] / below[below > 0]
        low, high = percentile_interval(ratios, value, 0.95)
        found[name] = interval(Estimate(value, low, high, len(mine), len(mine), "gene"))
    return found


def judge_candidates(candidates: pd.DataFrame) -> dict[str, Any]:
    """Give the share of the first candidates that act, with its interval over genes."""
    acts = (candidates["effect"].fillna(0.0) != 0).to_numpy()
    shares = {
        k: proportion(acts[:k], candidates["gene_id"].to_numpy()[:k], unit="gene")
        for k in _TOPS
        if k <= len(acts)
    }
    return {
        "acting_in_top": {str(k): share.value for k, share in shares.items()},
        "acting_in_top_intervals": {str(k): interval(share) for k, share in shares.items()},
    }


def interval(found: Estimate) -> dict[str, Any]:
    """Give value, interval and number of rows as plain values."""
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def _share(hits: npt.NDArray[np.bool_]) -> dict[str, Any]:
    return interval(proportion(hits, unit="gene"))

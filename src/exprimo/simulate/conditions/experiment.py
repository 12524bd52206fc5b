"""The sequenced experiment of a world: counts, samples, and what is true of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.simulate.conditions.changes import (
    Values,
    factor_contribution,
    log2_fold_changes,
    responding_factor,
)
from exprimo.simulate.conditions.sequencing import (
    control_means,
    dispersions,
    draw_counts,
    draw_silent,
    library_table,
)
from exprimo.simulate.config import WorldConfig, random_stream
from exprimo.simulate.regulation.motifs import Motif

LEVEL = ("baseline", "promoter", "halflife", "family", "noise")
# The usual threshold of a differential gene: twofold.
_TWOFOLD = 1.0


class Experiment(NamedTuple):
    """What was sequenced, and the truth behind it. Genes are in genome order."""

    counts: npt.NDArray[np.int64]
    """Shape (genes, samples)."""
    libraries: pd.DataFrame
    """sample, condition, depth (expected reads), size_factor."""
    truth: pd.DataFrame
    """log2_fold_change, mean_control, dispersion, factor_contribution, silent (yes, no)."""
    described: dict[str, str | int | float]
    """Which factor changed how much, and how many genes changed."""


def sequence_conditions(
    seed: int,
    components: pd.DataFrame,
    sites: pd.DataFrame,
    motifs: dict[str, Motif],
    config: WorldConfig,
) -> Experiment:
    """Sequence the genes of a world in both conditions.

    Parameters
    ----------
    components
        As `exprimo.simulate.expression.add_up` gives them. The level of a gene is the sum of
        all parts, whether or not its expression was measured.
    sites
        Every site with its effect.
    """
    wanted = config.conditions
    contribution = factor_contribution(sites, len(components), motifs, config)
    changes = log2_fold_changes(seed, contribution, wanted)
    level: Values = components[list(LEVEL)].sum(axis=1).to_numpy(dtype=np.float64)
    silent = draw_silent(seed, level.size, wanted)
    control = control_means(seed, level, silent, wanted)
    means = np.stack([control, control * np.exp2(changes)], axis=1)
    dispersion = dispersions(seed, means.mean(axis=1), wanted)
    libraries = library_table(seed, means, wanted)
    expected = np.repeat(means, wanted.samples, axis=1) * libraries["size_factor"].to_numpy()
    truth = pd.DataFrame(
        {
            "log2_fold_change": changes,
            "mean_control": control,
            "dispersion": dispersion,
            "factor_contribution": contribution,
            "silent": np.where(silent, "yes", "no"),
        }
    )
    counts = draw_counts(random_stream(seed, "conditions.counts"), expected, dispersion)
    return Experiment(counts, libraries, truth, _describe(truth, counts, config))


def _describe(
    truth: pd.DataFrame, counts: npt.NDArray[np.int64], config: WorldConfig
) -> dict[str, str | int | float]:
    changes = truth["log2_fold_change"]
    return {
        "differential": config.conditions.differential,
        "factor": responding_factor(config).name,
        "activity": config.conditions.activity,
        "samples": counts.shape[1],
        "genes_twofold_up": int((changes > _TWOFOLD).sum()),
        "genes_twofold_down": int((changes < -_TWOFOLD).sum()),
        "genes_with_responding_sites": int((truth["factor_contribution"] != 0).sum()),
        "silent_genes": int((truth["silent"] == "yes").sum()),
        "genes_without_reads": int((counts.sum(axis=1) == 0).sum()),
    }

"""What a stack must beat: scores of the variants around each gene, on the same people and folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exprimo.core.progress import track
from exprimo.genetics.cohort import Cohort, cis_windows
from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.scores.fitting.gene import fit_gene
from exprimo.genetics.stacking.designs import GenePredictions

IntArray = NDArray[np.int64]

PREFIX = "cis_"


def with_rivals(
    done: GenePredictions,
    cohort: Cohort,
    genes: Sequence[str],
    fold: IntArray,
    config: ScoresConfig,
) -> GenePredictions:
    """Add baseline score, P+T and elastic net on cis-genotypes to the predictors.

    Each is fitted anew without each fold, thresholds and penalties by inner folds of the training
    people. A gene without variants is predicted as the training mean.
    """
    place = {gene: at for at, gene in enumerate(cohort.expression.genes["gene_id"])}
    order = {gene: at for at, gene in enumerate(genes)}
    told = np.repeat(done.training_mean[None], len(config.models), axis=0)
    windows = cis_windows(
        cohort,
        upstream=config.upstream,
        downstream=config.downstream,
        maf=config.maf,
        genes=frozenset(genes),
    )
    for window in track(windows, "cis-genotypes", len(genes)):
        scores = fit_gene(
            window.dosage,
            window.variants["start"].to_numpy(np.int64),
            cohort.expression.values[place[window.gene_id]],
            cohort.covariates,
            fold,
            config,
        )
        for row, name in enumerate(config.models):
            told[row, order[window.gene_id]] = scores.predicted[name]
    names = (*done.names, *(PREFIX + name for name in config.models))
    return done._replace(names=names, predicted=np.concatenate([done.predicted, told]))

"""Levels into read counts: negative binomial, with DESeq2's trend of the dispersion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.simulate.config import ConditionsConfig, random_stream

Values = npt.NDArray[np.float64]

CONDITIONS = ("control", "treated")


def draw_silent(seed: int, genes: int, config: ConditionsConfig) -> npt.NDArray[np.bool_]:
    """Choose the genes that are off in the sequenced cells, shape (genes,)."""
    silent = np.zeros(genes, dtype=bool)
    chosen = random_stream(seed, "conditions.silent").permutation(genes)
    silent[chosen[: int(config.silent_share * genes)]] = True
    return silent


def control_means(
    seed: int, level: Values, silent: npt.NDArray[np.bool_], config: ConditionsConfig
) -> Values:
    """Give each gene's expected count in a control library of mean depth, shape (genes,).

    Parameters
    ----------
    level
        Log2 expression, shape (genes,). What is not silent keeps its ratios.
    """
    stream = random_stream(seed, "conditions.silence")
    # From the highest level down, so that no power overflows.
    means = np.where(silent, 0.0, np.exp2(level - level.max()))
    means *= config.reads_per_gene * level.size / means.sum()
    low, high = np.log(config.silent_mean)
    drawn = np.exp(stream.uniform(low, high, level.size))
    return np.where(silent, drawn, means)


def dispersions(seed: int, mean: Values, config: ConditionsConfig) -> Values:
    """Draw each gene's dispersion alpha, shape (genes,); the variance is mu + alpha mu².

    The trend is alpha(mu) = a1 / mu + a0, with log-normal scatter of the genes around it (Love,
    Huber & Anders 2014, equations 5 and 6).

    Parameters
    ----------
    mean
        Mean count of both conditions at a size factor of 1, shape (genes,).
    """
    stream = random_stream(seed, "conditions.dispersion")
    trend = config.extra_poisson / mean + config.asymptotic_dispersion
    scatter = np.exp(stream.normal(0.0, config.dispersion_sd, mean.size))
    return np.asarray(trend * scatter, dtype=np.float64)


def library_table(seed: int, means: Values, config: ConditionsConfig) -> pd.DataFrame:
    """Draw each library's depth, and work out its size factor.

    A sequencer gives a number of reads, not of molecules: where many genes rise, the others get
    fewer reads. The size factor is therefore depth over the sum of the condition's levels.

    Parameters
    ----------
    means
        Expected counts at a size factor of 1, shape (genes, conditions).

    Returns
    -------
    pandas.DataFrame
        sample, condition, depth (expected reads), size_factor; control first.
    """
    stream = random_stream(seed, "conditions.depth")
    condition = np.repeat(np.arange(len(CONDITIONS)), config.samples)
    deviation = stream.normal(0.0, config.depth_sd, condition.size)
    # The mean of a log-normal is above its median by this much.
    factor = np.exp(deviation - config.depth_sd**2 / 2.0)
    depth = config.reads_per_gene * len(means) * factor
    return pd.DataFrame(
        {
            "sample": [f"{name}_{at + 1}" for name in CONDITIONS for at in range(config.samples)],
            "condition": [CONDITIONS[at] for at in condition],
            "depth": depth,
            "size_factor": depth / means.sum(axis=0)[condition],
        }
    )


def draw_counts(
    rng: np.random.Generator, means: Values, dispersion: Values
) -> npt.NDArray[np.int64]:
    """Draw negative binomial counts, shape (genes, samples).

    Parameters
    ----------
    means
        Expected counts, shape (genes, samples).
    dispersion
        Above 0, shape (genes,).

    Examples
    --------
    >>> drawn = draw_counts(np.random.default_rng(0), np.full((2, 3), 1e6), np.array([1e-9, 0.1]))
    >>> drawn.shape, [bool(spread > 10_000) for spread in drawn.std(axis=1)]
    ((2, 3), [False, True])
    """
    alpha = dispersion[:, np.newaxis]
    return rng.negative_binomial(1.0 / alpha, 1.0 / (1.0 + alpha * means))

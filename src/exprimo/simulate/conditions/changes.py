"""What changes between the conditions: the part of one factor's sites in expression."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError
from exprimo.simulate.config import ConditionsConfig, Factor, WorldConfig, random_stream
from exprimo.simulate.regulation.motifs import Motif
from exprimo.simulate.regulation.sites import promoter_component, site_effects

Values = npt.NDArray[np.float64]


def responding_factor(config: WorldConfig) -> Factor:
    """Give the factor whose activity changes.

    Examples
    --------
    >>> responding_factor(WorldConfig()).partner
    'MATE'
    """
    known = {factor.name: factor for factor in config.regulation.factors}
    if config.conditions.factor not in known:
        raise ConfigError(
            "no such transcription factor",
            record="conditions.factor",
            found=config.conditions.factor,
            expected=f"one of {', '.join(known)}",
            remedy="Name a factor of regulation.factors",
        )
    return known[config.conditions.factor]


def factor_contribution(
    sites: pd.DataFrame, genes: int, motifs: dict[str, Motif], config: WorldConfig
) -> Values:
    """Sum what the responding sites of the factor add to log2 expression, shape (genes,).

    Parameters
    ----------
    sites
        As `exprimo.simulate.regulation.sites.regulate` gives them. A site responds where its
        first base lies within ``conditions.reach``. The two sites of a pair carry half of their
        effect each.
    """
    one = responding_factor(config)
    # A partner may act in its own right; only what the changed factor does is wanted here.
    alone = tuple(
        factor if factor.name == one.name else factor.model_copy(update={"effect": 0.0})
        for factor in config.regulation.factors
    )
    acting = config.regulation.model_copy(update={"factors": alone})
    best = sites["factor"].map({name: motif.best_score for name, motif in motifs.items()})
    # Sites that mutation has broken are listed, too. In float32, as the scan compared.
    score = sites["score"].to_numpy(dtype=np.float32)
    live = sites[score >= (acting.threshold * best).to_numpy(dtype=np.float32)]
    start, end = config.conditions.reach
    within = live["offset"].between(start, end, inclusive="left").to_numpy()
    effects = site_effects(live, motifs, acting)
    return promoter_component(live.assign(effect=effects * within), genes)


def log2_fold_changes(seed: int, contribution: Values, config: ConditionsConfig) -> Values:
    """Give each gene's true log2 fold change, treated over control, shape (genes,).

    ``random`` deals the values of ``factor`` out by a permutation, so that both worlds have
    equally many and equally large changes.

    Examples
    --------
    >>> config = ConditionsConfig(activity=0.5, background_sd=0.0)
    >>> log2_fold_changes(0, np.array([-2.0, 0.0, 3.0]), config).tolist()
    [1.0, 0.0, -1.5]
    """
    if config.differential == "none":
        return np.zeros(contribution.size)
    background = random_stream(seed, "conditions.background")
    changes = (config.activity - 1.0) * contribution
    changes += background.normal(0.0, config.background_sd, contribution.size)
    if config.differential == "random":
        return random_stream(seed, "conditions.permutation").permutation(changes)
    return changes

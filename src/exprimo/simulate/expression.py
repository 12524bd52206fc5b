"""Expression as the sum of its parts, and how well each part could ever predict it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.simulate.config import ExpressionConfig, FamilyConfig
from exprimo.simulate.genome.families import Place

Values = npt.NDArray[np.float64]


def family_component(rng: np.random.Generator, places: list[Place], config: FamilyConfig) -> Values:
    """Draw what the members of each family share; 0 for genes without relatives.

    No motif tells it. A model can learn it only by recognising a relative, which is what a split
    that separates families prevents.
    """
    families = 1 + max((place.family for place in places if place.family is not None), default=-1)
    drawn = rng.normal(0.0, config.expression_sd, families)
    return np.array([0.0 if place.family is None else drawn[place.family] for place in places])


def add_up(
    rng: np.random.Generator,
    promoter: Values,
    halflife: Values,
    family: Values,
    config: ExpressionConfig,
) -> pd.DataFrame:
    """Give each gene's components, expected and observed expression (log2; NaN: not measured).

    Returns
    -------
    pandas.DataFrame
        baseline, promoter, halflife, family, noise, expected (without noise), observed.
    """
    noise = rng.normal(0.0, config.noise_sd, promoter.size)
    expected = config.baseline + promoter + halflife + family
    observed = np.where(rng.random(promoter.size) < config.missing_share, np.nan, expected + noise)
    return pd.DataFrame(
        {
            "baseline": config.baseline,
            "promoter": promoter,
            "halflife": halflife,
            "family": family,
            "noise": noise,
            "expected": expected,
            "observed": observed,
        }
    )


def ceilings(components: pd.DataFrame) -> dict[str, float]:
    """Correlate the truth with observed expression: no model of that input can do better.

    ``promoter`` is the ceiling of a model that sees the promoter and whose test genes have no
    relative among its training genes; ``all`` also knows the family.
    """
    measured = components[components["observed"].notna()]
    parts = {
        "promoter": ["promoter"],
        "halflife": ["halflife"],
        "promoter_halflife": ["promoter", "halflife"],
        "all": ["promoter", "halflife", "family"],
    }
    observed = measured["observed"].to_numpy()
    return {
        name: round(float(np.corrcoef(measured[columns].sum(axis=1), observed)[0, 1]), 6)
        for name, columns in parts.items()
    }

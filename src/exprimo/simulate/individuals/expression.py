"""Expression of people: their cis part, what else differs between people, and how much of which.

For gene g and person p, in log2::

    y_gp = level_g + cis_gp + sum of covariates c: beta_gc z_cp + gamma_g group_p + e_gp

cis is the mean of the promoter components of the person's two haplotypes; level is all else that
the gene's expression is made of; e ~ N(0, sd_g). The heritability asked for, h2_g, is beta
distributed, and sd_g² = var(cis_g) (1 - h2_g) / h2_g, as far as sd_g is within ``noise_sd``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.simulate.config import random_stream
from exprimo.simulate.individuals.config import IndividualsConfig
from exprimo.simulate.individuals.effects import ROUNDING

Values = npt.NDArray[np.float64]
# What has effects of SD `covariate_effect`; the group has its own.
COVARIATES = ("sex", "batch", "quality")
_LEAST_SHARE = 1e-3


class PersonalExpression(NamedTuple):
    """Expression of every gene in every person, and what it is made of."""

    expression: Values
    """Log2, shape (genes, people)."""
    heritability: pd.DataFrame
    """One row per gene: h2_asked, h2, cis_variance, noise_variance, cis_varies."""


def draw_people(seed: int, config: IndividualsConfig) -> pd.DataFrame:
    """Draw the people: sample, group (A or B), sex (female or male), batch (0, 1), quality.

    Quality is normal, as the integrity of RNA might be. The people of a group stand together.

    Examples
    --------
    >>> draw_people(0, IndividualsConfig(people=10))["group"].tolist()
    ['A', 'A', 'A', 'A', 'A', 'B', 'B', 'B', 'B', 'B']
    """
    stream, people = random_stream(seed, "individuals.people"), config.people
    digits = max(4, len(str(people)))
    first = round(people * config.group_share) if config.groups_fst > 0 else people
    return pd.DataFrame(
        {
            "sample": [f"P{number:0{digits}d}" for number in range(1, people + 1)],
            "group": np.where(np.arange(people) < first, "A", "B"),
            "sex": np.where(stream.random(people) < 0.5, "female", "male"),
            "batch": (stream.random(people) < 0.5).astype(np.int64),
            "quality": stream.normal(0.0, 1.0, people),
        }
    )


def covariate_values(people: pd.DataFrame) -> pd.DataFrame:
    """Give the covariates as numbers: sex (1: male), batch, quality; of two groups, group (1: B).

    They are all that acts on expression beside cis variants and noise. Without the group, variants
    that differ in frequency between the groups would be associated with genes they do not act on.

    Examples
    --------
    >>> covariate_values(draw_people(0, IndividualsConfig(people=10)))["group"].tolist()
    [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    """
    values = people[list(COVARIATES)].copy()
    values["sex"] = (values["sex"] == "male").astype(np.int64)
    if people["group"].nunique() > 1:
        values["group"] = (people["group"] == "B").astype(np.int64)
    return values


def ask_heritability(seed: int, genes: int, config: IndividualsConfig) -> Values:
    """Draw the heritability that each gene should have, shape (genes,)."""
    mean, sd = config.heritability, config.heritability_sd
    if mean == 0 or sd == 0:
        return np.full(genes, mean)
    size = mean * (1.0 - mean) / sd**2 - 1.0
    stream = random_stream(seed, "individuals.heritability")
    return np.asarray(stream.beta(mean * size, (1.0 - mean) * size, genes))


def express(
    seed: int, level: Values, cis: Values, people: pd.DataFrame, config: IndividualsConfig
) -> PersonalExpression:
    """Add up the expression of every gene in every person.

    Parameters
    ----------
    level
        What the gene's expression is made of beside its promoter, shape (genes,).
    cis
        Shape (genes, people).
    """
    genes, count = cis.shape
    asked = ask_heritability(seed, genes, config)
    cis_variance = cis.var(axis=1)
    share = np.clip(asked, _LEAST_SHARE, None)
    wanted = np.sqrt(cis_variance * (1.0 - share) / share) if config.heritability else 0.0
    sd = np.clip(wanted, *config.noise_sd) * np.ones(genes)
    noise = random_stream(seed, "individuals.noise").normal(0.0, 1.0, (genes, count))
    noise *= sd[:, np.newaxis]
    given = covariate_values(people)[list(COVARIATES)]
    known = standardised(given.to_numpy(dtype=np.float64))
    second = np.array([[group == "B"] for group in people["group"]], dtype=np.float64)
    groups = standardised(second)
    stream = random_stream(seed, "individuals.covariates")
    beta = stream.normal(0.0, config.covariate_effect, (genes, known.shape[1]))
    gamma = stream.normal(0.0, config.group_effect, (genes, 1))
    other = (beta @ known.T + gamma @ groups.T) * sd[:, np.newaxis]
    told = (cis + noise).var(axis=1)
    table = pd.DataFrame(
        {
            "h2_asked": np.where(cis_variance > 0, asked, 0.0),
            "h2": cis_variance / told,
            "cis_variance": cis_variance,
            "noise_variance": noise.var(axis=1),
            "cis_varies": np.ptp(cis, axis=1) > ROUNDING,
        }
    )
    return PersonalExpression(level[:, np.newaxis] + cis + noise + other, table)


def standardised(values: Values) -> Values:
    """Give each column mean 0 and SD 1; one that does not vary becomes 0."""
    spread = values.std(axis=0)
    scaled: Values = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled


def haplotype_groups(groups: Sequence[str]) -> npt.NDArray[np.int64]:
    """Number the group of each person's two haplotypes, shape (2 people,).

    Examples
    --------
    >>> haplotype_groups(["A", "B"]).tolist()
    [0, 0, 1, 1]
    """
    return np.repeat(np.array([int(group == "B") for group in groups], dtype=np.int64), 2)

r"""What each gene does in each cell type: activation, repression, and expression.

Gene g has sites i, each with an effect s_i by itself (log2, from the finished sequence), of a
factor f whose activity in cell c is A_fc. Sites that activate open the promoter, those that
repress recruit Polycomb::

    x_gc = sum of A_fc s_i over activating sites + family_g
    r_gc = sum of -A_fc s_i over repressing sites

Both are standardised over all genes and cells. To each comes a state of gene and cell that no
sequence tells, e and h ~ N(0, state_sd), and the sum has SD 1::

    u_gc = (x_gc + e_gc) / sqrt(1 + state_sd²)        activation
    v_gc = (r_gc + h_gc) / sqrt(1 + state_sd²)        repression
    o_gc = 1 / (1 + exp(-activation_gain u_gc))       openness
    p_gc = 1 / (1 + exp(-repression_gain (v_gc - repression_threshold)))   silencing

Expression saturates in activation, and activation counts less where the gene is silenced; a
gene that is open and silenced is bivalent. The unmarked part m_g (sites of the factors that no
mark shows) and that of the half-life d_g are the same in every cell::

    expected_gc = baseline + range o_gc (1 - silencing p_gc) + m_g + d_g
    observed_gc = expected_gc + N(0, noise_sd)

A mark that follows activation has a height proportional to exp(response u_gc). Expression is
therefore a Hill function of that height with the exponent activation_gain / response.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError
from exprimo.simulate.chromatin.config import CellsConfig
from exprimo.simulate.config import WorldConfig, random_stream

Values = npt.NDArray[np.float64]


class CellStates(NamedTuple):
    """What is true of each gene in each cell type; arrays have shape (genes, cells)."""

    names: list[str]
    """Names of the cell types."""
    activity: pd.DataFrame
    """Activity of each factor (columns) in each cell type (rows)."""
    activation: Values
    """SD 1."""
    repression: Values
    """SD 1."""
    openness: Values
    """0 to 1."""
    silencing: Values
    """0 to 1."""
    unmarked: Values
    """Log2 expression that no mark shows, shape (genes,)."""
    expected: Values
    """Log2 expression without noise."""
    observed: Values
    """Log2 expression as measured."""


def cell_names(count: int) -> list[str]:
    """Name cell types so that their order is that of the alphabet.

    Examples
    --------
    >>> cell_names(2)
    ['cell01', 'cell02']
    """
    digits = max(2, len(str(count)))
    return [f"cell{number:0{digits}d}" for number in range(1, count + 1)]


def require_unmarked_factors(config: WorldConfig) -> None:
    """Refuse an unmarked factor that the world does not have; without cell types none is needed.

    Examples
    --------
    >>> require_unmarked_factors(WorldConfig(cells=CellsConfig(cell_types=2)))
    """
    known = [factor.name for factor in config.regulation.factors]
    unknown = [name for name in config.cells.unmarked if name not in known]
    if unknown and config.cells.cell_types:
        raise ConfigError(
            "no such transcription factor",
            record="cells.unmarked",
            found=", ".join(unknown),
            expected=f"any of {', '.join(known)}",
            remedy="Name factors of regulation.factors, or none",
        )


def draw_activity(seed: int, factors: Sequence[str], config: CellsConfig) -> pd.DataFrame:
    """Draw the activity of each factor in each cell type, shape (cells, factors).

    A factor that no mark shows has the activity 1 everywhere.
    """
    stream = random_stream(seed, "cells.activity")
    drawn = stream.uniform(*config.activity, (config.cell_types, len(factors)))
    table = pd.DataFrame(drawn, columns=list(factors), index=cell_names(config.cell_types))
    table[[name for name in factors if name in config.unmarked]] = 1.0
    return table


def site_sums(
    sites: pd.DataFrame, genes: int, activity: pd.DataFrame, unmarked: Sequence[str]
) -> tuple[Values, Values, Values]:
    """Weigh each gene's sites by the activity of their factors.

    Parameters
    ----------
    sites
        gene (row), factor, effect (log2). Each site of a pair carries half of the pair's effect,
        so a pair follows the mean activity of its factors.
    activity
        Shape (cells, factors).

    Returns
    -------
    tuple of numpy.ndarray
        Activating and repressing sums, both 0 or more, shape (genes, cells); and the effects of
        the unmarked factors' sites, shape (genes,).

    Examples
    --------
    >>> sites = pd.DataFrame({"gene": [0, 0, 0], "factor": list("FRU"), "effect": [2.0, -1.0, 3.0]})
    >>> activity = pd.DataFrame({"F": [0.5, 1.0], "R": [1.0, 2.0], "U": [1.0, 1.0]})
    >>> [part.tolist() for part in site_sums(sites, 1, activity, ["U"])]
    [[[1.0, 2.0]], [[1.0, 2.0]], [3.0]]
    """
    by_factor = dict(iter(sites.groupby("factor", sort=False)))
    activating, repressing = np.zeros((2, genes, len(activity)))
    hidden = np.zeros(genes)
    for name in activity.columns:
        if name not in by_factor:
            continue
        at = by_factor[name]["gene"].to_numpy()
        effect = by_factor[name]["effect"].to_numpy(dtype=np.float64)
        if name in unmarked:
            hidden += np.bincount(at, weights=effect, minlength=genes)
            continue
        weight = activity[name].to_numpy()
        for total, part in ((activating, effect.clip(0)), (repressing, (-effect).clip(0))):
            total += np.outer(np.bincount(at, weights=part, minlength=genes), weight)
    return activating, repressing, hidden


def draw_states(
    seed: int, sites: pd.DataFrame, components: pd.DataFrame, config: WorldConfig
) -> CellStates:
    """Work out what every gene does in every cell type.

    Parameters
    ----------
    sites
        As `exprimo.simulate.regulation.sites.regulate` gives them.
    components
        As `exprimo.simulate.expression.add_up` gives them: halflife and family are used.
    """
    wanted = config.cells
    factors = [factor.name for factor in config.regulation.factors]
    activity = draw_activity(seed, factors, wanted)
    opening, closing, hidden = site_sums(sites, len(components), activity, wanted.unmarked)
    family = components["family"].to_numpy(dtype=np.float64)[:, np.newaxis]
    stream = random_stream(seed, "cells.states")
    activation = _with_state(stream, opening + family, wanted.state_sd)
    repression = _with_state(stream, closing, wanted.state_sd)
    openness = _logistic(wanted.activation_gain * activation)
    silencing = _logistic(wanted.repression_gain * (repression - wanted.repression_threshold))
    unmarked = wanted.unmarked_weight * hidden
    constant = unmarked + components["halflife"].to_numpy(dtype=np.float64)
    marked = wanted.range * openness * (1.0 - wanted.silencing * silencing)
    expected = wanted.baseline + marked + constant[:, np.newaxis]
    noise = random_stream(seed, "cells.noise").normal(0.0, wanted.noise_sd, expected.shape)
    return CellStates(
        names=activity.index.tolist(),
        activity=activity,
        activation=activation,
        repression=repression,
        openness=openness,
        silencing=silencing,
        unmarked=unmarked,
        expected=expected,
        observed=expected + noise,
    )


def standardise(values: Values) -> Values:
    """Give each cell's values (column) mean 0 and SD 1; what does not vary becomes 0."""
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _with_state(stream: np.random.Generator, told: Values, state_sd: float) -> Values:
    state = stream.normal(0.0, state_sd, told.shape)
    return np.asarray((standardise(told) + state) / np.hypot(1.0, state_sd))


def _logistic(values: Values) -> Values:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)))

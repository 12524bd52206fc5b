"""How strong associations are: effect, standard error, z-score and p, each from the others."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from exprimo.core.errors import FormatError

Floats = npt.NDArray[np.float64]

# Below it numbers lose digits, and then are 0: the logarithm of such a p-value is not known.
_TINY = float(np.finfo(np.float64).tiny)
_NO_FIT = "a standard error or an odds ratio of 0: the fit failed"
_UNTOLD = "no effect with a standard error, and no p-value"


class Strength(NamedTuple):
    """How strong associations are, (rows,) each; NaN where it is not told.

    ``size`` is |z|, which is known of a p-value whose direction is not.
    """

    beta: Floats
    se: Floats
    z: Floats
    size: Floats
    p: Floats


def size_of_p(p: npt.ArrayLike, minus_log10_p: npt.ArrayLike = np.nan) -> Floats:
    """Give |z| of two-sided p-values, by their logarithms, so that none is too small.

    Of a p-value of 0 it is not known, unless its logarithm is told beside it.

    Examples
    --------
    >>> size_of_p([0.05, 0.0, np.nan, 0.0], [np.nan, 1000.0, 8.0, np.nan]).round(3).tolist()
    [1.96, 67.796, 5.731, nan]
    """
    values, logs = np.asarray(p, np.float64), np.asarray(minus_log10_p, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.where(np.isfinite(logs), -logs * np.log(10.0), np.nan)
        log_p = np.where(values >= _TINY, np.log(values), told)
    # + 0.0: the z-score of a p-value of 1 is 0, not -0.
    return np.asarray(-special.ndtri_exp(log_p - np.log(2.0)) + 0.0, dtype=np.float64)


def strength_of(rows: pd.DataFrame) -> Strength:
    """Work out what a table leaves out.

    An odds ratio becomes its logarithm. A standard error that is not there follows from the
    effect and p. Effect and standard error go before a z-score, and this before p.

    Parameters
    ----------
    rows
        ``beta, odds_ratio, se, z, p, minus_log10_p``.
    """
    beta, se, p, odds, logs = (
        rows[name].to_numpy(dtype=np.float64, copy=True)
        for name in ("beta", "se", "p", "odds_ratio", "minus_log10_p")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.where(np.isnan(beta) & (odds > 0), np.log(odds), beta)
        p = np.where(np.isnan(p), 10.0**-logs, p)
        size = size_of_p(p, logs)
        # A p of 1 tells no standard error.
        se = np.where(np.isnan(se) & (size > 0), np.abs(beta) / size, se)
        z = np.where(np.isfinite(beta) & (se > 0), beta / se, rows["z"].to_numpy(np.float64))
        p = np.where(np.isnan(p), 2.0 * stats.norm.sf(np.abs(z)), p)
    size = np.where(np.isfinite(z), np.abs(z), size)
    return Strength(beta, np.where(se > 0, se, np.nan), z, size, p)


def unusable(rows: pd.DataFrame, made: Strength) -> dict[str, npt.NDArray[np.bool_]]:
    """Give reason -> rows that cannot be used for it; a row has one reason."""
    failed = ((rows["se"] == 0) | (rows["odds_ratio"] == 0)).to_numpy()
    told = np.isfinite(made.z) | (made.p >= 0)
    return {_NO_FIT: failed, _UNTOLD: ~told & ~failed}


def refuse_shares(values: pd.Series, what: str, path: Path) -> None:
    """Refuse numbers that are to lie from 0 to 1 and do not; missing ones may."""
    wrong = ((values < 0) | (values > 1)).to_numpy()
    _refuse(values, wrong, f"a {what} outside of 0 to 1", "a number from 0 to 1, or nothing", path)


def refuse_impossible(rows: pd.DataFrame, path: Path) -> None:
    """Refuse numbers that no association has, and say in which row; missing ones may be.

    Parameters
    ----------
    rows
        The columns of `ROLES`; the index counts the rows of the file from 0.
    path
        The file.
    """
    refuse_shares(rows["p"], "p-value", path)
    refuse_shares(rows["frequency"], "frequency", path)
    for name, what in (
        ("se", "a standard error"),
        ("odds_ratio", "an odds ratio"),
        ("minus_log10_p", "a -log10 of a p-value"),
    ):
        wrong = (rows[name] < 0).to_numpy()
        _refuse(rows[name], wrong, f"{what} below 0", "0 or more, or nothing", path)
    for name in ("beta", "odds_ratio", "se", "z", "n"):
        wrong = np.isinf(rows[name].to_numpy(np.float64))
        _refuse(rows[name], wrong, f"{name} without end", "a finite number, or nothing", path)


def _refuse(
    values: pd.Series, wrong: npt.NDArray[np.bool_], problem: str, expected: str, path: Path
) -> None:
    if wrong.any():
        raise FormatError(
            problem,
            file=path,
            record=f"row {values.index[wrong][0] + 1}",
            found=values[wrong].iloc[0],
            expected=expected,
            remedy="Name the right column, or leave out the row",
        )

"""What kind of trait associations are of, and their Bayes factors."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError, InputError
from exprimo.genetics.coloc.bayes_factors import (
    TraitKind,
    log_bayes_factors,
    standard_errors_of,
    trait_sd_of,
)

Floats = npt.NDArray[np.float64]


class Trait(NamedTuple):
    """What must be known of a trait beside its associations.

    Attributes
    ----------
    kind
        ``"quantitative"`` (expression is), or ``"case-control"`` with log odds ratios.
    n
        People, where the table has no such column.
    sd
        Standard deviation of a quantitative trait in the units of the effects: 1 of one that was
        inverse-normal transformed. None: estimated from standard errors, MAF and n.
    case_share
        Cases / people; needed where a table of cases and controls has p-values only.
    """

    kind: TraitKind = "quantitative"
    n: float | None = None
    sd: float | None = None
    case_share: float | None = None

    def checked(self, which: str) -> Trait:
        """Refuse numbers that cannot be; ``which`` trait, for the message."""
        for name, value, most in (
            ("n", self.n, np.inf), ("sd", self.sd, np.inf), ("case_share", self.case_share, 1.0),
        ):  # fmt: skip
            if value is not None and not 0 < value < most:
                raise ConfigError(
                    f"a trait that cannot be: {name}",
                    record=which,
                    found=value,
                    expected="above 0" + (", below 1" if most == 1 else ""),
                )
        return self


def factors_of_trait(
    rows: pd.DataFrame, trait: Trait, file: str | Path
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Give log Bayes factors of associations, and which of them could be made.

    From effects and standard errors where they are there; else from p, MAF and n.

    Parameters
    ----------
    rows
        As `read_associations` gives them.
    trait
        What they are of.
    file
        For messages.
    """
    beta, se, size, maf = (
        rows[name].to_numpy(np.float64) for name in ("beta", "se", "size", "maf")
    )
    n = rows["n"].to_numpy(np.float64)
    if trait.n is not None:
        n = np.where(np.isnan(n), float(trait.n), n)
    usable_maf = (maf > 0) & (n > 0)
    known = np.isfinite(beta) & (se > 0)
    made = np.full(len(rows), np.nan)
    if known.any():
        sd = 1.0
        if trait.kind == "quantitative":
            sd = (
                trait.sd
                if trait.sd is not None
                else _estimated(se, maf, n, known & usable_maf, file)
            )
        made[known] = log_bayes_factors(beta[known], se[known], kind=trait.kind, trait_sd=sd)
    else:
        known = usable_maf & np.isfinite(size)
        if not known.any():
            raise InputError(
                "neither effects with standard errors, nor p-values with MAF and n",
                file=file,
                remedy="Give the number of people, and a table with one or the other",
            )
        if trait.kind == "case-control" and trait.case_share is None:
            raise ConfigError(
                "the share of cases is not told", file=file,
                remedy="Give it: without effects it sets how sure p-values are",
            )  # fmt: skip
        share = trait.case_share if trait.kind == "case-control" else None
        beta, se = standard_errors_of(size[known], maf[known], n[known], case_share=share)
        made[known] = log_bayes_factors(beta, se, kind=trait.kind)
    return made, known


def _estimated(
    se: Floats, maf: Floats, n: Floats, usable: npt.NDArray[np.bool_], file: str | Path
) -> float:
    if not usable.any():
        raise ConfigError(
            "the trait's standard deviation is not told and cannot be estimated",
            file=file,
            found="no MAF, or no number of people",
            expected="a column of MAF and the number of people, or the standard deviation",
            remedy="Give the number of people, or a standard deviation of 1 where the trait was "
            "inverse-normal transformed",
        )
    return trait_sd_of(se[usable], maf[usable], n[usable])

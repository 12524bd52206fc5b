"""Contrasts: which combination of coefficients answers the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, InputError
from exprimo.data.tabular import unknown_name
from exprimo.labels.design.coding import INTERCEPT, Term
from exprimo.labels.design.matrix import DesignMatrix
from exprimo.labels.design.names import make_names


@dataclass(frozen=True, eq=False)
class Contrast:
    """A combination of coefficients.

    Attributes
    ----------
    values
        Weights, float64, shape (coefficients,).
    name
        For columns and files: ``status_IS_vs_C``, or the name of a coefficient.
    text
        For people: ``status IS vs C``, with the reference levels of what it interacts with.
    samples
        bool, shape (samples,): where these have no read of a gene, its fold change is 0 and its
        p-value 1 (DESeq2's rule for contrasts). None where that rule does not apply.
    levels
        ``(factor, numerator, denominator)``, or None.
    """

    values: npt.NDArray[np.float64]
    name: str
    text: str
    samples: npt.NDArray[np.bool_] | None
    levels: tuple[str, str, str] | None = None

    @property
    def coefficient(self) -> int | None:
        """Position of the one coefficient that this is, with weight 1; else None."""
        at = np.flatnonzero(self.values)
        return int(at[0]) if len(at) == 1 and self.values[at[0]] == 1 else None


def contrast_vector(design: DesignMatrix, spec: str | Sequence[str] | Sequence[float]) -> Contrast:
    """Turn a question into weights of the coefficients, as DESeq2's ``results`` does.

    Parameters
    ----------
    design
        The design.
    spec
        ``(factor, numerator, denominator)`` or the same in one text, ``"status,IS,C"``; or the
        name of a coefficient (a measurement, an interaction); or one weight per coefficient.
        A factor that interacts with others is compared at their reference levels.

    Raises
    ------
    InputError
        There is no such factor, level or coefficient; the nearest is named.
    ConfigError
        The contrast is no comparison: equal levels, weights of another number or all 0.

    Examples
    --------
    >>> import pandas as pd
    >>> from exprimo.labels.design import design_matrix
    >>> sheet = pd.DataFrame({"dose": ["high", "high", "low", "low", "mid", "mid"]})
    >>> design = design_matrix("~ dose", sheet, reference={"dose": "low"})
    >>> design.names
    ('Intercept', 'dose_high_vs_low', 'dose_mid_vs_low')
    >>> contrast = contrast_vector(design, ("dose", "high", "mid"))
    >>> contrast.values.tolist(), contrast.text
    ([0.0, 1.0, -1.0], 'dose high vs mid')
    """
    if isinstance(spec, str):
        return _of_text(design, spec)
    parts = list(spec)
    if parts and all(isinstance(part, str) for part in parts):
        return _of_levels(design, [str(part) for part in parts])
    if any(isinstance(part, str) for part in parts):
        _refuse(parts, "names or numbers, not both", "Give a factor and two of its levels")
    return _of_weights(design, np.asarray(parts, dtype=np.float64))


def default_contrast(design: DesignMatrix) -> Contrast:
    """Ask what a design most likely asks: its last coefficient.

    Where that belongs to a factor alone, it is the last level against the reference.

    Examples
    --------
    >>> import pandas as pd
    >>> from exprimo.labels.design import design_matrix
    >>> sheet = pd.DataFrame({"batch": list("xyxy"), "status": ["C", "C", "IS", "IS"]})
    >>> default_contrast(design_matrix("~ batch + status", sheet)).name
    'status_IS_vs_C'
    """
    term = design.terms[-1]
    if len(term.variables) == 1 and term.variables[0] in design.levels:
        levels = design.levels[term.variables[0]]
        return _of_levels(design, [term.variables[0], levels[-1], levels[0]])
    return _of_coefficient(design, len(design.names) - 1)


def _of_text(design: DesignMatrix, text: str) -> Contrast:
    name = text.strip()
    for known in (design.names, design.r_names):
        if name in known:
            return _of_coefficient(design, known.index(name))
    # Names of coefficients hold no commas.
    if "," in name:
        return _of_levels(design, [part.strip() for part in name.split(",")])
    if name in design.levels:
        levels = design.levels[name]
        _refuse(
            [name],
            f"two levels of {name} behind it: {', '.join(levels)}",
            f"Write it like {name},{levels[-1]},{levels[0]}",
        )
    raise unknown_name("coefficient in the design", name, [*design.names, *design.factors])


def _of_coefficient(design: DesignMatrix, at: int) -> Contrast:
    values = np.zeros(len(design.names))
    values[at] = 1
    return Contrast(values, design.names[at], design.texts[at], None)


def _of_levels(design: DesignMatrix, parts: list[str]) -> Contrast:
    if len(parts) != 3:
        _refuse(parts, "a factor and two of its levels", "Write it like status,IS,C")
    factor, numerator, denominator = parts
    term = _main_effect(design, factor)
    levels = design.levels[factor]
    for level in (numerator, denominator):
        if level not in levels:
            raise unknown_name(f"level of {factor}", level, levels)
    if numerator == denominator:
        _refuse(parts, "two different levels", f"Levels of {factor} are {', '.join(levels)}")
    shown = levels if term.all_levels[0] else levels[1:]
    column = dict(zip(shown, term.columns, strict=True))
    values = np.zeros(len(design.names))
    # The reference has no column beside an intercept: its effect is 0.
    if numerator in column:
        values[column[numerator]] += 1
    if denominator in column:
        values[column[denominator]] -= 1
    return Contrast(
        values,
        make_names(f"{factor}_{numerator}_vs_{denominator}"),
        f"{factor} {numerator} vs {denominator}{_partners(design, factor)}",
        design.data[factor].isin([numerator, denominator]).to_numpy(dtype=bool),
        (factor, numerator, denominator),
    )


def _main_effect(design: DesignMatrix, factor: str) -> Term:
    if factor in design.numbers:
        _refuse(
            [factor],
            "a factor; this column holds measurements",
            f"Give its name alone for the effect of one unit of {factor}, or name it among the "
            "factors of the design",
        )
    if factor not in design.levels:
        raise unknown_name("factor in the design", factor, design.factors)
    term = design.term(factor)
    if term is None:
        raise InputError(
            "a factor that the design holds in interactions only",
            record=f"contrast of {factor}, design {design.formula}",
            found=", ".join(name for name in design.names if name != INTERCEPT),
            expected=f"the term {factor}",
            remedy="Name one of these coefficients, or give one weight for each",
        )
    return term


def _partners(design: DesignMatrix, factor: str) -> str:
    """Say where in the other columns the comparison is made."""
    others: dict[str, None] = {}
    for term in design.terms:
        if factor in term.variables:
            others.update(dict.fromkeys(name for name in term.variables if name != factor))
    places = [
        f"{name} {design.levels[name][0]}" if name in design.levels else f"{name} 0"
        for name in others
    ]
    return f" at {', '.join(places)}" if places else ""


def _of_weights(design: DesignMatrix, weights: npt.NDArray[np.float64]) -> Contrast:
    if weights.shape != (len(design.names),):
        raise ConfigError(
            "a contrast with another number of weights than there are coefficients",
            record=f"design {design.formula}",
            found=f"{weights.size} weights",
            expected=f"{len(design.names)}, for {', '.join(design.names)}",
        )
    if not np.isfinite(weights).all() or not weights.any():
        _refuse(weights.tolist(), "finite weights that are not all 0", "Give a weight other than 0")
    # DESeq2 compares only where there is something on both sides.
    samples = None
    if (weights > 0).any() and (weights < 0).any():
        samples = design.values @ (weights != 0).astype(np.float64) != 0
    name = ",".join(f"{weight:+g}" if weight else "0" for weight in weights)
    parts = [
        f"{weight:+g} × {coefficient}"
        for weight, coefficient in zip(weights, design.names, strict=True)
        if weight
    ]
    return Contrast(weights.copy(), name, " ".join(parts).removeprefix("+"), samples)


def _refuse(found: Sequence[object], expected: str, remedy: str) -> NoReturn:
    raise ConfigError(
        "this is no contrast",
        found=",".join(map(str, found)) or "nothing",
        expected=expected,
        remedy=remedy,
    )

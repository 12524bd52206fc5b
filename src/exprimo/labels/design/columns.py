"""The columns of a sample sheet that a design uses: factors with levels, or numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from exprimo.core.errors import ConfigError, InputError
from exprimo.data.tabular import unknown_name

# Whole numbers with few values are groups more often than measurements.
_FEW_VALUES = 5


def read_columns(
    samples: pd.DataFrame,
    used: Sequence[str],
    *,
    reference: Mapping[str, str],
    factors: Collection[str],
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Bring the used columns into one of two forms, and note what may surprise.

    Parameters
    ----------
    samples
        One row a sample.
    used
        The columns that the design names.
    reference
        Factor -> its reference level.
    factors
        Columns of numbers to be taken as factors.

    Returns
    -------
    DataFrame, tuple of str
        Factors as unordered Categoricals, the reference first; numbers as float64. And notes.
    """
    known = [str(name) for name in samples.columns]
    for name in used:
        _refuse_unknown(name, known)
    for name in (*reference, *factors):
        _refuse_unknown(name, known)
        if name not in used:
            raise ConfigError(
                "a factor that the design does not use",
                record=f"column {name}",
                expected=f"one of {', '.join(used) or '(the design has no columns)'}",
                remedy=f"Add {name} to the design, or leave its reference level away",
            )
    _refuse_missing(samples, used)
    columns: dict[str, pd.Series] = {}
    notes: list[str] = []
    for name in used:
        cells = samples[name]
        if name not in factors and _is_number(cells):
            if name in reference:
                raise ConfigError(
                    "a column of numbers has no reference level",
                    record=f"column {name}",
                    found=f"reference {reference[name]!r}",
                    remedy=f"Name {name} among the factors if its numbers stand for groups",
                )
            columns[name] = _numbers(name, cells)
            notes += _doubts(name, columns[name])
        else:
            columns[name] = _factor(name, cells, reference.get(name))
    return pd.DataFrame(columns, index=samples.index), tuple(notes)


def _refuse_unknown(name: str, known: list[str]) -> None:
    if name not in known:
        raise unknown_name("column in the sample sheet", name, known)
    if known.count(name) > 1:
        raise InputError("a column of the sample sheet occurs twice", record=f"column {name}")


def _refuse_missing(samples: pd.DataFrame, used: Sequence[str]) -> None:
    for name in used:
        cells = samples[name]
        absent = cells.isna() | (cells.astype(object) == "")
        if absent.any():
            who = [str(sample) for sample in samples.index[absent]]
            raise InputError(
                "a value that the design needs is missing",
                record=f"column {name}",
                found=f"no value for {_some(who)}",
                expected="a value for each sample",
                remedy="Fill it in, leave the samples out, or leave the column out of the design",
            )


def _is_number(cells: pd.Series) -> bool:
    return bool(
        pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype)
    )


def _numbers(name: str, cells: pd.Series) -> pd.Series:
    numbers = cells.astype(np.float64)
    endless = ~np.isfinite(numbers.to_numpy())
    if endless.any():
        raise InputError(
            "a number in the sample sheet is not finite",
            record=f"column {name}, sample {cells.index[endless][0]}",
            found=cells[endless].iloc[0],
            expected="a finite number",
        )
    return numbers


def _doubts(name: str, numbers: pd.Series) -> list[str]:
    values = np.unique(numbers)
    if len(values) <= _FEW_VALUES and (values == np.rint(values)).all() and np.ptp(values) > 1:
        listed = ", ".join(f"{value:g}" for value in values)
        return [
            f"column {name} holds only the numbers {listed} and is taken as a measurement, with "
            "one slope; name it among the factors if they stand for groups"
        ]
    spread = float(numbers.std())
    if abs(float(numbers.mean())) > 5 * spread > 0:
        return [
            f"column {name} lies far from 0 for its spread; subtract its mean for a steadier fit"
        ]
    return []


def _factor(name: str, cells: pd.Series, reference: str | None) -> pd.Series:
    texts = cells.map(level_text).astype(object)
    levels = _sorted_levels(cells)
    if len(levels) < 2:
        raise InputError(
            "a factor with a single level",
            record=f"column {name}",
            found=f"{levels[0]} for every sample" if levels else "no sample",
            expected="at least two levels",
            remedy=f"Leave {name} out of the design, or check that all samples are there",
        )
    if reference is not None:
        if reference not in levels:
            raise unknown_name(f"level of {name}", reference, levels)
        levels = [reference, *(level for level in levels if level != reference)]
    return pd.Series(pd.Categorical(texts, categories=levels), index=cells.index)


def _sorted_levels(cells: pd.Series) -> list[str]:
    """List the levels that occur: as a Categorical has them, else sorted."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        present = set(cells.unique())
        ordered = [value for value in cells.cat.categories if value in present]
    elif _is_number(cells) or pd.api.types.is_bool_dtype(cells.dtype):
        ordered = sorted(cells.unique())
    else:
        # By code point, as R does in the C locale: the same on every machine.
        ordered = sorted(set(cells.map(level_text)))
    return list(dict.fromkeys(level_text(value) for value in ordered))


def level_text(value: object) -> str:
    """Write a level: whole numbers without a decimal point.

    Examples
    --------
    >>> level_text(2.0), level_text(0.5), level_text("IS")
    ('2', '0.5', 'IS')
    """
    if isinstance(value, float | np.floating):
        return f"{value:.15g}"
    return str(value)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more

"""Terms to columns of numbers, with R's treatment contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.labels.design.formula import Formula
from exprimo.labels.design.names import make_names

INTERCEPT = "Intercept"


@dataclass(frozen=True)
class Term:
    """A term of the design and the coefficients that belong to it.

    Attributes
    ----------
    label
        ``Intercept``, a column of the sheet, or columns joined by ``:``.
    variables
        The columns of the sheet that it uses.
    all_levels
        Per variable, whether each of its levels has an indicator; else the reference has none.
        Means nothing for numbers.
    columns
        Positions in the design matrix.
    """

    label: str
    variables: tuple[str, ...]
    all_levels: tuple[bool, ...]
    columns: tuple[int, ...]


class Column(NamedTuple):
    """One column of the design matrix: R's name, DESeq2's name, words, and numbers."""

    r_name: str
    name: str
    text: str
    values: npt.NDArray[np.float64]


def code_terms(formula: Formula, data: pd.DataFrame) -> tuple[list[Term], list[Column]]:
    """Make the columns of each term, in R's order: in an interaction the first factor runs first.

    Parameters
    ----------
    formula
        The design.
    data
        Factors as Categoricals, the reference first; numbers as float64.
    """
    levels = {
        name: [str(level) for level in data[name].cat.categories]
        for name in formula.variables
        if isinstance(data[name].dtype, pd.CategoricalDtype)
    }
    terms: list[Term] = []
    columns: list[Column] = []
    if formula.intercept:
        columns.append(Column("(Intercept)", INTERCEPT, "intercept", np.ones(len(data))))
        terms.append(Term(INTERCEPT, (), (), (0,)))
    for at, all_levels in enumerate(_codes(formula, levels)):
        variables = formula.terms[at]
        made = _term_columns(variables, all_levels, data, levels)
        if formula.intercept and len(variables) == 1 and variables[0] in levels:
            made = [_against_reference(c, variables[0], levels[variables[0]]) for c in made]
        first = len(columns)
        columns += made
        positions = tuple(range(first, len(columns)))
        terms.append(Term(":".join(variables), variables, all_levels, positions))
    return terms, columns


def _codes(formula: Formula, factors: Mapping[str, object]) -> list[tuple[bool, ...]]:
    """Decide for each factor of each term whether all its levels get an indicator.

    R's rule (Chambers and Hastie, Statistical Models in S, 1992, p. 38): contrasts where an
    earlier term holds the rest of the term, else all levels; and without an intercept all levels
    for the first factor of the first term that has one.
    """
    codes = []
    waiting = not formula.intercept
    for at, term in enumerate(formula.terms):
        earlier = formula.terms[:at]
        code = []
        for variable in term:
            rest = set(term) - {variable}
            all_levels = bool(rest) and not any(rest <= set(other) for other in earlier)
            if variable in factors and waiting:
                all_levels, waiting = True, False
            code.append(all_levels)
        codes.append(tuple(code))
    return codes


def _term_columns(
    variables: tuple[str, ...],
    all_levels: tuple[bool, ...],
    data: pd.DataFrame,
    levels: Mapping[str, list[str]],
) -> list[Column]:
    made = [Column("", "", "", np.ones(len(data)))]
    for variable, whole in zip(variables, all_levels, strict=True):
        if variable in levels:
            shown = levels[variable] if whole else levels[variable][1:]
            # A Categorical compares with a level faster by code; the codes count all levels.
            codes = data[variable].cat.codes.to_numpy()
            start = 0 if whole else 1
            pieces = [
                Column(
                    variable + level,
                    variable + level,
                    f"{variable} {level}",
                    (codes == code).astype(np.float64),
                )
                for code, level in enumerate(shown, start)
            ]
        else:
            numbers = data[variable].to_numpy(np.float64)
            pieces = [Column(variable, variable, variable, numbers)]
        made = [_product(done, piece) for piece in pieces for done in made]
    return [column._replace(name=make_names(column.name)) for column in made]


def _product(left: Column, right: Column) -> Column:
    if not left.name:
        return right
    return Column(
        f"{left.r_name}:{right.r_name}",
        f"{left.name}:{right.name}",
        f"{left.text}, {right.text}",
        left.values * right.values,
    )


def _against_reference(column: Column, variable: str, levels: list[str]) -> Column:
    level = column.r_name.removeprefix(variable)
    return column._replace(
        name=make_names(f"{variable}_{level}_vs_{levels[0]}"),
        text=f"{variable} {level} vs {levels[0]}",
    )

"""Design matrices: what each sample adds to each coefficient."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError, InputError
from exprimo.labels.design.coding import Term, code_terms
from exprimo.labels.design.columns import read_columns
from exprimo.labels.design.formula import Formula, parse_formula
from exprimo.labels.design.rank import TOLERANCE, combination, find_basis, remainder


@dataclass(frozen=True, eq=False)
class DesignMatrix:
    """A design, spelt out for the samples of one sheet.

    Attributes
    ----------
    values
        float64, shape (samples, coefficients).
    names
        The coefficients as DESeq2 names them: ``Intercept``, ``status_IS_vs_C`` for a factor
        beside an intercept, ``statusIS`` without one, ``age``, ``statusIS.batchB``.
    r_names
        The same as R's ``model.matrix`` names them: ``(Intercept)``, ``statusIS``,
        ``statusIS:batchB``.
    texts
        The same in words: ``status IS vs C``, ``status IS, batch B``.
    terms
        Which coefficients belong to which term.
    levels
        Factor -> its levels, the reference first.
    samples
        Names, in the order of the rows.
    formula
        The design.
    data
        The columns of the sheet that it uses: factors as Categoricals, numbers as float64.
    notes
        What may surprise, in sentences, such as groups coded by numbers.
    """

    values: npt.NDArray[np.float64]
    names: tuple[str, ...]
    r_names: tuple[str, ...]
    texts: tuple[str, ...]
    terms: tuple[Term, ...]
    levels: Mapping[str, tuple[str, ...]]
    samples: tuple[str, ...]
    formula: Formula
    data: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def factors(self) -> tuple[str, ...]:
        """Columns of the sheet that are factors."""
        return tuple(self.levels)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns of the sheet that are numbers."""
        return tuple(name for name in self.formula.variables if name not in self.levels)

    def term(self, label: str) -> Term | None:
        """Give the term of that label, or None."""
        return next((term for term in self.terms if term.label == label), None)


def design_matrix(
    formula: str | Formula,
    samples: pd.DataFrame,
    *,
    reference: Mapping[str, str] | None = None,
    factors: Collection[str] = (),
) -> DesignMatrix:
    """Spell out a design for the samples, and check that all its coefficients can be told apart.

    Parameters
    ----------
    formula
        As `parse_formula` reads it, ``~ batch + status``.
    samples
        One row a sample, as `exprimo.data.samples.read_samples` gives it. Columns of text (and
        booleans and Categoricals) are factors, columns of numbers are measurements.
    reference
        Factor -> the level that others are compared with. Otherwise the first of a Categorical,
        else the first by code point (``A`` before ``a``), which is R's order in the C locale.
    factors
        Columns of numbers that stand for groups.

    Raises
    ------
    InputError
        A column or level is not there (the nearest is named), a value is missing, a factor has
        one level, or a coefficient is a combination of others (which is said).
    ConfigError
        The formula cannot be read, or a reference is given for what is no factor of the design.

    Examples
    --------
    >>> sheet = pd.DataFrame({"status": ["C", "C", "IS", "IS"], "age": [61.0, 70.0, 58.0, 66.0]},
    ...                      index=["S1", "S2", "S3", "S4"])
    >>> design = design_matrix("~ age + status", sheet)
    >>> design.names
    ('Intercept', 'age', 'status_IS_vs_C')
    >>> design.values[3].tolist()
    [1.0, 66.0, 1.0]
    """
    design = model_matrix(formula, samples, reference=reference, factors=factors)
    check_full_rank(design)
    return design


def model_matrix(
    formula: str | Formula,
    samples: pd.DataFrame,
    *,
    reference: Mapping[str, str] | None = None,
    factors: Collection[str] = (),
) -> DesignMatrix:
    """Spell out a design as R's ``model.matrix`` does, whether or not it can be fitted.

    The parameters are those of `design_matrix`, which also checks the rank.
    """
    parsed = parse_formula(formula) if isinstance(formula, str) else formula
    if not len(samples):
        raise InputError("a design needs samples", found="none", expected="one row per sample")
    data, notes = read_columns(
        samples, parsed.variables, reference=reference or {}, factors=factors
    )
    terms, columns = code_terms(parsed, data)
    names = tuple(column.name for column in columns)
    for at, name in enumerate(names):
        if name in names[:at]:
            first = columns[names.index(name)]
            raise ConfigError(
                "two coefficients get the same name",
                record=f"design {parsed}",
                found=f"{name} for {first.text!r} and for {columns[at].text!r}",
                remedy="Rename a level or a column in the sample sheet",
            )
    return DesignMatrix(
        values=np.column_stack([column.values for column in columns]),
        names=names,
        r_names=tuple(column.r_name for column in columns),
        texts=tuple(column.text for column in columns),
        terms=tuple(terms),
        levels={
            name: tuple(map(str, data[name].cat.categories))
            for name in parsed.variables
            if isinstance(data[name].dtype, pd.CategoricalDtype)
        },
        samples=tuple(map(str, samples.index)),
        formula=parsed,
        data=data,
        notes=notes,
    )


def check_full_rank(design: DesignMatrix) -> None:
    """Refuse a design with a coefficient that is a combination of others, and say of which.

    Examples
    --------
    >>> sheet = pd.DataFrame({"status": ["C", "C", "IS"], "batch": ["1", "1", "2"]})
    >>> check_full_rank(model_matrix("~ status + batch", sheet))
    Traceback (most recent call last):
    exprimo.core.errors.InputError: design ~ status + batch: the samples do not tell all \
coefficients apart. Found: batch_2_vs_1 = status_IS_vs_C. Expected: no coefficient that is a \
combination of others. Leave one of status, batch out of the design, or the interaction of them.
    """
    basis = find_basis(design.values)
    if not basis.dependent:
        return
    empty = [at for at in basis.dependent if not design.values[:, at].any()]
    if empty:
        _refuse_zeros(design)
        raise InputError(
            "the samples do not tell all coefficients apart",
            record=f"design {design.formula}",
            found="no sample with " + "; nor with ".join(design.texts[at] for at in empty[:5]),
            expected="samples for each combination that the design names",
            remedy="Leave the interaction out, or join the factors into one column of groups",
        )
    said, named = [], set[str]()
    for at in basis.dependent[:5]:
        parts = combination(design.values, at, basis.independent)
        said.append(f"{design.names[at]} = {_written(parts, design.names)}")
        for position in (at, *(other for _, other in parts)):
            named |= set(_variables_of(design, position))
    columns = [name for name in design.formula.variables if name in named]
    raise InputError(
        "the samples do not tell all coefficients apart",
        record=f"design {design.formula}",
        found="; ".join(said),
        expected="no coefficient that is a combination of others",
        remedy=f"Leave one of {', '.join(columns)} out of the design, or the interaction of them"
        if len(columns) > 1
        else f"Leave {columns[0]} or the intercept out of the design",
    )


def _refuse_zeros(design: DesignMatrix) -> None:
    for name in design.numbers:
        if not design.data[name].any():
            raise InputError(
                "a measurement that is 0 in every sample",
                record=f"design {design.formula}",
                found=f"column {name} holds nothing but 0",
                expected="numbers that differ between samples",
                remedy=f"Leave {name} out of the design",
            )


def reduced_of(full: DesignMatrix, formula: str | Formula) -> DesignMatrix:
    """Spell out the smaller design of a likelihood-ratio test, with the levels of the full one.

    Raises
    ------
    ConfigError
        It uses other columns, is no special case of the full design, or is as large.

    Examples
    --------
    >>> sheet = pd.DataFrame({"status": ["C", "C", "IS", "IS"], "age": [61.0, 70.0, 58.0, 66.0]})
    >>> reduced_of(design_matrix("~ age + status", sheet), "~ age").names
    ('Intercept', 'age')
    """
    parsed = parse_formula(formula) if isinstance(formula, str) else formula
    foreign = [name for name in parsed.variables if name not in full.formula.variables]
    if foreign:
        raise ConfigError(
            "the reduced design uses a column that the full design does not",
            record=f"reduced design {parsed}",
            found=", ".join(foreign),
            expected=f"columns of {full.formula}",
            remedy="Take terms away from the full design to get the reduced one",
        )
    reduced = design_matrix(parsed, full.data)
    vectors = find_basis(full.values).vectors
    for name, column in zip(reduced.names, reduced.values.T, strict=True):
        if np.linalg.norm(remainder(column, vectors)) > TOLERANCE * np.linalg.norm(column):
            raise ConfigError(
                "the reduced design is no special case of the full one",
                record=f"reduced design {parsed}",
                found=f"{name}, which is no combination of {', '.join(full.names)}",
                expected=f"only what {full.formula} holds",
                remedy="Take terms away from the full design to get the reduced one",
            )
    if len(reduced.names) >= len(full.names):
        raise ConfigError(
            "the reduced design is as large as the full one",
            record=f"reduced design {parsed}",
            found=f"{len(reduced.names)} coefficients in both",
            expected=f"fewer than {full.formula} has",
            remedy="Leave out the term that is to be tested",
        )
    return reduced


def _variables_of(design: DesignMatrix, column: int) -> tuple[str, ...]:
    return next(term.variables for term in design.terms if column in term.columns)


def _written(parts: list[tuple[float, int]], names: tuple[str, ...]) -> str:
    text = ""
    for weight, at in parts:
        sign = "-" if weight < 0 else "+"
        size = "" if abs(weight) == 1 else f"{abs(weight):g} "
        joint = f" {sign} " if text else ("-" if weight < 0 else "")
        text += f"{joint}{size}{names[at]}"
    return text

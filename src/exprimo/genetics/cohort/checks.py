"""What is refused before anything is computed of people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, InputError
from exprimo.data.phenotypes import PersonalExpression

# A column whose distance from the span of those before it is below this part of its own length.
_COLLINEAR = 1e-9


def refuse_unsorted(expression: PersonalExpression) -> None:
    """Refuse an expression BED whose chromosomes or starts are out of order, and say where."""
    if expression.is_sorted:
        return
    genes = expression.genes
    chrom, start = genes["chrom"].to_numpy(), genes["start"].to_numpy()
    earlier: set[str] = set()
    at = 1
    for at in range(1, len(genes)):
        if chrom[at] == chrom[at - 1]:
            if start[at] < start[at - 1]:
                break
        else:
            earlier.add(chrom[at - 1])
            if chrom[at] in earlier:
                break
    raise FormatError(
        "the expression BED is not sorted",
        file=expression.source,
        record=f"gene {genes['gene_id'].iloc[at]}",
        found=f"{chrom[at]}:{start[at]} after {chrom[at - 1]}:{start[at - 1]}",
        expected="chromosomes that stand together, starts that rise",
        remedy="Sort it with: sort -k1,1 -k2,2n",
    )


def refuse_few_people(people: Sequence[str], covariates: Sequence[str], file: str | Path) -> None:
    """Refuse fewer people than an intercept, a slope and the covariates take.

    A regression needs one more, which is what the message asks for.

    Examples
    --------
    >>> refuse_few_people(["a", "b", "c"], ["age", "sex"], "e.bed")
    Traceback (most recent call last):
    exprimo.core.errors.InputError: e.bed: too few people for these covariates. Found: 3 people \
and 2 covariates. Expected: at least 5 people. Leave out covariates, or check that names match.
    """
    taken = len(covariates) + 2
    if len(people) < taken:
        raise InputError(
            "too few people for these covariates",
            file=file,
            found=f"{len(people)} people and {len(covariates)} covariates",
            expected=f"at least {taken + 1} people",
            remedy="Leave out covariates, or check that names match",
        )


def refuse_collinear(
    names: Sequence[str], values: npt.NDArray[np.float64], file: str | Path
) -> None:
    """Refuse covariates that the intercept and those before them explain.

    Parameters
    ----------
    names, values
        One a column of (people, covariates); none is constant.
    file
        Where they come from.

    Examples
    --------
    >>> ages = np.array([[1.0, 2.0], [2.0, 4.0], [4.0, 8.0]])
    >>> refuse_collinear(["age", "twice"], ages, "c.tsv")
    Traceback (most recent call last):
    exprimo.core.errors.InputError: c.tsv: collinear covariates. Found: twice, explained by age. \
Expected: covariates that each add something. Leave it out.
    """
    lengths = np.linalg.norm(values - values.mean(axis=0), axis=0)
    scaled = (values - values.mean(axis=0)) / lengths
    for at in range(1, len(names)):
        weights, *_ = np.linalg.lstsq(scaled[:, :at], scaled[:, at], rcond=None)
        if np.linalg.norm(scaled[:, at] - scaled[:, :at] @ weights) < _COLLINEAR:
            by = [name for name, weight in zip(names, weights, strict=False) if abs(weight) > 1e-6]
            raise InputError(
                "collinear covariates",
                file=file,
                found=f"{names[at]}, explained by {', '.join(by[:8])}",
                expected="covariates that each add something",
                remedy="Leave it out",
            )


def constant_genes(expression: PersonalExpression, *, refuse: bool) -> npt.NDArray[np.bool_]:
    """Tell which genes have one value in all people; with ``refuse`` any such is an error."""
    still: npt.NDArray[np.bool_] = np.ptp(expression.values, axis=1) == 0
    if refuse and still.any():
        names = expression.genes["gene_id"].to_numpy()[still]
        raise InputError(
            "constant genes",
            file=expression.source,
            found=f"{len(names)}: {', '.join(names[:5])}",
            expected="genes whose expression differs between the matched people",
            remedy="Leave them out of the file, or ask for constant genes to be dropped",
        )
    return still

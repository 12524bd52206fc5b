"""One cell type's signal in bins, and the checks that hold whatever file it came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.data.tabular import unknown_name

Numbers = npt.NDArray[np.float32]

_LARGEST = float(np.finfo(np.float32).max)


class BinnedCell(NamedTuple):
    """Signal of one cell type around the TSSs of genes.

    Attributes
    ----------
    cell
        Name of the cell type.
    genes, marks
        Names along the first two axes of ``values``.
    values
        float32, shape (genes, marks, bins), finite; bins as the file has them (the published files
        are in gene orientation).
    expression
        float32, shape (genes,), or None where the file has none.
    label
        float32, shape (genes,), 0 or 1, or None.
    note
        What had to be assumed, such as the names of marks; empty where nothing was.
    """

    cell: str
    genes: tuple[str, ...]
    marks: tuple[str, ...]
    values: Numbers
    expression: Numbers | None
    label: Numbers | None
    note: str = ""


def numbered_marks(n: int) -> tuple[str, ...]:
    """Name marks that a file does not name.

    Examples
    --------
    >>> numbered_marks(2)
    ('mark_1', 'mark_2')
    """
    return tuple(f"mark_{at}" for at in range(1, n + 1))


def check_mark_names(marks: Sequence[str] | None) -> tuple[str, ...] | None:
    """Refuse names of marks that are empty or occur twice."""
    if marks is None:
        return None
    names = tuple(name.strip() for name in marks)
    if not names or not all(names) or len(set(names)) < len(names):
        raise ConfigError(
            "names of marks that cannot be told apart",
            found=", ".join(marks) or "none",
            expected="one name for each mark, each once",
        )
    return names


def choose_marks(
    marks: tuple[str, ...] | None, named: Sequence[str], values: Numbers, path: Path
) -> tuple[tuple[str, ...], Numbers]:
    """Take those marks, in that order, out of a file that names its marks itself."""
    if marks is None:
        return tuple(named), values
    for name in marks:
        if name not in named:
            raise unknown_name("mark", name, list(named), file=path)
    return marks, values[:, [list(named).index(name) for name in marks]]


def check_cell(found: BinnedCell, path: Path) -> BinnedCell:
    """Refuse a cell type without genes, with a gene twice, or with a value that is no number."""
    if not found.values.size:
        raise FormatError("no genes or no bins", file=path, record=found.cell)
    seen: set[str] = set()
    for gene in found.genes:
        if gene in seen:
            raise FormatError(
                "the same gene occurs twice",
                file=path,
                record=f"{found.cell}, gene {gene}",
                expected="each gene once for a cell type",
                remedy="Remove one of them",
            )
        seen.add(gene)
    finite = np.isfinite(found.values)
    if not finite.all():
        gene_at, mark_at, bin_at = np.argwhere(~finite)[0]
        raise FormatError(
            "signal that is no finite number",
            file=path,
            record=f"{found.cell}, gene {found.genes[gene_at]}, {found.marks[mark_at]}, "
            f"bin {bin_at + 1}",
            found=f"{found.values[gene_at, mark_at, bin_at]:g} ({np.sum(~finite):,} such values)",
            expected="a finite number in every bin",
        )
    for name, targets in (("expression", found.expression), ("label", found.label)):
        if targets is not None and np.isinf(targets).any():
            at = int(np.argmax(np.isinf(targets)))
            raise FormatError(
                f"{name} that is no finite number",
                file=path,
                record=f"{found.cell}, gene {found.genes[at]}",
                found=f"{targets[at]:g}",
                expected="a finite number, or NaN where it is missing",
            )
    return found


def split_targets(targets: npt.NDArray[np.floating]) -> tuple[Numbers | None, Numbers | None]:
    """Tell labels from expression: (expression, label), one of them None; labels are all 0 or 1.

    Examples
    --------
    >>> expression, label = split_targets(np.array([0.0, 1.0]))
    >>> expression is None, label.tolist()
    (True, [0.0, 1.0])
    """
    numbers = targets.astype(np.float32)
    if np.isin(numbers, (0.0, 1.0)).all():
        return None, numbers
    return numbers, None


def not_one_per_gene(
    what: str, path: Path, record: str, first: object, other: object
) -> FormatError:
    """Make the error for what differs between the bins of one gene."""
    return FormatError(
        f"{what} that differs between the bins of one gene",
        file=path,
        record=record,
        found=f"{first} and {other}",
        expected=f"the same {what} in each bin",
        remedy="Check that rows of different genes were not mixed",
    )


def too_large(values: npt.NDArray[np.floating], path: Path, record: str) -> Numbers:
    """Turn numbers into float32; what float32 cannot hold is an error."""
    wide = values.dtype == np.float64
    if wide and np.any(np.abs(values[np.isfinite(values)]) > _LARGEST):
        raise InputError(
            "numbers too large", file=path, record=record, expected=f"at most {_LARGEST:.4g}"
        )
    return values.astype(np.float32)

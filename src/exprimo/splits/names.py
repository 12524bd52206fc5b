"""The names of split strategies, and what each promises to hold out."""

from __future__ import annotations

import difflib
from typing import NamedTuple

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.ledger import UNITS, Unit

STRATEGIES = (
    "random",
    "gene",
    "homology",
    "chromosome",
    "cell",
    "individual",
    "example",
    "column:NAME",
)

_COLUMN_OF = {"chromosome": "chrom", "cell": "cell_type", "individual": "individual"}
_NAME_OF = {
    **{column: name for name, column in _COLUMN_OF.items()},
    "gene_id": "gene",
}
_SEQUENCE_UNITS: tuple[Unit, ...] = ("gene", "sequence")
_HELD_OUT: dict[str, tuple[Unit, ...]] = {
    "cell": ("cell_type",),
    "individual": ("individual",),
    # Dealt one by one, an example shares its gene or its cell type with training examples.
    "example": (),
}


class Factor(NamedTuple):
    """One side of a strategy: ``kind`` and, where whole values of a column are dealt, which."""

    kind: str
    column: str | None


def parse_strategy(strategy: str) -> tuple[Factor, ...]:
    """Take a strategy apart into its factors; a cross has several.

    Examples
    --------
    >>> parse_strategy("gene*cell")
    (Factor(kind='gene', column=None), Factor(kind='cell', column='cell_type'))
    """
    factors = tuple(_factor(part.strip()) for part in strategy.split("*"))
    if len(set(factors)) < len(factors):
        raise ConfigError("a strategy crossed with itself", found=strategy)
    return factors


def _factor(text: str) -> Factor:
    kind, colon, column = text.partition(":")
    if kind == "column" and column.strip():
        # A registered column has its own strategy, with its own promise of what is held out.
        name = _NAME_OF.get(column.strip())
        return _factor(name) if name else Factor("column", column.strip())
    if not colon and kind in ("random", "gene", "homology", "example", *_COLUMN_OF):
        return Factor(kind, _COLUMN_OF.get(kind))
    near = difflib.get_close_matches(kind, [*STRATEGIES, "column"], n=1, cutoff=0.5)
    raise ConfigError(
        "unknown split strategy",
        found=text or "nothing",
        expected=f"{', '.join(STRATEGIES)}, or two of them crossed, such as gene*cell",
        remedy=f"Did you mean {near[0]}?" if near else None,
    )


def held_out_units(strategy: str) -> tuple[Unit, ...]:
    """Name the kinds of thing that the test part of a strategy shares with no training example.

    Examples
    --------
    >>> held_out_units("homology")
    ('gene', 'sequence')
    >>> held_out_units("gene*cell")
    ('gene', 'sequence', 'cell_type')
    """
    kinds = [factor.kind for factor in parse_strategy(strategy)]
    held = {unit for kind in kinds for unit in _HELD_OUT.get(kind, _SEQUENCE_UNITS)}
    return tuple(unit for unit in UNITS if unit in held)


def default_strategy(dataset: Dataset) -> str:
    """Choose the strictest plain strategy that a dataset allows; never ``random``.

    Homology where there is sequence, else chromosome, gene, individual or cell: the first whose
    column holds three values or more.
    """
    if "sequence" in dataset.inputs:
        return "homology"
    choices = {"chromosome": "chrom", "gene": "gene_id", "individual": "individual"}
    for name, column in {**choices, "cell": "cell_type"}.items():
        if column in dataset.columns and len(set(dataset.column(column).tolist()) - {""}) >= 3:
            return name
    raise InputError(
        "nothing in this dataset says which examples belong together",
        file=dataset.path,
        found=f"columns {', '.join(dataset.columns)}",
        remedy="Name a column with --split column:NAME",
    )

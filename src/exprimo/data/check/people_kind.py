"""Tables of people: covariates, told by the names of what is measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from exprimo.data.check.findings import Findings
from exprimo.data.phenotypes import read_covariates
from exprimo.data.tabular import open_table

_SHOWN = 8
# More than covariates are; a table of so many rows lists genes.
_MOST_COVARIATES = 200
_FACTOR = r"(pc|peer|cov|inferred_?cov|factor|hidden|sv)[_. -]?\d+"
_COVARIATE = re.compile(
    r"sex|gender|age|batch|group|ancestry|population|ethnicity|quality|rin|platform|pcr|library|"
    r"cent(er|re)|site|bmi|height|weight|smok\w+|ischemi\w+|"
    rf"((genotype|geno|expression|expr)[_. -]?)?{_FACTOR}",
    re.IGNORECASE,
)
_FIRST = frozenset({"", "id", "covariate", "covariates", "variable", "name"})
_PERSON = frozenset({"id", "iid", "individual", "individuals", "person", "people", "donor"})


def is_covariates(header: Sequence[str], first: Sequence[str]) -> bool:
    """Tell covariates by their names, as rows (a column a person) or as columns.

    Parameters
    ----------
    header, first
        The first row, and the first column behind it, as far as they were read.

    Examples
    --------
    >>> is_covariates(["id", "ann", "bob"], ["sex", "PC1"])
    True
    >>> is_covariates(["person", "age", "sex"], ["ann", "bob"])
    True
    >>> is_covariates(["id", "s1", "s2"], ["g1", "g2"])
    False
    """
    corner = header[0].lower()
    if corner in _FIRST and 0 < len(first) <= _MOST_COVARIATES and _named(first):
        return True
    return corner in _PERSON and len(first) > 0 and _named(header[1:])


def _named(names: Sequence[str]) -> bool:
    return 2 * sum(_COVARIATE.fullmatch(name) is not None for name in names) > len(names)


def covariate_facts(path: Path) -> Findings:
    """Read them for all people that the table names."""
    with open_table(path) as table:
        header = table.header
        first = [fields[0] for _, fields in table.rows]
    by_column = not _named(header[1:])
    people = header[1:] if by_column else first
    found = read_covariates(path, people)
    facts = {
        "people": f"{len(people):,} ({', '.join(people[:_SHOWN])}{_more(people)}), a "
        f"{'column' if by_column else 'row'} each",
        "covariates": f"{len(found.names):,}; words count as one for each word but the first",
    }
    for name, values in list(zip(found.names, found.values.T, strict=True))[:_SHOWN]:
        facts[name] = f"{values.min():g} to {values.max():g}"
    constant = [
        name for name, values in zip(found.names, found.values.T, strict=True) if not np.ptp(values)
    ]
    if constant:
        facts["the same in all people"] = ", ".join(constant[:_SHOWN]) + _more(constant)
    return Findings(facts, [])


def _more(names: Sequence[str]) -> str:
    return ", ..." if len(names) > _SHOWN else ""

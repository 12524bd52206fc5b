"""What a column of scores was made from, and the refusal of one made from p-values.

A ranking that contains the p-value overlaps with the ranking by p-value whatever the model says.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import LeakError
from exprimo.genetics.overlap.tables import CREDIBLE_ROLES, EQTL_ROLES

COLUMN_SOURCES = "column_sources"
"""Key in the provenance of our tables: name of a column -> list of what it was made from."""
P_VALUE = "p_value"
"""Source of a column that was made from p-values, or from anything else of the association."""

_PROVENANCE = b"exprimo"
# Spellings of a source that is the association itself; compared without -, _ and spaces.
_ASSOCIATION = {"pvalue", "pval", "p", "log10p", "pip", "association", "eqtl", "finemapping"}
_TELLING = {"p_value", "log10p", "pval_beta", "pval_perm", "pval_true_df", "pval_adj", "qval"}


def with_column_sources(
    origin: Mapping[str, Any], sources: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Add to the provenance of a table what its columns were made from.

    Examples
    --------
    >>> with_column_sources({"kind": "x"}, {"combined": ["model", P_VALUE]})["column_sources"]
    {'combined': ['model', 'p_value']}
    """
    known = dict(origin.get(COLUMN_SOURCES, {}))
    return {
        **origin,
        COLUMN_SOURCES: {**known, **{name: list(of) for name, of in sources.items()}},
    }


def column_sources(path: str | Path) -> dict[str, list[str]]:
    """Read what the columns of a table were made from; empty where nothing is declared.

    Of parquet, the JSON under ``exprimo`` in the metadata is asked; of text, the file
    ``NAME.provenance.json`` beside it.
    """
    source = Path(path)
    try:
        with source.open("rb") as handle:
            is_parquet = handle.read(4) == b"PAR1"
        if is_parquet:
            text = (pq.read_schema(source.absolute()).metadata or {})[_PROVENANCE]
        else:
            text = source.with_name(f"{source.name}.provenance.json").read_bytes()
        declared = json.loads(text).get(COLUMN_SOURCES, {})
    except (OSError, ValueError, KeyError, AttributeError, pa.ArrowInvalid):
        return {}
    return {
        str(name): [of] if isinstance(of, str) else [str(one) for one in of]
        for name, of in (declared.items() if isinstance(declared, dict) else ())
    }


def refuse_p_values(
    path: str | Path, score_columns: Sequence[str], uses_pvalue: Collection[str] = ()
) -> dict[str, list[str]]:
    """Refuse a column of scores that was made with the p-value; give what the others declare.

    Refused is what declares it, what the user says of a foreign table, and what goes by a name of
    the p-value or of the posterior probability of fine-mapping.
    """
    declared = column_sources(path)
    for name in score_columns:
        reason = _reason(name, declared.get(name, []), uses_pvalue)
        if reason:
            raise LeakError(
                "a score that is made with the p-value cannot be compared with a ranking by it",
                file=path,
                record=f"column {name!r}",
                found=reason,
                expected="a score of the model alone",
                remedy="The overlap would be large whatever the model says. Give the column that "
                "the model made; --circular shows what the combination does, and is marked",
            )
    return {name: declared[name] for name in score_columns if name in declared}


def _reason(name: str, declared: Sequence[str], uses_pvalue: Collection[str]) -> str:
    for source in declared:
        if _folded(source) in _ASSOCIATION:
            return f"the table says that it was made from: {', '.join(declared)}"
    if name in uses_pvalue:
        return "--uses-pvalue names it"
    names = {*EQTL_ROLES["p"], *CREDIBLE_ROLES["pip"], *_TELLING}
    if _folded(name).removeprefix("neg") in {_folded(known) for known in names}:
        return "its name is that of a p-value or of a posterior probability"
    return ""


def _folded(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())

"""What a column of scores was made from, and the refusal of one made from p-values.

A ranking that contains the p-value overlaps with the ranking by p-value whatever the model says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from exprimo.core.errors import LeakError
from exprimo.core.files.origin import (
    COLUMN_SOURCES,
    P_VALUE,
    column_sources,
    with_column_sources,
)
from exprimo.genetics.associations import ROLES
from exprimo.genetics.overlap.tables import CREDIBLE_ROLES

__all__ = ["COLUMN_SOURCES", "P_VALUE", "column_sources", "refuse_p_values", "with_column_sources"]

# Spellings of a source that is the association itself; compared without -, _ and spaces.
_ASSOCIATION = {"pvalue", "pval", "p", "log10p", "pip", "association", "eqtl", "finemapping"}
_TELLING = {"p_value", "log10p", "pval_beta", "pval_perm", "pval_true_df", "pval_adj", "qval"}


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
    names = {*ROLES["p"], *ROLES["minus_log10_p"], *CREDIBLE_ROLES["pip"], *_TELLING}
    if _folded(name).removeprefix("neg") in {_folded(known) for known in names}:
        return "its name is that of a p-value or of a posterior probability"
    return ""


def _folded(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())

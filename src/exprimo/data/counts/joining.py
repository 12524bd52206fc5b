"""Counts of one experiment that come in several files: samples side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pandas as pd

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.counts.table import Counts

_SHOWN = 5


def join_counts(parts: Sequence[Counts]) -> Counts:
    """Put tables of the same genes side by side, in the gene order of the first.

    Parameters
    ----------
    parts
        At least one table; no sample may stand in two, and all must have the same genes.

    Examples
    --------
    >>> from pathlib import Path
    >>> def table(sample, counts):
    ...     frame = pd.DataFrame({sample: counts}, index=pd.Index(["g1", "g2"], name="gene_id"))
    ...     return Counts(frame, None, {"format": "matrix"}, Path(f"{sample}.tsv"))
    >>> join_counts([table("s1", [1, 2]), table("s2", [3, 4])]).matrix.loc["g2"].tolist()
    [2, 4]
    """
    if not parts:
        raise InputError("no table of counts", expected="at least one")
    first = parts[0]
    if len(parts) == 1:
        return first
    owner: dict[str, Counts] = {}
    for part in parts:
        for sample in part.samples:
            if sample in owner:
                raise FormatError(
                    "two files count the same sample",
                    file=part.source,
                    record=f"sample {sample}",
                    found=f"it is in {owner[sample].source} too",
                    expected="each sample in one file",
                    remedy="Leave one of them out, or rename the sample",
                )
            owner[sample] = part
        _refuse_other_genes(first, part)
    if any((part.lengths is None) != (first.lengths is None) for part in parts):
        raise MismatchError(
            "some files bring transcript lengths and others do not",
            file=first.source,
            expected="quantifications only, or counts only",
        )
    matrix = pd.concat([part.matrix.loc[first.matrix.index] for part in parts], axis=1)
    lengths = None
    if first.lengths is not None:
        tables = [cast(pd.DataFrame, part.lengths) for part in parts]
        lengths = pd.concat([table.loc[first.matrix.index] for table in tables], axis=1)
    notes: dict[str, int | str] = {
        "format": ", ".join(dict.fromkeys(str(part.notes.get("format")) for part in parts)),
        "files": len(parts),
        "genes": len(matrix),
        "samples": matrix.shape[1],
    }
    return Counts(matrix, None, notes, first.source, lengths)


def _refuse_other_genes(first: Counts, part: Counts) -> None:
    ours, theirs = set(first.matrix.index), set(part.matrix.index)
    if ours == theirs:
        return
    missing, more = sorted(ours - theirs), sorted(theirs - ours)
    raise MismatchError(
        "the files do not count the same genes",
        file=part.source,
        found=f"{len(missing)} missing ({', '.join(missing[:_SHOWN]) or 'none'}), "
        f"{len(more)} more ({', '.join(more[:_SHOWN]) or 'none'})",
        expected=f"the {len(ours)} genes of {first.source}",
        remedy="Count all samples with the same annotation",
    )

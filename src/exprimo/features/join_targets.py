"""Find the target of each gene, by id, by the annotation's own names, or by a table of names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.annotation import Annotation
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.names import GeneNames, Translation, read_gene_names
from exprimo.data.targets import read_class_targets, read_targets

Reader = Callable[[str | Path, Sequence[str] | None], pd.DataFrame]


@dataclass(frozen=True)
class JoinedTargets:
    """Targets in the annotation's naming.

    Attributes
    ----------
    values
        Index: the annotation's gene id; one column per target (numbers, or names of classes),
        NaN where missing.
    target_ids
        Annotation's gene id -> id in the table of targets.
    counts
        How names were matched, for the provenance.
    note
        The same in words.
    """

    values: pd.DataFrame
    target_ids: dict[str, str]
    counts: dict[str, int]
    note: str


def join_targets(
    annotation: Annotation,
    targets: str | Path,
    columns: Sequence[str] | None,
    gene_names: str | Path | None,
    read: Reader = read_targets,
) -> JoinedTargets:
    """Read targets and name their genes as the annotation does.

    Parameters
    ----------
    annotation
        All of its genes, so that a table for few chromosomes still matches.
    targets
        A table of numbers, or of classes, per gene.
    columns
        Its columns to use; None if there is only one.
    gene_names
        A two-column table of names; without one the annotation's own ``gene_name`` serves.
    read
        Reads the table; see `reader_of`.
    """
    table = read_by_gene(targets, columns, read)
    ours = annotation.genes["gene_id"]
    if gene_names is not None:
        names = read_gene_names(gene_names)
    else:
        own = annotation.genes[["gene_id", "gene_name"]].itertuples(index=False, name=None)
        pairs = tuple((gene, name) for gene, name in own if gene != name)
        names = GeneNames(pairs, annotation.source)
        _refuse_strangers(table.index, annotation, targets)
    found = names.translate(table.index, into=ours)
    matched = table[table.index.isin(list(found.mapping))]
    by_gene = matched.set_axis(matched.index.map(found.mapping), axis=0)
    return JoinedTargets(
        by_gene,
        {our: their for their, our in found.mapping.items()},
        _counts(found),
        _describe(found, Path(targets)),
    )


def reader_of(kind: str, classes: Sequence[str]) -> Reader:
    """Give what reads a table of targets of this kind."""
    if kind == "multiclass":
        return partial(read_class_targets, classes=classes)
    return read_targets


def read_by_gene(targets: str | Path, columns: Sequence[str] | None, read: Reader) -> pd.DataFrame:
    """Read a table by gene id, versions stripped; without ``columns`` it must have only one."""
    table = read(targets, columns)
    if columns is None and len(table.columns) > 1:
        raise InputError(
            "say which target",
            file=targets,
            found=", ".join(map(str, table.columns[:12])),
            remedy="Use --target NAME",
        )
    stripped = table.index.map(strip_version)
    repeated = stripped[stripped.duplicated()]
    if len(repeated):
        raise FormatError(
            "a gene stands in the table in two versions",
            file=targets,
            record=f"gene {repeated[0]}",
            found=", ".join(table.index[stripped == repeated[0]]),
            expected="each gene once",
            remedy="Keep one of them",
        )
    return table.set_axis(stripped, axis=0)


def _refuse_strangers(theirs: pd.Index[Any], annotation: Annotation, targets: str | Path) -> None:
    known = {*annotation.genes["gene_id"], *annotation.genes["gene_name"]}
    if not known.intersection(theirs):
        raise MismatchError(
            f"no gene of the targets is in the annotation {annotation.source}",
            file=targets,
            found=", ".join(theirs[:5]),
            expected=", ".join(annotation.genes["gene_id"].head(5)),
            remedy="Give a two-column table of names with --gene-names FILE",
        )


def _counts(found: Translation) -> dict[str, int]:
    return {
        "same_id": found.direct,
        "by_name": found.by_table,
        "ambiguous": len(found.ambiguous),
        "not_in_annotation": len(found.missing),
    }


def _describe(found: Translation, targets: Path) -> str:
    parts = [f"{found.direct:,} by id", f"{found.by_table:,} by name"]
    if found.ambiguous:
        parts.append(f"{len(found.ambiguous):,} ambiguous (such as {found.ambiguous[0]})")
    if found.missing:
        parts.append(f"{len(found.missing):,} not annotated (such as {found.missing[0]})")
    if len(found.missing) > found.direct + found.by_table:
        parts.append("most names did not match: a table of both names (--gene-names) joins them")
    return f"Genes of {targets.name}: {', '.join(parts)}"

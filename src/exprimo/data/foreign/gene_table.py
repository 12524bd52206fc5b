"""What several files of genes hold beside their promoters: one table, checked across files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.foreign.gene_hdf5 import GeneHdf5

LabelKind = Literal["auto", "regression", "classification"]
_SHOWN = 3


class GeneTable(NamedTuple):
    """Genes of one or more files, in the order of the files.

    Attributes
    ----------
    genes
        ``gene_id`` (without version), ``file`` (its number).
    halflife
        Shape (genes, features), finite.
    labels
        Shape (genes,), NaN where missing.
    label_key
        What the files call the target.
    length
        Bases of each promoter.
    """

    genes: pd.DataFrame
    halflife: npt.NDArray[np.float32]
    labels: npt.NDArray[np.float64]
    label_key: str
    length: int


def read_gene_table(
    paths: Sequence[str | Path], *, target: str | None = None, missing: float | None = None
) -> GeneTable:
    """Read all but the promoters of files that belong together, and check that they do.

    Parameters
    ----------
    paths
        HDF5 files of genes.
    target
        Key of the target; None takes ``label`` or ``detectionFlagInt``, whichever is there.
    missing
        A value that stands for a missing label, beside NaN.

    Raises
    ------
    FormatError
        A file is not such a file, or one of its arrays cannot be used.
    MismatchError
        Promoters differ in length or features in number between files, or a gene stands in two.
    """
    parts = []
    with ExitStack() as stack:
        opened = [stack.enter_context(GeneHdf5.open(path)) for path in paths]
        for number, file in enumerate(opened):
            ids = _gene_ids(file)
            key, labels = file.labels(target, ids)
            if missing is not None:
                labels = np.where(labels == missing, np.nan, labels)
            genes = pd.DataFrame({"gene_id": ids, "file": number})
            parts.append(GeneTable(genes, file.halflife(ids), labels, key, file.length))
        _check_alike(opened, parts)
    genes = pd.concat([part.genes for part in parts], ignore_index=True)
    _refuse_shared_genes(genes, [file.path for file in opened])
    return GeneTable(
        genes,
        np.concatenate([part.halflife for part in parts]),
        np.concatenate([part.labels for part in parts]),
        parts[0].label_key,
        parts[0].length,
    )


def settle_labels(
    table: GeneTable, kind: LabelKind, paths: Sequence[str | Path]
) -> Literal["regression", "classification"]:
    """Decide what the target is; whole numbers that are not all 0 or 1 are refused as labels.

    ``auto`` takes 0 and 1 for classes and numbers with fractions for measurements. Other whole
    numbers are most likely labels with a code of their own (in some files 2 is "not known"), so
    they are neither guessed to be classes nor taken for measurements.
    """
    present = ~np.isnan(table.labels)
    if not present.any():
        raise FormatError("a target without a single value", file=paths[0], record=table.label_key)
    odd = present & ~np.isin(table.labels, (0.0, 1.0))
    fractions = bool((table.labels[present] % 1 != 0).any())
    if kind == "regression" or (kind == "auto" and fractions):
        return "regression"
    if odd.any():
        row = int(np.argmax(odd))
        gene, file = table.genes.iloc[row]
        value = f"{table.labels[row]:g}"
        raise FormatError(
            "not a label",
            file=paths[file],
            record=f"{table.label_key}, gene {gene}",
            found=f"{value} ({int(odd.sum()):,} genes have neither 0 nor 1)",
            expected="0 or 1, or NaN where it is missing",
            remedy=f"If it stands for a missing label, say so with --missing {value}; "
            "if these are measurements, use --kind regression",
        )
    return "classification"


def _gene_ids(file: GeneHdf5) -> list[str]:
    ids = [strip_version(gene) for gene in file.gene_ids()]
    rows: dict[str, int] = {}
    for row, gene in enumerate(ids):
        if not gene:
            raise FormatError(
                "a gene without an id", file=file.path, record=f"row {row + 1}", expected="an id"
            )
        if gene in rows:
            raise FormatError(
                "the same gene occurs twice",
                file=file.path,
                record=f"gene {gene}",
                found=f"rows {rows[gene] + 1} and {row + 1}",
                expected="each gene once",
                remedy="Remove or rename one of them",
            )
        rows[gene] = row
    return ids


def _check_alike(files: Sequence[GeneHdf5], parts: Sequence[GeneTable]) -> None:
    for file, part in zip(files[1:], parts[1:], strict=True):
        for what, ours, theirs in (
            ("bases of each promoter", part.length, parts[0].length),
            ("half-life features", part.halflife.shape[1], parts[0].halflife.shape[1]),
            ("name of the target", part.label_key, parts[0].label_key),
        ):
            if ours != theirs:
                raise MismatchError(
                    f"the files differ in the {what}",
                    file=file.path,
                    found=ours,
                    expected=f"{theirs}, as in {files[0].path}",
                )


def _refuse_shared_genes(genes: pd.DataFrame, paths: Sequence[Path]) -> None:
    repeated = genes[genes["gene_id"].duplicated(keep=False)]
    if repeated.empty:
        return
    shared = repeated["gene_id"].unique()
    first, second = repeated.loc[repeated["gene_id"] == shared[0], "file"].head(2)
    raise MismatchError(
        f"{len(shared):,} genes stand in more than one file",
        file=paths[second],
        record="gene " + ", ".join(shared[:_SHOWN]),
        found=f"also in {paths[first]}",
        expected="each gene in one file: what was learned from a gene may not be judged on it",
        remedy="Leave such genes out of all files but one",
    )

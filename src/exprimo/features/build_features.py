"""A dataset of features without sequence: tables of numbers per gene in, one HDF5 file out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.files.atomic import refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.data.annotation import Annotation, read_annotation, tss_table
from exprimo.data.names import GeneNames, Translation, read_gene_names
from exprimo.data.targets import read_targets
from exprimo.features.build_summary import (
    BuildSummary,
    KindChoice,
    check_kind,
    describe_targets,
    settle_targets,
    summarise,
)
from exprimo.features.halflife import feature_columns, measured_features
from exprimo.features.join_targets import read_by_gene, reader_of

_NO_FEATURES = "with a target, but not in the table of features"
_AMBIGUOUS = "with a target, but with several names in the table of features"
_NO_ROW = "not in the table of targets"
_NO_VALUE = "no value of any target"
_NOT_ANNOTATED = "not in the annotation"


class _Joined(NamedTuple):
    values: pd.DataFrame
    found: Translation


def dataset_features(
    features: str | Path,
    *,
    out: str | Path,
    targets: str | Path,
    target: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    kind: KindChoice = "auto",
    classes: Sequence[str] = (),
    gene_names: str | Path | None = None,
    genes: str | Path | None = None,
) -> BuildSummary:
    """Build a dataset of features alone, such as half-lives, joined with targets by gene.

    The features become the input ``halflife``, as they stand in the table. Genes that stand in
    one table only, or without any value in one, are left out and counted.

    Parameters
    ----------
    features
        A table of numbers per gene: genes in the column ``gene_id``, else in the first.
    out
        A new ``.h5`` file.
    targets, target
        A table of numbers per gene (it may be the same), and the column or columns of it to use;
        ``target`` may be left out where there is only one.
    columns
        Columns of ``features`` to use; may be left out where there is only one.
    kind
        What the targets are; ``auto`` takes a target that is all 0 or 1 for a class.
    classes
        The names of the classes in order, for ``multiclass``; unset: those that occur, sorted.
    gene_names
        A two-column table that joins the names in ``targets`` to those in ``features``.
    genes
        Annotation (GTF, GFF3 or BED) that places genes on chromosomes, so that a split can hold
        chromosomes out. Genes that it does not have stay, without a place.

    Returns
    -------
    BuildSummary
        What was written and what was left out.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "hl.tsv").write_text("gene_id\\thours\\ng1\\t3.5\\ng2\\t\\ng3\\t7\\n")
    >>> _ = (folder / "rna.tsv").write_text("gene_id\\tlevel\\ng1\\t0.5\\ng3\\t2.5\\n")
    >>> made = dataset_features(folder / "hl.tsv", targets=folder / "rna.tsv", out=folder / "D.h5")
    >>> made.n_examples, dict(made.dropped)
    (2, {'not in the table of targets': 1})
    """
    target_path = Path(out)
    refuse_existing(target_path)
    known = check_kind(kind, classes)
    wanted = feature_columns(features, columns, option="--column")
    table = read_by_gene(features, wanted, read_targets)
    names = [target] if isinstance(target, str) else list(target) if target else None
    measured = read_by_gene(targets, names, reader_of(kind, known))
    joined = _join(table, measured, features, targets, gene_names)
    dropped = {_NO_FEATURES: len(joined.found.missing), _AMBIGUOUS: len(joined.found.ambiguous)}
    sites = _sites(table, joined.values, dropped)
    sites, stability = measured_features(sites, table, dropped)
    stored = settle_targets(_values(joined.values, sites), kind, known)
    examples = _examples(sites, joined.found)
    placed = _placed(examples, read_annotation(genes)) if genes is not None else examples
    origin = describe_origin(
        [name for name in (features, targets, gene_names, genes) if name is not None],
        builder="dataset features",
        settings={
            "columns": list(wanted), "target": list(stored), "kind": kind, "classes": known,
        },
        dropped=dropped,
    )  # fmt: skip
    with write_dataset(target_path, origin) as dataset:
        dataset.examples(placed)
        dataset.input("halflife", [stability.values], labels=stability.labels)
        for name, found in stored.items():
            dataset.target(name, found.values, kind=found.kind, classes=found.classes)
    notes = [*describe_targets(stored), *stability.notes]
    if genes is not None and (lost := int((placed["chrom"] == "").sum())):
        notes.append(f"{lost:,} genes {_NOT_ANNOTATED}: kept without a place")
    return summarise(target_path, len(placed), len(wanted), dropped, notes, unit="features")


def _join(
    table: pd.DataFrame,
    measured: pd.DataFrame,
    features: str | Path,
    targets: str | Path,
    gene_names: str | Path | None,
) -> _Joined:
    """Name the genes of the targets as the table of features does."""
    if gene_names is None and not measured.index.isin(table.index).any():
        raise MismatchError(
            f"no gene of the targets is in the table of features {features}",
            file=targets,
            found=", ".join(measured.index[:5]),
            expected=", ".join(table.index[:5]),
            remedy="Give a two-column table of names with --gene-names FILE",
        )
    pairs = read_gene_names(gene_names) if gene_names else GeneNames((), Path(features))
    found = pairs.translate(measured.index, into=table.index)
    kept = measured[measured.index.isin(list(found.mapping))]
    return _Joined(kept.set_axis(kept.index.map(found.mapping), axis=0), found)


def _sites(table: pd.DataFrame, values: pd.DataFrame, dropped: dict[str, int]) -> pd.DataFrame:
    """Give gene_id of the genes with features that have a target, in the order of the features."""
    listed = table.index.isin(values.index)
    valued = table.index.isin(values.dropna(how="all").index)
    dropped[_NO_ROW] = int((~listed).sum())
    dropped[_NO_VALUE] = int((listed & ~valued).sum())
    if not valued.any():
        raise InputError("no gene with features has a value of any target")
    return pd.DataFrame({"gene_id": table.index[valued]})


def _values(values: pd.DataFrame, sites: pd.DataFrame) -> dict[str, Any]:
    rows = values.loc[sites["gene_id"]]
    return {str(name): rows[name].to_numpy() for name in rows.columns}


def _examples(sites: pd.DataFrame, found: Translation) -> pd.DataFrame:
    examples = pd.DataFrame({"example_id": sites["gene_id"], "gene_id": sites["gene_id"]})
    theirs = sites["gene_id"].map({our: their for their, our in found.mapping.items()})
    if (theirs != sites["gene_id"]).any():
        examples["target_gene_id"] = theirs
    return examples


def _placed(examples: pd.DataFrame, annotation: Annotation) -> pd.DataFrame:
    """Add chrom, strand and tss of the canonical transcript where the annotation has the gene."""
    places = tss_table(annotation).set_index("gene_id").reindex(examples["gene_id"])
    if places["chrom"].isna().all():
        raise MismatchError(
            f"no gene of the features is in the annotation {annotation.source}",
            found=", ".join(examples["gene_id"].head(5)),
            expected=", ".join(annotation.genes["gene_id"].head(5)),
        )
    tss = places["tss"].to_numpy(np.float64)
    return examples.assign(
        chrom=places["chrom"].fillna("").to_numpy(str),
        strand=places["strand"].fillna("").to_numpy(str),
        tss=np.where(np.isnan(tss), -1, tss).astype(np.int64),
    )

"""A dataset from a table that holds sequences and targets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.data.sequence_table import read_sequence_table
from exprimo.features.build_summary import (
    BuildSummary,
    KindChoice,
    check_kind,
    describe_targets,
    settle_targets,
    summarise,
)


def dataset_table(
    table: str | Path,
    *,
    out: str | Path,
    sequence: str,
    target: str | Sequence[str],
    chrom: str | None = None,
    start: str | None = None,
    strand: str | None = None,
    prefix: str = "",
    suffix: str = "",
    example_id: str | None = None,
    group: str | None = None,
    kind: KindChoice = "auto",
    classes: Sequence[str] = (),
) -> BuildSummary:
    """Build a dataset from a table of sequences with targets (TSV or CSV, plain or gzip).

    Rows without the (first) target are dropped and counted; a missing further target is NaN.

    Parameters
    ----------
    table
        The file.
    out
        A new ``.h5`` file.
    sequence, target
        Column names; several targets are stored side by side.
    chrom, start, strand
        Columns that say where on a genome a sequence comes from (start 0-based), for splits.
    prefix, suffix
        Constant flanks of the construct, attached to every sequence.
    example_id, group
        Columns with a name for each row, and with what a split may keep together.
    kind
        What the targets are; ``auto`` takes a target that is all 0 or 1 for a class, and never
        one of several classes: say ``multiclass`` for text or small whole numbers.
    classes
        The names of the classes in order, for ``multiclass``; unset: those that occur, sorted.

    Returns
    -------
    BuildSummary
        What was written and what was left out.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "tiles.tsv").write_text("core\\tyfp\\nACG\\t1.5\\nTTT\\t\\n")
    >>> made = dataset_table(
    ...     folder / "tiles.tsv", out=folder / "D.h5", sequence="core", target="yfp"
    ... )
    >>> made.n_examples, dict(made.dropped)
    (1, {'no value for yfp': 1})
    """
    target_path = Path(out)
    refuse_existing(target_path)
    known = check_kind(kind, classes)
    names = [target] if isinstance(target, str) else list(dict.fromkeys(target))
    if not names:
        raise ConfigError("say which column is the target")
    given: dict[str, Any] = {
        "chrom": chrom, "start": start, "strand": strand, "example_id": example_id,
        "group": group, "prefix": prefix, "suffix": suffix,
    }  # fmt: skip
    read = read_sequence_table(
        table,
        sequence=sequence,
        target=names[0],
        extra_targets=names[1:],
        classes=known if kind == "multiclass" else None,
        **given,
    )
    targets = settle_targets(read.targets, kind, known)
    dropped = {f"no value for {names[0]}": read.notes["dropped_no_target"]}
    origin = describe_origin(
        [table],
        builder="dataset table",
        settings={"sequence": sequence, "target": names, **given, "kind": kind, "classes": known},
        reading=read.notes,
        dropped=dropped,
    )
    with write_dataset(target_path, origin) as dataset:
        dataset.examples(read.examples)
        n_distinct = dataset.input("sequence", [read.codes])
        for name, found in targets.items():
            dataset.target(name, found.values, kind=found.kind, classes=found.classes)
    n, length = read.codes.shape
    notes = describe_targets(targets)
    if n_distinct < n:
        notes.append(f"{n_distinct:,} distinct sequences; equal ones are stored once")
    if read.notes["padded"]:
        notes.append(f"{read.notes['padded']:,} shorter sequences centred between N")
    return summarise(target_path, n, length, dropped, notes)

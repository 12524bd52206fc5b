"""A dataset from HDF5 files of genes with one-hot promoters, half-life features and labels."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.progress import task
from exprimo.core.sequence import Codes
from exprimo.core.split import PARTS
from exprimo.data.foreign import (
    ChannelEvidence,
    GeneHdf5,
    GeneTable,
    PairCounts,
    read_gene_table,
    settle_labels,
)
from exprimo.data.foreign.gene_table import LabelKind
from exprimo.data.foreign.one_hot import channel_codes
from exprimo.features.build_summary import (
    BuildSummary,
    TargetValues,
    choose_kind,
    describe_targets,
    summarise,
)

Files = str | Path | Sequence[str | Path] | Mapping[str, str | Path | Sequence[str | Path]]
_JUDGED = tuple(part for part in PARTS if part != "none")


class _Given(NamedTuple):
    paths: list[Path]
    parts: list[str]  # empty where the files were not named


def dataset_hdf5(
    files: Files,
    *,
    out: str | Path,
    target: str | None = None,
    kind: LabelKind = "auto",
    channels: str = "ACGT",
    missing: float | None = None,
    features: Sequence[str] = (),
) -> BuildSummary:
    """Build a dataset from HDF5 files of genes, as Xpresso and the works that follow it write them.

    Each file holds ``promoter`` (genes, positions, 4) one-hot, all zero for an unknown base;
    ``halflife`` or ``data`` (genes, features); ``gene_id`` or ``geneName``; and ``label`` or
    ``detectionFlagInt``. Promoters are read in blocks and stored with one byte a base, equal
    ones once, in the orientation in which they stand in the file. Features are stored as they
    are. Genes without a label are left out and counted.

    Parameters
    ----------
    files
        One file or several, or part (``train``, ``val``, ``test``) -> file or files. Parts
        become the column ``part``.
    out
        A new ``.h5`` file.
    target
        Key of the target; None takes ``label`` or ``detectionFlagInt``, whichever is there.
    kind
        ``auto`` takes labels 0 and 1 for classes and fractions for measurements.
    channels
        What the four channels stand for, in order.
    missing
        A value that stands for a missing label, beside NaN (2 in some files).
    features
        Names of the half-life features, in order; unset: ``feature_1``, ``feature_2``, ...

    Returns
    -------
    BuildSummary
        What was written and what was left out.

    Examples
    --------
    >>> import tempfile
    >>> import h5py
    >>> folder = Path(tempfile.mkdtemp())
    >>> with h5py.File(folder / "train.h5", "w") as file:
    ...     file["gene_id"] = np.array([b"g1", b"g2"])
    ...     file["promoter"] = np.eye(4, dtype=bool)[[[0, 1, 2], [3, 3, 0]]]
    ...     file["halflife"] = np.zeros((2, 8))
    ...     file["label"] = np.array([0, 1])
    >>> made = dataset_hdf5({"train": folder / "train.h5"}, out=folder / "D.h5")
    >>> with Dataset.open(made.path) as data:
    ...     data.rows("sequence", np.array([0, 1])).tolist(), data.column("part").tolist()
    ([[0, 1, 2], [3, 3, 0]], ['train', 'train'])
    """
    target_path = Path(out)
    refuse_existing(target_path)
    channel_codes(channels)
    given = _given(files)
    table = read_gene_table(given.paths, target=target, missing=missing)
    chosen = settle_labels(table, kind, given.paths)
    choose_kind(table.labels, chosen, name=table.label_key)  # its name can be stored
    names = _feature_names(features, table.halflife.shape[1])
    labelled = ~np.isnan(table.labels)
    labels = table.labels[labelled]
    pairs = PairCounts()
    settings = {
        "parts": given.parts, "target": table.label_key, "kind": kind, "channels": channels,
        "missing": missing, "features": names,
    }  # fmt: skip
    dropped = {f"no value for {table.label_key}": int((~labelled).sum())}
    origin = describe_origin(
        given.paths, builder="dataset hdf5", settings=settings, dropped=dropped
    )
    with write_dataset(target_path, origin) as dataset:
        dataset.examples(_examples(table, given)[labelled])
        codes = _codes(given.paths, table, labelled, channels, pairs)
        distinct = dataset.input("sequence", codes)
        dataset.input("halflife", [table.halflife[labelled]], labels=names)
        dataset.target(table.label_key, labels, kind=chosen)
        evidence = ChannelEvidence.weigh(pairs, channels)
        origin["channel_evidence"] = asdict(evidence)
    notes = describe_targets({table.label_key: TargetValues(chosen, labels)})
    if distinct < len(labels):
        notes.append(f"{distinct:,} distinct promoters; equal ones are stored once")
    notes += _part_notes(target_path, given)
    notes += [said] if (said := evidence.sentence(channels)) else []
    return summarise(target_path, len(labels), table.length, dropped, notes)


def _given(files: Files) -> _Given:
    if isinstance(files, (str, Path)):
        return _Given([Path(files)], [])
    if not isinstance(files, Mapping):
        if not files:
            raise ConfigError("say which files to convert")
        return _Given([Path(file) for file in files], [])
    paths: list[Path] = []
    parts: list[str] = []
    for part, named in files.items():
        if part not in _JUDGED:
            near = difflib.get_close_matches(part, _JUDGED, n=1, cutoff=0.4)
            raise ConfigError(
                "no such part",
                found=repr(part),
                expected=", ".join(f"{one}=FILE" for one in _JUDGED),
                remedy=f"Did you mean {near[0]}?" if near else None,
            )
        of_part = [named] if isinstance(named, (str, Path)) else list(named)
        paths += [Path(file) for file in of_part]
        parts += [part] * len(of_part)
    if not paths:
        raise ConfigError("say which files to convert")
    return _Given(paths, parts)


def _feature_names(given: Sequence[str], count: int) -> list[str]:
    names = list(given) or [f"feature_{number + 1}" for number in range(count)]
    if len(names) != count or len(set(names)) < count or not all(names):
        raise ConfigError(
            "not one name for each half-life feature",
            found=", ".join(names),
            expected=f"{count} names that differ",
        )
    return names


def _examples(table: GeneTable, given: _Given) -> pd.DataFrame:
    examples = pd.DataFrame(
        {"example_id": table.genes["gene_id"], "gene_id": table.genes["gene_id"]}
    )
    if given.parts:
        examples["part"] = [given.parts[number] for number in table.genes["file"]]
    return examples


def _codes(
    paths: Sequence[Path],
    table: GeneTable,
    labelled: npt.NDArray[np.bool_],
    channels: str,
    pairs: PairCounts,
) -> Iterator[Codes]:
    """Yield the promoters of genes with a label; what is wrong with any is told all the same."""
    row = 0
    with task("Reading promoters", len(table.genes)) as bar:
        for number, path in enumerate(paths):
            genes = table.genes.loc[table.genes["file"] == number, "gene_id"].tolist()
            with GeneHdf5.open(path) as file:
                for block in file.promoters(channels, genes):
                    kept = block[labelled[row : row + len(block)]]
                    pairs.add(kept)
                    yield kept
                    row += len(block)
                    bar.advance(len(block))


def _part_notes(path: Path, given: _Given) -> list[str]:
    """Count the genes of each part, and promoters that stand in more than one."""
    if not given.parts:
        return []
    with Dataset.open(path) as data:
        part, row = data.column("part"), data.index("sequence")
    sizes = [f"{one} {count:,}" for one in _JUDGED if (count := int((part == one).sum()))]
    notes = [f"Parts: {', '.join(sizes)}"]
    if len(sizes) == len(_JUDGED):
        notes[0] += "; split by them with --split column:part"
    parts_of_row = pd.DataFrame({"part": part, "row": row}).groupby("row")["part"].nunique()
    shared = int((parts_of_row > 1).sum())
    if shared:
        notes.append(
            f"Warning: {shared:,} promoters stand in more than one part under different genes"
        )
    return notes

"""Which examples are explained, and where in their windows things lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.ledger import COLUMN_OF, UNITS, Unit, sequence_keys
from exprimo.core.run import Run
from exprimo.training.recorded import CHOSEN

PLACES = ("chrom", "start", "end", "strand")
OnPart = Literal["train", "val", "test", "all"]
Rows = npt.NDArray[np.int64]


class Examples(NamedTuple):
    """Which examples are explained.

    Attributes
    ----------
    rows
        In the dataset, (n,), rising.
    n_of
        Out of how many they were chosen.
    part
        The part of the split; ``all`` of another dataset.
    groups, unit
        The independent unit of each, (n,), and what it is.
    train
        Rows whose mean stands for an ordinary example: those that were learned from, or all.
    n_learned
        How many of the examples the model learned from; None where nothing says it.
    """

    rows: Rows
    n_of: int
    part: str
    groups: npt.NDArray[Any]
    unit: str
    train: Rows
    n_learned: int | None = None


def choose_examples(
    data: Dataset, run: Run | None, on: OnPart | None, most: int | None
) -> Examples:
    """Choose the examples: a part of a Run's own dataset, or all of another one.

    Parameters
    ----------
    most
        At most so many, evenly along the part; None: all.
    """
    every = np.arange(len(data), dtype=np.int64)
    split = run.split if run is not None else None
    own = split is not None and split.dataset_sha256 == data.sha256
    if on not in (None, "all") and not own:
        raise MismatchError(
            "this split belongs to another dataset" if run else "this model has no split",
            file=data.path,
            found=f"--on {on}",
            expected="the dataset that the run was trained on",
            remedy="Leave --on out to explain all its rows",
        )
    part: OnPart = on or ("test" if own else "all")
    rows, train = every, every
    if split is not None and own:
        rows = every if part == "all" else split.rows(part)
        train = split.rows("train")
    if not len(rows):
        raise InputError("no example to explain", file=data.path, found=f"no row of part {part}")
    chosen = rows
    if most is not None and len(rows) > most:
        chosen = rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]
    if split is not None and own:
        groups, unit = (split.example_id if split.group is None else split.group), split.unit
    elif "gene_id" in data.columns:
        groups, unit = data.column("gene_id"), "gene"
    else:
        groups, unit = data.column("example_id"), "example"
    learned = None if run is None else learned_from(data, run, chosen)
    n_learned = None if learned is None else int(learned.sum())
    return Examples(chosen, len(rows), part, groups[chosen], unit, train, n_learned)


def learned_from(data: Dataset, run: Run, rows: Rows) -> npt.NDArray[np.bool_] | None:
    """Tell which examples a Run learned from, (n,); None where its split holds nothing out.

    Of its own dataset these are the rows of the training part. Of another one its ledger says
    it, by the units that the split holds out: an example that shares one was learned from. What
    merely chose the epoch or a threshold is left aside in both.
    """
    split = run.split
    if split.dataset_sha256 == data.sha256:
        return np.isin(rows, split.rows("train"))
    if not split.held_out:
        return None
    kept = [units for name, units in run.ledger.learned.items() if name != CHOSEN]
    found = np.zeros(len(rows), dtype=bool)
    for unit in (one for one in UNITS if one in split.held_out):
        known = frozenset().union(*(units.get(unit, frozenset()) for units in kept)) - {""}
        for keys in _keys(data, rows, unit):
            found |= np.isin(keys, list(known))
    return found


def _keys(data: Dataset, rows: Rows, unit: Unit) -> Iterator[npt.NDArray[Any]]:
    """Give the key of each example, (n,), as the ledger writes it; of haplotypes both."""
    column = COLUMN_OF.get(unit)
    if column is not None:
        if column in data.columns:
            yield data.column(column)[rows]
        return
    for name in SEQUENCES:
        if name in data.inputs:
            number = np.unique(data.index(name)[rows], return_inverse=True)[1]
            yield np.asarray(sequence_keys(data, rows, name))[number]


def windows_on_genome(data: Dataset, rows: Rows) -> dict[str, npt.NDArray[Any]]:
    """Give ``chrom``, ``start``, ``end``, ``strand`` of each window; empty where not known.

    Windows of people may hold indels, so that their bases have no place on the reference.
    """
    if any(name not in data.columns for name in PLACES):
        return {}
    found = {name: data.column(name)[rows] for name in PLACES}
    if (found["chrom"] == "").any() or (found["end"] <= found["start"]).any():
        return {}
    if "individual" in data.columns and (data.column("individual")[rows] != "").any():
        return {}
    return found


def tss_index(data: Dataset, run: Run | None) -> int:
    """Give the column of the TSS base in the windows of a dataset.

    From the table of examples, else from what the Run's dataset was built with, else the middle.
    """
    if "sequence" not in data.inputs:
        return 0
    length = int(data.inputs["sequence"].shape[0])
    if {"tss", "start", "end", "strand"} <= set(data.columns):
        table = data.examples()
        known = table[(table["tss"] >= 0) & (table["end"] > table["start"])]
        if len(known):
            minus = known["strand"] == "-"
            before = np.where(minus, known["end"] - 1 - known["tss"], known["tss"] - known["start"])
            return int(np.clip(np.median(before), 0, length - 1))
    settings = data.provenance.get("settings") or {}
    if settings.get("upstream") is None and run is not None:
        settings = (run.provenance["dataset"].get("provenance") or {}).get("settings") or {}
    upstream = settings.get("upstream")
    return min(int(upstream), length - 1) if upstream is not None else length // 2


def read_sites(path: Path, places: Mapping[str, npt.NDArray[Any]]) -> pd.DataFrame:
    """Read ``chrom``, ``start``, ``end`` of a BED file; the windows must lie on its chromosomes."""
    if not path.is_file():
        raise InputError("no such file of sites", file=path)
    try:
        table = pd.read_csv(
            path,
            sep="\t",
            header=None,
            usecols=[0, 1, 2],
            names=["chrom", "start", "end"],
            dtype={"chrom": str, "start": np.int64, "end": np.int64},
            comment="#",
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise FormatError(
            "not a BED file",
            file=path,
            found=str(error).splitlines()[0][:200],
            expected="chromosome, start, end, with tabs between",
        ) from error
    if (table["end"] <= table["start"]).any() or (table["start"] < 0).any():
        row = int(((table["end"] <= table["start"]) | (table["start"] < 0)).argmax())
        raise FormatError("an interval that holds no base", file=path, record=f"interval {row + 1}")
    known = set(map(str, places["chrom"]))
    if not known & set(table["chrom"]):
        raise MismatchError(
            "no site lies on a chromosome of the windows",
            file=path,
            found=", ".join(sorted(set(table["chrom"]))[:5]),
            expected=", ".join(sorted(known)[:5]),
            remedy="Name the chromosomes as the dataset does",
        )
    return table

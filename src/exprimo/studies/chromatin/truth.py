"""What the truth of a simulated world tells of a study of its cell types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import MismatchError
from exprimo.evaluate import bootstrap
from exprimo.evaluate.grouped import centred_by
from exprimo.studies.chromatin.cells import Predicted

FILES = ("chromatin.tsv", "world.json")
_SIGN = {"activation": 1.0, "repression": -1.0}


class PlantedMark(NamedTuple):
    """A mark that was planted as a bell: which way it goes with expression, and where it lies.

    ``offset`` and ``width`` are in bases from the TSS, in gene orientation; ``sign`` is 1 or -1.
    """

    name: str
    sign: float
    offset: int
    width: int


def expected_values(truth: Path, dataset: Dataset) -> npt.NDArray[np.float64]:
    """Give what expression is expected to be of each example, given the truth; (examples,).

    Raises
    ------
    MismatchError
        The truth is not that of the genes and cell types of this dataset.
    """
    table = pd.read_csv(truth / "chromatin.tsv", sep="\t", dtype={"gene_id": str})
    by_pair = table.set_index(["gene_id", "cell_type"])["expected"]
    pairs = pd.MultiIndex.from_arrays([dataset.column("gene_id"), dataset.column("cell_type")])
    found = by_pair.reindex(pairs).to_numpy(dtype=np.float64)
    missing = np.flatnonzero(np.isnan(found))
    if len(missing):
        raise MismatchError(
            "the truth does not know an example of the dataset",
            file=truth / "chromatin.tsv",
            record=str(dataset.column("example_id")[missing[0]]),
            found=f"{len(missing):,} of {len(found):,} are not there",
            remedy="Give the truth of the world that the dataset was made from, or leave it out",
        )
    return found


def ceilings(expected: npt.NDArray[np.float64], judged: Predicted, genes: Any) -> dict[str, Any]:
    """Judge the expectation itself on the test examples: no model can do better.

    Returns
    -------
    dict
        ``pearson_r``, ``r2``, ``mse`` over all, and ``within_gene``: r over the cell types of a
        gene, pooled.
    """
    told = expected[judged.rows]
    found = bootstrap(
        judged.observed, told, judged.groups, ["pearson_r", "r2", "mse"], unit=judged.unit
    )
    labels = genes[judged.rows]
    within = bootstrap(
        centred_by(labels, judged.observed),
        centred_by(labels, told),
        judged.groups,
        ["pearson_r"],
        unit=judged.unit,
    )["pearson_r"]
    facts = {name: estimate._asdict() for name, estimate in found.items()}
    return {**facts, "within_gene": within._asdict()}


def planted_marks(truth: Path) -> list[PlantedMark]:
    """Read which marks were planted as bells, and which way they go with expression."""
    world = json.loads((truth / "world.json").read_text(encoding="utf-8"))
    return [
        PlantedMark(mark["name"], _SIGN[mark["follows"]], mark["offset"], mark["width"])
        for mark in world["config"]["cells"]["marks"]
        if mark["follows"] in _SIGN and mark["shape"] == "peak"
    ]


def planted_gradients(
    table: pd.DataFrame, planted: list[PlantedMark], bin_size: int
) -> list[dict[str, Any]]:
    """Compare mean signed gradients with what was planted, in each cell type.

    Parameters
    ----------
    table
        Columns of `exprimo.interpret.bins.BIN_COLUMNS`, and ``per_sd``; rows are marks.
    bin_size
        Bases of a bin.

    Returns
    -------
    list of dict
        One per mark and label: ``mark, label, sign, mean`` over the bins within one width of the
        planted offset with its ``z``, ``right`` (the sign is that which was planted), ``peak``
        (offset of the middle of the bin with the greatest gradient of that sign per standard
        deviation of the signal) and ``near`` (it lies within one width and a bin of the planted
        place).
    """
    found = []
    for mark in planted:
        own = table[table["row"] == mark.name]
        for label, rows in own.groupby("label", sort=False):
            middle = rows["offset"].to_numpy() + bin_size / 2
            here = np.abs(middle - mark.offset) <= mark.width
            mean = float(rows["mean"].to_numpy()[here].mean()) if here.any() else np.nan
            error = float(np.sqrt((rows["se"].to_numpy()[here] ** 2).sum()) / max(here.sum(), 1))
            peak = float(middle[np.argmax(mark.sign * rows["per_sd"].to_numpy())])
            found.append(
                {
                    "mark": mark.name,
                    "label": str(label),
                    "sign": mark.sign,
                    "offset": mark.offset,
                    "mean": mean,
                    "z": mean / error if error > 0 else np.nan,
                    "right": bool(mean * mark.sign > 0),
                    "peak": peak,
                    "near": bool(abs(peak - mark.offset) <= mark.width + bin_size),
                }
            )
    return found

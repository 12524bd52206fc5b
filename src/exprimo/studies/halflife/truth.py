"""What a simulated world knows: how much each input can tell, and where sites act."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import MismatchError
from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.evaluate import bootstrap
from exprimo.scoring.targets import learned_target

# What the inputs tell, by the components of the world's truth that they carry.
_TELLS = {
    "promoter and half-life": ("promoter", "halflife"),
    "promoter": ("promoter",),
    "half-life": ("halflife",),
}


def truth_ceilings(truth: Path, dataset: Dataset, run: Run, split: Split) -> dict[str, Any]:
    """Score the test genes by the truth of each input: no model that reads it can do better.

    Parameters
    ----------
    run
        Any Run under the split; it says how the target was cut.
    """
    components = pd.read_csv(truth / "components.tsv", sep="\t", dtype={"gene_id": str})
    components = components.set_index("gene_id")
    rows = split.rows("test")
    observed = learned_target(dataset, run.metrics)[rows]
    known = ~np.isnan(observed)
    genes = components.loc[dataset.column("gene_id")[rows][known]]
    groups = (split.example_id if split.group is None else split.group)[rows][known]
    metric = run.metrics["headline"]
    ceilings = {}
    for name, parts in _TELLS.items():
        score = genes[list(parts)].sum(axis=1).to_numpy(np.float64)
        found = bootstrap(observed[known], score, groups, [metric], unit=split.unit)[metric]
        ceilings[name] = {"value": found.value, "low": found.low, "high": found.high}
    return {"metric": metric, "ceilings": ceilings}


def acting_bases(
    truth: Path, dataset: Dataset, rows: npt.NDArray[np.int64], tss_index: int
) -> npt.NDArray[np.bool_]:
    """Mark the bases of sites that act on each gene's expression, (rows, length).

    Planted sites out of their factor's reach do nothing, and sites that arose by chance within it
    do, so what acts is asked for, not what was planted.
    """
    sites = pd.read_csv(truth / "sites.tsv", sep="\t", dtype={"gene_id": str, "chrom": str})
    by_gene = dict(tuple(sites[sites["effect"] != 0].groupby("gene_id")))
    marked = np.zeros((len(rows), dataset.inputs["sequence"].shape[0]), dtype=bool)
    genes, tss, strand = (dataset.column(name)[rows] for name in ("gene_id", "tss", "strand"))
    for number in range(len(rows)):
        for site in by_gene.get(genes[number], sites[:0]).itertuples():
            if strand[number] == "-":
                first, last = tss[number] - site.end + 1, tss[number] - site.start + 1
            else:
                first, last = site.start - tss[number], site.end - tss[number]
            marked[number, max(first + tss_index, 0) : max(last + tss_index, 0)] = True
    return marked


def check_world(truth: Path, dataset: Dataset) -> None:
    """Refuse a truth that does not know the dataset's genes."""
    path = truth / "components.tsv"
    known = pd.read_csv(path, sep="\t", dtype={"gene_id": str})["gene_id"]
    _refuse_other_world(dataset.column("gene_id"), known, path)


def _refuse_other_world(genes: Any, known: Any, path: Path) -> None:
    absent = sorted(set(genes) - set(known))
    if absent:
        raise MismatchError(
            "the truth of another world",
            file=path,
            found=f"no line for {len(absent):,} genes, such as {absent[0]}",
            expected="every gene of the dataset",
            remedy="Give the truth folder of the world that the genes come from",
        )

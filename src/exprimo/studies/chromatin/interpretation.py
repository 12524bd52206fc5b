"""What a network of a chromatin study looks at, over test genes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.files.atomic import atomic_directory
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import Run, write_json
from exprimo.core.split import Split
from exprimo.interpret.bins import bin_offsets, bin_table, sum_by_label
from exprimo.models.network import NetworkPredictor
from exprimo.scoring.attention import attends, attention_blocks
from exprimo.scoring.gradients import gradient_blocks, output_scale
from exprimo.scoring.layers import network_of
from exprimo.scoring.raising import observed_bounds, raise_output
from exprimo.scoring.resolve import model_on
from exprimo.studies.chromatin.config import Explained
from exprimo.studies.chromatin.truth import planted_gradients, planted_marks
from exprimo.studies.interpretation.checking import Shown as Checked
from exprimo.studies.interpretation.checking import check_gradients
from exprimo.training import TrainConfig

INTERPRETATION_FORMAT = 1
EVERY_GENE = "all test genes"
_GENES_SHOWN = 4
_CHECKED = ("signal", "kmer_bins")

Rows = npt.NDArray[np.int64]


class _Shown(NamedTuple):
    """A Run, its network, and the test rows that are looked at."""

    run: Run
    network: NetworkPredictor
    rows: Rows


def interpret_rows(
    run: Path,
    attentive: Path | None,
    dataset: Dataset,
    wanted: Explained,
    out: Path,
    *,
    bin_size: int,
    truth: Path | None = None,
    threads: int | None = None,
) -> None:
    """Explain a Run, and write tables.

    ``mark_bins.tsv``: mean signed gradient of each mark in each bin by cell type, per unit of
    signal, and per standard deviation that the signal has there over the genes (``per_sd``);
    ``kmer_bins.tsv``: the same of k-mers by gene, where the network reads them;
    ``raised.tsv``, ``raised_outputs.tsv``: how the signal changes when the output is raised
    within the observed range; ``attention.tsv``: mean attention by cell type, of the Run
    ``attentive``; ``interpretation.json``: what was done, and what was planted.

    Parameters
    ----------
    dataset
        Open, with k-mers attached.
    bin_size
        Bases of a bin.
    truth
        The truth folder of a simulated world.
    """
    shown = _shown(run, dataset, wanted, threads)
    summary: dict[str, Any] = {
        **describe_origin([run / "model.safetensors"], format_version=INTERPRETATION_FORMAT),
        "row": wanted.row,
        "scale": output_scale(shown.run.metrics["task"]),
        "units": shown.run.metrics["units"],
        "n_examples": len(shown.rows),
        "bin_size": bin_size,
        "members": len(shown.network.members),
    }
    with atomic_directory(out) as folder:
        marks = _mark_bins(shown, dataset, bin_size)
        _store(marks, folder / "mark_bins.tsv")
        if truth is not None:
            summary["planted"] = planted_gradients(marks, planted_marks(truth), bin_size)
        if "kmer_bins" in shown.network.inputs:
            table, genes = _kmer_bins(shown, dataset, wanted, bin_size)
            _store(table, folder / "kmer_bins.tsv")
            summary["genes"] = genes
        if wanted.raised:
            summary["raised"] = _raise(shown, dataset, wanted.raised, bin_size, folder)
        if attentive is not None:
            other = _shown(attentive, dataset, wanted, threads)
            if attends(other.network):
                _store(_attention(other, dataset, bin_size), folder / "attention.tsv")
        names = tuple(name for name in _CHECKED if name in shown.network.inputs)
        asked = Checked(shown.run, shown.network, dataset, shown.rows)
        summary["faithfulness"] = check_gradients(folder, asked, names, "saliency").short
        write_json(folder / "interpretation.json", summary)


def _shown(run: Path, dataset: Dataset, wanted: Explained, threads: int | None) -> _Shown:
    done = Run.open(run)
    network = network_of(model_on(run, device="cpu", threads=threads).predictor)
    return _Shown(done, network, _chosen(done.split, dataset, wanted.examples))


def _chosen(split: Split, dataset: Dataset, most: int) -> Rows:
    """Give the test rows, of each cell type at most so many, the same genes where possible."""
    rows, cells = split.rows("test"), dataset.column("cell_type")
    genes = dataset.column("gene_id")
    order = np.random.default_rng(split.seed).permutation(np.unique(genes[rows]))
    rank = pd.Series(np.arange(len(order)), index=order)
    kept = []
    for cell in np.unique(cells[rows]):
        here = rows[cells[rows] == cell]
        kept.append(here[np.argsort(rank[genes[here]].to_numpy(), kind="stable")[:most]])
    return np.sort(np.concatenate(kept))


def _labels(values: npt.NDArray[np.str_], rows: Rows) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Number the values that occur among the rows; others are -1."""
    names = np.unique(values[rows])
    place = np.searchsorted(names, values).clip(max=len(names) - 1)
    return np.where(names[place] == values, place, -1).astype(np.int64), names.tolist()


def _slopes(shown: _Shown, dataset: Dataset, name: str) -> Iterator[tuple[Rows, Any]]:
    blocks = gradient_blocks(
        shown.network, dataset, shown.rows, inputs=[name], description="Explaining"
    )
    for block in blocks:
        yield block.rows, block.by_input[name]


def _mark_bins(shown: _Shown, dataset: Dataset, bin_size: int) -> pd.DataFrame:
    labels, names = _labels(dataset.column("cell_type"), shown.rows)
    info = dataset.inputs["signal"]
    sums = sum_by_label(_slopes(shown, dataset, "signal"), labels, len(names))
    table = bin_table(sums, names, info.labels, bin_offsets(info.shape[1], bin_size))
    spread = [
        dataset.rows("signal", shown.rows[labels[shown.rows] == number]).std(0).ravel()
        for number in range(len(names))
    ]
    sd = np.concatenate(spread)
    # Where a mark hardly varies its slope is steep and moves nothing.
    return table.assign(sd=sd, per_sd=table["mean"] * sd)


def _kmer_bins(
    shown: _Shown, dataset: Dataset, wanted: Explained, bin_size: int
) -> tuple[pd.DataFrame, list[str]]:
    """Give k-mer gradients of some genes, averaged over their cell types, and of all genes."""
    genes = dataset.column("gene_id")
    chosen = list(wanted.genes) or _extreme_genes(shown, dataset)
    info = dataset.inputs["kmer_bins"]
    code = pd.Index(chosen).get_indexer(pd.Index(genes)).astype(np.int64)
    blocks = list(_slopes(shown, dataset, "kmer_bins"))
    offsets = bin_offsets(info.shape[1], bin_size)
    every = bin_table(
        sum_by_label(blocks, np.zeros(len(genes), np.int64), 1), [EVERY_GENE], info.labels, offsets
    )
    some = bin_table(sum_by_label(blocks, code, len(chosen)), chosen, info.labels, offsets)
    table = pd.concat([every, some], ignore_index=True)
    known = TrainConfig.load(shown.run.config_path).options.get("vocabulary") or info.labels
    return table[table["row"].isin(known)].reset_index(drop=True), chosen


def _extreme_genes(shown: _Shown, dataset: Dataset) -> list[str]:
    """Choose the genes whose mean prediction is highest and lowest, half and half."""
    table = shown.run.predictions().set_index("example_id")
    ids = dataset.column("example_id")[shown.rows]
    genes = dataset.column("gene_id")[shown.rows]
    mean = table.loc[ids, "prediction"].groupby(genes).mean().sort_values(kind="stable")
    half = _GENES_SHOWN // 2
    return [str(gene) for gene in [*mean.index[::-1][:half], *mean.index[:half]]]


def _raise(shown: _Shown, dataset: Dataset, n: int, bin_size: int, folder: Path) -> dict[str, Any]:
    """Raise the output of the examples that are predicted lowest, and write how they change."""
    table = shown.run.predictions().set_index("example_id")
    ids = dataset.column("example_id")[shown.rows]
    lowest = np.argsort(table.loc[ids, "prediction"].to_numpy(), kind="stable")[:n]
    bounds = observed_bounds(dataset, "signal", shown.run.split.rows("train"))
    found = raise_output(shown.network, dataset, np.sort(shown.rows[lowest]), bounds)
    info = dataset.inputs["signal"]
    n_marks, n_bins = info.shape
    changed = pd.DataFrame(
        {
            "row": np.repeat(np.asarray(info.labels, dtype=object), n_bins),
            "bin": np.tile(np.arange(n_bins), n_marks),
            "offset": np.tile(bin_offsets(n_bins, bin_size), n_marks),
            "before": found.before.mean(0).ravel(),
            "after": found.after.mean(0).ravel(),
            "low": bounds.low.ravel(),
            "high": bounds.high.ravel(),
        }
    )
    _store(changed, folder / "raised.tsv")
    outputs = found.outputs.mean(1)
    steps = pd.DataFrame({"step": np.arange(len(outputs)), "output": outputs})
    _store(steps, folder / "raised_outputs.tsv")
    return {
        "n": len(found.rows),
        "before": float(outputs[0]),
        "after": float(outputs[-1]),
        "share": 0.98,
    }


def _attention(shown: _Shown, dataset: Dataset, bin_size: int) -> pd.DataFrame:
    """Give the mean weights by cell type: of each bin within its mark, and of each mark."""
    labels, names = _labels(dataset.column("cell_type"), shown.rows)
    info = dataset.inputs["signal"]
    blocks = list(attention_blocks(shown.network, dataset, shown.rows))
    of_bins = sum_by_label(
        ((block.rows, block.by_level["bins"]) for block in blocks), labels, len(names)
    )
    of_marks = sum_by_label(
        ((block.rows, block.by_level["marks"][:, :, None]) for block in blocks), labels, len(names)
    )
    offsets = bin_offsets(info.shape[1], bin_size)
    tables = {
        "bins": bin_table(of_bins, names, info.labels, offsets),
        "marks": bin_table(of_marks, names, info.labels, [0]),
    }
    return pd.concat(
        [table.assign(level=level) for level, table in tables.items()], ignore_index=True
    )


def _store(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, sep="\t", index=False, float_format="%.7g")

"""What the network that reads promoter and half-life looks at, over test genes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.files.atomic import atomic_directory
from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.interpret import (
    About,
    Interpretation,
    importance_profile,
    layer_map,
    map_table,
    motif_recovery,
    top_positions,
    top_table,
    with_planted,
)
from exprimo.interpret.attributions.method import MethodName
from exprimo.interpret.files import fill_interpretation
from exprimo.models.network import NetworkPredictor
from exprimo.scoring.gradients import gradient_blocks, output_scale
from exprimo.scoring.layers import layer_blocks, network_of
from exprimo.scoring.resolve import model_on
from exprimo.scoring.targets import learned_target
from exprimo.studies.halflife.config import Interpretation as Wanted
from exprimo.studies.halflife.truth import acting_bases
from exprimo.studies.interpretation.checking import Shown, check_gradients
from exprimo.training.predicting import predict_rows

METHOD: MethodName = "gradient_x_input"
_SHOWN_POSITIONS, _SHOWN_EXAMPLES = 20, 100
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def interpret_row(
    run: Path,
    dataset: Dataset,
    wanted: Wanted,
    out: Path,
    *,
    bin_bases: int = 1,
    truth: Path | None = None,
    threads: int | None = None,
) -> Path:
    """Explain one row of the table and write what was found.

    Parameters
    ----------
    run
        The Run of the row under the split that answers.
    dataset
        Open, with its embeddings attached where the run reads them.
    bin_bases
        Bases of a bin where embeddings are read; each base is given an equal share of its bin.
    truth
        The truth folder of a simulated world: the bases of sites that act are then looked for.
    threads
        Of the CPU; all unless given.
    """
    done = Run.open(run)
    predictor = network_of(model_on(run, device="cpu", threads=threads).predictor)
    rows = _chosen(done.split, wanted.examples)
    tss = tss_index(dataset)
    contributions = _contributions(predictor, dataset, rows, bin_bases)
    prediction = predict_rows(predictor, dataset, rows)
    groups = done.split.example_id if done.split.group is None else done.split.group
    metrics = done.metrics
    about = About(
        metrics["task"],
        predictor.outputs[0],
        output_scale(metrics["task"]),
        len(rows),
        unit=done.split.unit,
        smooth=wanted.smooth,
        layer=wanted.layer,
        threshold=metrics["threshold"]["value"] if metrics["threshold"] else None,
    )
    ids = dataset.column("example_id")[rows]
    profile = importance_profile(contributions, tss, smooth=wanted.smooth, groups=groups[rows])
    recovery = None
    if truth is not None:
        planted = acting_bases(truth, dataset, rows, tss)
        profile = with_planted(profile, planted, tss)
        found = motif_recovery(contributions, planted, groups=groups[rows], unit=done.split.unit)
        recovery = (list(ids), found)
    top = top_positions(
        contributions,
        prediction.mean[:, 0],
        tss,
        n_positions=_SHOWN_POSITIONS,
        n_examples=_SHOWN_EXAMPLES,
    )
    places = layer_map(_said(predictor, dataset, rows, wanted.layer))
    observed = learned_target(dataset, metrics)[rows]
    made = Interpretation(
        about,
        profile=profile,
        top=top_table(top, list(ids)),
        layer_map=map_table(list(ids), places, prediction.mean, observed, about),
        recovery=recovery,
    )
    with atomic_directory(out) as folder:
        fill_interpretation(folder, made, sources=[run / "model.safetensors"], row=wanted.row)
        shown = Shown(done, predictor, dataset, rows)
        name = _dna(predictor)
        check_gradients(folder, shown, (name,), METHOD, centred=name == "sequence")
    return out


def tss_index(dataset: Dataset) -> int:
    """Give the column of the TSS base: from the table of examples, else the middle.

    Files of one-hot promoters do not say where the TSS is; it is their centre.
    """
    length = dataset.inputs["sequence"].shape[0]
    if not {"tss", "start", "end", "strand"} <= set(dataset.columns):
        return int(length // 2)
    examples = dataset.examples()
    before = np.where(
        examples["strand"] == "-",
        examples["end"] - 1 - examples["tss"],
        examples["tss"] - examples["start"],
    )
    return int(np.median(before))


def shared_out(of_bins: Floats, bin_bases: int, length: int) -> Floats:
    """Give each base an equal share of its bin; the last bin may hold fewer.

    Parameters
    ----------
    of_bins
        (rows, bins).

    Examples
    --------
    >>> shared_out(np.float32([[6.0, 4.0]]), 3, 5).tolist()
    [[2.0, 2.0, 2.0, 2.0, 2.0]]
    """
    ends = np.minimum(np.arange(1, of_bins.shape[1] + 1) * bin_bases, length)
    sizes = np.diff(ends, prepend=0)
    shares: Floats = np.repeat(of_bins / np.maximum(sizes, 1), sizes, axis=1)
    return shares


def _chosen(split: Split, most: int) -> Rows:
    rows = split.rows("test")
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(split.seed).choice(rows, most, replace=False))


def _said(predictor: NetworkPredictor, dataset: Dataset, rows: Rows, layer: str) -> Floats:
    """Give what a layer says of each example, (rows, values)."""
    blocks = layer_blocks(predictor, dataset, rows, layer=layer)
    return np.concatenate([block.values.reshape(len(block.rows), -1) for block in blocks])


def _dna(network: NetworkPredictor) -> str:
    return "sequence" if "sequence" in network.inputs else "embedding"


def _contributions(
    network: NetworkPredictor, dataset: Dataset, rows: Rows, bin_bases: int
) -> Floats:
    """Give gradient × input of every base, (rows, length)."""
    length = dataset.inputs["sequence"].shape[0]
    name = _dna(network)
    out = np.empty((len(rows), length), dtype=np.float32)
    at = 0
    blocks = gradient_blocks(
        network, dataset, rows, inputs=[name], centred=name == "sequence", description="Explaining"
    )
    for block in blocks:
        slopes = block.by_input[name]
        if name == "embedding":
            values = dataset.rows(name, block.rows).astype(np.float32)
            slopes = shared_out((slopes * values).sum(2), bin_bases, length)
        out[at : at + len(slopes)] = slopes
        at += len(slopes)
    return out

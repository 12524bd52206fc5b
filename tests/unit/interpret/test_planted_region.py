"""From simulated promoters to an interpretation: a trained network looks where the motif is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.sequence import encode, reverse_complement
from exprimo.interpret.files import (
    About,
    Interpretation,
    map_table,
    top_table,
    with_planted,
    write_interpretation,
)
from exprimo.interpret.importance import importance_profile, top_positions
from exprimo.interpret.map import layer_map
from exprimo.interpret.recovery import motif_recovery
from exprimo.report.interpret.figures import write_interpretation_figures
from exprimo.scoring.gradients import gradient_blocks, joined, output_scale
from exprimo.scoring.layers import layer_blocks, network_of
from exprimo.scoring.resolve import model_on
from exprimo.training import TrainConfig, train_run

LENGTH, TSS = 300, 240
REGION = (-80, -40)
MOTIF = encode("TGACTCATGC")


def promoters(path: Path, n: int = 1600) -> np.ndarray:
    """Write promoters, half of them with a motif upstream of the TSS; return where it is."""
    rng = np.random.default_rng(7)
    codes = rng.integers(0, 4, (n, LENGTH)).astype(np.uint8)
    planted = np.zeros((n, LENGTH), dtype=bool)
    high = rng.random(n) < 0.5
    for row in np.flatnonzero(high):
        at = TSS + rng.integers(REGION[0], REGION[1] - len(MOTIF))
        turned = rng.random() < 0.5
        codes[row, at : at + len(MOTIF)] = reverse_complement(MOTIF) if turned else MOTIF
        planted[row, at : at + len(MOTIF)] = True
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(
            pd.DataFrame(
                {
                    "example_id": [f"e{i}" for i in range(n)],
                    "gene_id": [f"g{i}" for i in range(n)],
                    "chrom": [f"chr{i % 5 + 1}" for i in range(n)],
                }
            )
        )
        out.input("sequence", [codes])
        out.target("high", np.where(rng.random(n) < 0.03, ~high, high), kind="classification")
    return planted


@pytest.mark.slow
def test_importance_finds_the_planted_bases(tmp_path: Path) -> None:
    planted = promoters(tmp_path / "D.h5")
    settings = {
        "dataset": str(tmp_path / "D.h5"), "target": "high", "model": "cnn",
        "options": {"channels": 16, "stem_channels": 16, "head_channels": 8, "hidden": 0},
        "fit": {"epochs": 12, "batch_size": 32}, "split": {"strategy": "random"},
        "machine": {"threads": 1, "precision": "fp32", "device": "cpu"},
    }  # fmt: skip
    run = train_run(TrainConfig.checked(settings), tmp_path / "RUN")
    assert run.metrics["parts"]["test"]["auroc"]["value"] > 0.85
    net = network_of(model_on(run.path, device="cpu", threads=1).predictor)
    rows = run.split.rows("test")
    with Dataset.open(tmp_path / "D.h5") as data:
        found = joined(gradient_blocks(net, data, rows))
        layer = np.concatenate([b.values for b in layer_blocks(net, data, rows)])
        ids, target = data.column("example_id")[rows], data.target("high")[rows]
        predicted = net.predict(data.batch(("sequence",), rows)).mean
    contributions, truth = found.by_input["sequence"], planted[rows]

    recovered = motif_recovery(contributions, truth)
    assert recovered.mean.low > 0.8
    assert recovered.mean.value > max(recovered.shifted.upper, recovered.swapped.upper) + 0.05
    profile = importance_profile(contributions, TSS, smooth=5).set_index("position")
    inside = profile.loc[REGION[0] : REGION[1] - 1, "mean"]
    outside = profile.drop(inside.index)["mean"]
    assert inside.mean() > 3 * outside.mean()
    top = top_positions(contributions, predicted[:, 0], TSS)
    assert np.mean((top.positions >= REGION[0]) & (top.positions < REGION[1])) > 0.8

    places = layer_map(layer)
    about = About(
        "classification", "probability", output_scale("classification"), len(rows),
        smooth=5, threshold=run.metrics["threshold"]["value"],
    )  # fmt: skip
    folder = write_interpretation(
        run.path / "interpretation",
        Interpretation(
            about,
            with_planted(profile.reset_index(), truth, TSS),
            top_table(top, ids),
            map_table(ids, places, predicted, target, about),
            (list(ids), recovered),
        ),
        sources=[run.weights_path],
    )
    names = {path.stem for path in write_interpretation_figures(folder)}
    assert names == {"importance", "top_positions", "map_class", "map_probability"}

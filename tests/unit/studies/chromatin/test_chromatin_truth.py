"""What a simulated world knows: expected expression, and where marks were planted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import MismatchError
from exprimo.simulate.chromatin.config import MARKS
from exprimo.studies.chromatin.cells import Predicted
from exprimo.studies.chromatin.truth import (
    PlantedMark,
    ceilings,
    expected_values,
    planted_gradients,
    planted_marks,
)

ACTIVE = PlantedMark("H3K4me3", 1.0, 350, 150)
REPRESSIVE = PlantedMark("H3K27me3", -1.0, -150, 50)


def table(
    row: str, label: str, means: list[float], per_sd: list[float], se: float = 0.5
) -> pd.DataFrame:
    """Make gradients of a mark in eight bins of 100 bases around the TSS."""
    return pd.DataFrame(
        {"label": label, "row": row, "bin": range(8), "offset": range(-400, 400, 100),
         "mean": means, "se": se, "n": 9, "per_sd": per_sd}
    )  # fmt: skip


def test_gradients_are_averaged_within_one_width_of_the_planted_place() -> None:
    # Middles of the last three bins are 150, 250 and 350: within 150 of 350 lie the last two
    # and, in the active mark, nothing else; the bin at 150 lies 200 away.
    made = pd.concat(
        [
            table("H3K4me3", "C1", [9, 9, 9, 9, 9, 9, 2, 4], [0, 0, 0, 0, 0, 0, 1, 3]),
            table("H3K4me3", "C2", [0, 0, 0, 0, 0, 0, -1, -3], [5, 0, 0, 0, 0, 0, 1, 3]),
            table("H3K27me3", "C1", [0, 0, -2, 0, 0, 0, 0, 0], [1, 1, -1, 1, 1, 1, 1, 1]),
            table("H3K9me3", "C1", [1] * 8, [1] * 8),
        ]
    )
    first, second, third = planted_gradients(made, [ACTIVE, REPRESSIVE], 100)
    assert (first["mark"], first["label"], first["mean"]) == ("H3K4me3", "C1", 3.0)
    assert first["z"] == pytest.approx(3.0 / (np.sqrt(2 * 0.5**2) / 2))
    assert (first["right"], first["peak"], first["near"]) == (True, 350.0, True)
    # Its sign is wrong, and it moves the output most where nothing was planted.
    assert (second["label"], second["mean"], second["right"]) == ("C2", -2.0, False)
    assert (second["peak"], second["near"]) == (-350.0, False)
    # A repressive mark is right where it lowers, and its peak is its lowest.
    assert (third["mark"], third["mean"], third["right"]) == ("H3K27me3", -2.0, True)
    assert (third["peak"], third["near"]) == (-150.0, True)


@pytest.mark.parametrize(("peak_bin", "near"), [(7, True), (6, True), (5, True), (4, False)])
def test_near_is_within_one_width_and_a_bin(peak_bin: int, near: bool) -> None:
    # 350, 250, 150 and 50 are 0, 100, 200 and 300 away, and 250 are allowed.
    per_sd = [float(number == peak_bin) for number in range(8)]
    (found,) = planted_gradients(table("H3K4me3", "C1", [1] * 8, per_sd), [ACTIVE], 100)
    assert found["near"] is near
    assert found["peak"] == (peak_bin - 4) * 100 + 50


def test_a_place_outside_the_window_is_not_judged_right() -> None:
    far = PlantedMark("H3K4me3", 1.0, 4000, 150)
    (found,) = planted_gradients(table("H3K4me3", "C1", [1] * 8, [1] * 8), [far], 100)
    assert np.isnan([found["mean"], found["z"]]).all()
    assert (found["right"], found["near"]) == (False, False)


def test_only_bells_that_follow_expression_were_planted(tmp_path: Path) -> None:
    marks = [mark.model_dump() for mark in MARKS]
    (tmp_path / "world.json").write_text(json.dumps({"config": {"cells": {"marks": marks}}}))
    assert planted_marks(tmp_path) == [
        PlantedMark("H3K4me3", 1.0, 350, 150), PlantedMark("H3K27me3", -1.0, -850, 350),
    ]  # fmt: skip


def test_ceilings_are_the_scores_of_the_expectation() -> None:
    rng = np.random.default_rng(4)
    genes = np.repeat([f"g{number}" for number in range(30)], 3)
    expected = rng.normal(size=90)
    rows = np.arange(15, 90)
    observed = (expected + rng.normal(0, 0.5, 90))[rows]
    judged = Predicted("any", "gene", rows, observed, np.zeros((1, 75)), genes[rows], "gene")
    found = ceilings(expected, judged, genes)
    told = expected[rows]
    assert found["pearson_r"]["value"] == pytest.approx(np.corrcoef(observed, told)[0, 1])
    assert found["mse"]["value"] == pytest.approx(((observed - told) ** 2).mean())
    by = pd.DataFrame({"o": observed, "t": told}).groupby(genes[rows])
    centred = by.transform(lambda values: values - values.mean())
    within = np.corrcoef(centred["o"], centred["t"])[0, 1]
    assert found["within_gene"]["value"] == pytest.approx(within)
    assert found["within_gene"]["n_groups"] == 25
    assert found["pearson_r"]["low"] < found["pearson_r"]["value"] < found["pearson_r"]["high"]


def test_expectations_stand_in_the_order_of_the_dataset(write_cells: Any, tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    truth.mkdir()
    rows = [(f"g{g}", f"C{c}", 10.0 * c + g) for g in (2, 0, 1) for c in (1, 0)]
    known = pd.DataFrame(rows, columns=["gene_id", "cell_type", "expected"])
    known.to_csv(truth / "chromatin.tsv", sep="\t", index=False)
    with Dataset.open(write_cells(np.ones((2, 3)))) as data:
        assert expected_values(truth, data).tolist() == [0, 1, 2, 10, 11, 12]
        known[:-1].to_csv(truth / "chromatin.tsv", sep="\t", index=False)
        with pytest.raises(MismatchError, match=r"C0_g1.*Found: 1 of 6 are not there"):
            expected_values(truth, data)

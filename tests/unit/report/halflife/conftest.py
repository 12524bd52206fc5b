"""A made-up promoter-halflife study, in the files that ``exprimo run`` writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.run import write_json
from exprimo.interpret.files import (
    About,
    Interpretation,
    map_table,
    top_table,
    with_planted,
    write_interpretation,
)
from exprimo.interpret.importance import importance_profile, top_positions
from exprimo.interpret.recovery import motif_recovery

Make = Callable[..., Path]
STEPS = (
    (
        "half-life features",
        "half-life features add to the promoter",
        "cnn",
        "lstm",
        0.05,
        0.02,
        0.08,
    ),
    ("promoter", "the promoter adds to half-life features", "cnn", "half", -0.01, -0.03, 0.01),
)
N, LENGTH, TSS = 60, 40, 30


def explain(folder: Path, task: Any, *, truth: bool) -> Path:
    rng = np.random.default_rng(0)
    ids = [f"g{i}" for i in range(N)]
    values = rng.normal(size=(N, LENGTH))
    values[:, 8:14] *= 10
    planted = np.zeros((N, LENGTH), dtype=bool)
    planted[:, 8:14] = True
    threshold = 0.5 if task == "classification" else None
    about = About(task, "probability", "logit", N, smooth=5, layer="first_dense",
                  threshold=threshold)  # fmt: skip
    predicted = rng.random((N, 1))
    profile = importance_profile(values, TSS, smooth=5)
    made = Interpretation(
        about,
        with_planted(profile, planted, TSS) if truth else profile,
        top_table(top_positions(values, predicted[:, 0], TSS), ids),
        map_table(ids, rng.normal(size=(N, 2)), predicted, (predicted[:, 0] > 0.4) * 1.0, about),
        (ids, motif_recovery(values, planted, n_shuffles=5)) if truth else None,
    )
    return write_interpretation(folder, made, row="promoter + half-life")


@pytest.fixture(scope="session")
def make_halflife(made_up: ModuleType) -> Make:
    """Write a study; its benchmark is of the rows cnn, lstm and (a baseline) half."""

    def make(
        folder: Path,
        *,
        task: str = "classification",
        truth: bool = True,
        explained: bool = True,
        null: bool = False,
        **changed: Any,
    ) -> Path:
        world = made_up.World(
            task=task, models=("cnn", "lstm", "half", "kmer_linear"), ceiling=False,
            learning=False, splits=("random", "homology"), seeds=(0,), n=400,
            known={**made_up.MODELS, "half": ("baseline", 0.5)},
        )  # fmt: skip
        benchmark = made_up.make_benchmark(folder / "benchmark", world)
        table = pd.read_csv(benchmark / "table.tsv", sep="\t")
        for name in ("value", "low", "high"):
            table[name] = table[name] + np.where(table["model"] == "lstm", 0.2, -0.03)
        table.to_csv(benchmark / "validation.tsv", sep="\t", index=False)
        if explained:
            explain(folder / "interpretation", task, truth=truth)
        keys = ("input", "name", "more", "less", "difference", "low", "high")
        steps = [dict(zip(keys, step, strict=True)) | {"adds": step[5] > 0} for step in STEPS]
        ceiling = {"value": 0.93, "low": 0.9, "high": 0.95}
        if null:
            steps[0] |= {"low": None, "high": None}
            ceiling |= {"low": None, "high": None}
        facts: dict[str, Any] = {
            "format_version": 1,
            "kind": "promoter-halflife",
            "question": "Is a gene high or low?",
            "split": "homology",
            "verdict": {"text": "Half-life features add to the promoter.", "steps": steps},
            "parts": {"benchmark": "benchmark", "interpretation": "interpretation"},
            "preset": "controlled",
            "config": {"kind": "promoter-halflife", "preset": "controlled"},
        }
        if truth:
            names = ("promoter and half-life", "promoter", "half-life")
            facts["truth"] = {
                "metric": "auroc" if task == "classification" else "pearson_r",
                "ceilings": dict.fromkeys(names, ceiling),
            }
        write_json(folder / "study.json", facts | changed)
        assert json.loads((folder / "study.json").read_text())
        return folder

    return make


@pytest.fixture(scope="session")
def halflife_folder(tmp_path_factory: pytest.TempPathFactory, make_halflife: Make) -> Path:
    return make_halflife(tmp_path_factory.mktemp("halflife") / "study")

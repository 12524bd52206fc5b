"""A generator fitted on the split of a run, its sample, and the run that learns from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import exprimo
from exprimo.core.dataset import write_dataset
from exprimo.core.errors import InputError, LeakError

TINY = {
    "machine": {"threads": 1, "precision": "fp32"},
    "options": {"channels": 8, "blocks": 1},
    "fit": {"steps": 10, "every": 5, "batch_size": 8},
}
SPLIT = {"strategy": "chromosome", "test_chroms": ["chr1"], "val_chroms": ["chr2"]}


@pytest.mark.slow
def test_of_one_class_and_of_an_asked_class(tmp_path: Path) -> None:
    n = 900
    codes = np.random.default_rng(4).integers(0, 4, (n, 30)).astype(np.uint8)
    ids, data = [f"e{i}" for i in range(n)], tmp_path / "D.h5"
    with write_dataset(data, {}) as out:
        out.examples(
            pd.DataFrame({"example_id": ids, "chrom": [f"chr{i % 3 + 1}" for i in range(n)]})
        )
        out.input("sequence", [codes])
        out.target("up", (np.arange(n) % 2 == 0).astype(float), kind="classification")
    augment = {"ratio": 1.2, "insist": True}
    settings = {"model": "gc_content", "machine": {"threads": 1}, "split": SPLIT}
    like = exprimo.train(data, tmp_path / "like", **settings).path
    # 300 train, half of them positive: a ratio of 1.2 lacks 30.
    for name, asked in (("label", {"label": "1"}), ("condition", {"condition": "up"})):
        made, sample = tmp_path / f"GEN-{name}", tmp_path / f"{name}.h5"
        exprimo.generate_fit(data, made, like=str(like), **asked, **TINY)
        exprimo.generate_sample(made, sample, n=80, threads=1)
        run = exprimo.train(
            data, tmp_path / name, like=like, augment={"sample": str(sample), **augment}
        )
        told = run.metrics["augment"]
        assert told["n"] == 30
        assert (told["n_asked_otherwise"] > 0) == (name == "condition")
        few = {"sample": str(sample), "ratio": 3.0, "insist": True}
        option = " --target 1" if name == "condition" else ""
        with pytest.raises(InputError, match=f"sample {made.resolve()} -n 300{option} -o"):
            exprimo.train(data, tmp_path / "few", augment=few, **settings)
        other = {**settings, "split": {**SPLIT, "test_chroms": ["chr3"]}}
        with pytest.raises(LeakError, match="learned from examples that validate or test"):
            exprimo.train(
                data, tmp_path / "leak", augment={"sample": str(sample), **augment}, **other
            )

"""Where promoters and expression tell nothing, no model of the study finds anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.stats import rankdata

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.data.counts import read_counts
from exprimo.data.samples import read_samples
from exprimo.evaluate import bootstrap
from exprimo.evaluate.results import Estimate
from exprimo.labels import DgeConfig, find_differential, write_tables
from exprimo.simulate.config import ConditionsConfig, GenomeConfig, WorldConfig
from exprimo.splits import make_split
from exprimo.studies.differential.config import MODELS, Promoters
from exprimo.studies.differential.promoters import (
    build_dataset,
    promoter_source,
    target_table,
    write_targets,
)
from exprimo.training import TrainConfig
from exprimo.training.run import train_run

pytestmark = pytest.mark.slow

SEEDS = 5
CANDIDATES = ("gc_content", "kmer_linear", "mean_expression", *MODELS)
# The architectures of the study, narrow and trained for a moment.
SMALL_CNN = {"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8, "grid": 4}
OPTIONS: dict[str, dict[str, Any]] = {
    "cnn": SMALL_CNN,
    "onehot_xgboost": {"rounds": 20},
    "cnn_xgboost": {"net_options": SMALL_CNN, "rounds": 50},
}

# Half of the genes change twofold or more, up as often as down, dealt out by a permutation. Every
# gene is sequenced deeply enough to be tested and called alike.
WORLD = WorldConfig(
    genes=400,
    genome=GenomeConfig(chromosomes=4),
    conditions=ConditionsConfig(
        differential="random",
        activity=1.0,
        background_sd=1.5,
        silent_share=0.0,
        reads_per_gene=50_000,
        extra_poisson=0.2,
        dispersion_sd=0.1,
    ),
)


class Judged(NamedTuple):
    """Test genes of all worlds: their labels, groups, and each model's rank of them (0 to 1)."""

    observed: npt.NDArray[np.float64]
    groups: npt.NDArray[np.str_]
    ranks: dict[str, npt.NDArray[np.float64]]

    def auroc(self, score: npt.NDArray[np.float64], level: float = 0.95) -> Estimate:
        """Give the pooled AUROC, resampling homology groups; no group spans two worlds."""
        return bootstrap(self.observed, score, self.groups, ["auroc"], level=level)["auroc"]


def _labelled(folder: Path, seed: int) -> Path:
    """Simulate a world, test its counts, and build the dataset of changed promoters."""
    world = exprimo.simulate(folder / "world", seed=seed, config=WORLD)
    found = find_differential(
        read_counts(world.folder / "counts.tsv"),
        read_samples(world.folder / "samples.tsv"),
        DgeConfig(
            design="~ condition",
            contrast=("condition", "treated", "control"),
            lfc=1.0,
            shrink=True,
            threads=1,
        ),
    )
    (folder / "dge").mkdir()
    write_tables(found, folder / "dge")
    write_targets(target_table(folder / "dge"), folder / "targets.tsv")
    promoters = Promoters(
        fasta="world/genome.fa", genes="world/genes.gtf", upstream=250, downstream=50
    )
    source = promoter_source(promoters, folder)
    build_dataset(source, folder / "targets.tsv", folder / "D.h5", "changed")
    return folder / "D.h5"


def _predicted(dataset: Path, folder: Path, seed: int) -> pd.DataFrame:
    """Train every model on half of the genes; give label, group and predictions of the others."""
    with Dataset.open(dataset) as opened:
        split = make_split(opened, "homology", seed=seed, fractions=(0.5, 0.1, 0.4))
    rows = split.rows("test")
    assert split.group is not None
    table = pd.DataFrame({"group": split.group[rows]}, index=split.example_id[rows])
    for model in CANDIDATES:
        config = TrainConfig.checked(
            {
                "dataset": str(dataset),
                "model": model,
                "seed": seed,
                "fit": {"epochs": 2, "batch_size": 32, "shift": 0},
                "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
                "options": OPTIONS.get(model, {}),
            }
        )
        run = train_run(config, folder / model, split=split)
        found = run.predictions().set_index("example_id").loc[table.index]
        table["observed"], table[model] = found["target"], found["prediction"]
    return table


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Five worlds, pooled: predictions become ranks within their world."""
    tables = []
    for seed in range(SEEDS):
        folder = tmp_path_factory.mktemp(f"null{seed}")
        table = _predicted(_labelled(folder, seed), folder, seed)
        for model in CANDIDATES:
            table[model] = (rankdata(table[model]) - 0.5) / len(table)
        tables.append(table.assign(group=f"{seed}:" + table["group"].astype(str)))
    pooled = pd.concat(tables)
    return Judged(
        pooled["observed"].to_numpy(np.float64),
        pooled["group"].to_numpy(dtype=str),
        {model: pooled[model].to_numpy(np.float64) for model in CANDIDATES},
    )


def test_the_worlds_are_as_the_question_needs_them(judged: Judged) -> None:
    # Nearly every gene is tested, and the classes are large enough to see a leak.
    assert len(judged.observed) > 0.38 * SEEDS * WORLD.genes
    assert 0.35 < judged.observed.mean() < 0.65
    assert len(np.unique(judged.groups)) > 300


@pytest.mark.parametrize("model", CANDIDATES)
def test_no_model_tells_changed_from_unchanged(judged: Judged, model: str) -> None:
    # Nine models are asked: each interval is wide enough that all together err one time in 20.
    found = judged.auroc(judged.ranks[model], level=1 - 0.05 / len(CANDIDATES))
    assert found.low < 0.5 < found.high, found
    # An interval that holds everything would show nothing.
    assert found.high - found.low < 0.2


def test_a_model_that_knew_a_tenth_of_the_answers_would_be_seen(judged: Judged) -> None:
    known = np.arange(len(judged.observed)) % 10 == 0
    leaked = np.where(known, judged.observed, judged.ranks["cnn"])
    assert judged.auroc(leaked, level=1 - 0.05 / len(CANDIDATES)).low > 0.5

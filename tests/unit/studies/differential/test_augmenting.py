"""Generated promoters among the treatments: from training positives, and beside a control."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.dataset.generated import read_stamp
from exprimo.core.ledger import keys_of
from exprimo.core.run import Run
from exprimo.studies.benchmarking import BenchmarkConfig, run_benchmark
from exprimo.studies.differential.config import SHUFFLES, ImbalanceComparison
from exprimo.studies.differential.imbalance import METRICS, compare_imbalance
from exprimo.training import TrainConfig

N, LENGTH = 900, 40

pytestmark = pytest.mark.slow


def _benchmark(folder: Path, share: float) -> BenchmarkConfig:
    """Benchmark a network on sequences of which a share is changed and mostly begins with T."""
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, (N, LENGTH)).astype(np.uint8)
    changed = np.arange(N) < share * N
    codes[np.ix_(changed & (rng.random(N) < 0.7), range(6))] = 3
    ids = [f"g{k}" for k in range(N)]
    with write_dataset(folder / "D.h5", {}) as out:
        out.examples(pd.DataFrame({"example_id": ids, "gene_id": ids}))
        out.input("sequence", [codes])
        out.target("changed", changed, kind="classification")
    small = {"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8, "grid": 4}
    config = BenchmarkConfig.checked(
        {
            "dataset": str(folder / "D.h5"),
            "models": ["cnn"],
            "splits": ["gene"],
            "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
            "options": {"kmer_linear": {"k": 2}, "cnn": small},
            "fit": {"epochs": 2},
        }
    )
    run_benchmark(config, folder / "B", report=False)
    return BenchmarkConfig.load(folder / "B" / "config.toml")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One in six is changed: 120 in training, too few held out for a check."""
    folder = tmp_path_factory.mktemp("augmented")
    done = _benchmark(folder, share=1 / 6)
    wanted = ImbalanceComparison(
        strategies=("oversample",),
        generators=(SHUFFLES, "diffusion"),
        models=("cnn", "kmer_linear"),
        seeds=2,
        generator_steps=10,
        generator_passes=4,
        generator_options={"diffusion": {"channels": 8, "blocks": 1}},
    )
    compare_imbalance(wanted, done, folder / "B", folder / "I", resume=False)
    return folder


def _table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "I" / name, sep="\t", keep_default_na=False)


def test_each_treatment_has_rows_over_seeds(compared: Path) -> None:
    table = _table(compared, "table.tsv")
    rows = table.groupby(["model", "strategy"])["metric"].apply(tuple).to_dict()
    ways = ("none", "oversample", SHUFFLES, "diffusion")
    assert rows == {(model, way): METRICS for model in ("cnn", "kmer_linear") for way in ways}
    # A baseline gives the same from every seed.
    assert set(table[table["model"] == "cnn"]["seeds"]) == {2}
    assert set(table[table["model"] == "kmer_linear"]["seeds"]) == {1}
    gates = dict(zip(table["strategy"], table["gate"], strict=True))
    assert gates == {
        "none": "", "oversample": "", SHUFFLES: "not checked", "diffusion": "not checked",
    }  # fmt: skip


def test_differences_are_means_over_paired_seeds(compared: Path) -> None:
    paired = _table(compared, "paired.tsv")
    control = _table(compared, "against_shuffles.tsv")
    assert set(control["strategy"]) == {"diffusion"}
    runs = {
        way: [
            _run(compared, way, seed).metrics["parts"]["test"]["auprc"]["value"] for seed in (0, 1)
        ]
        for way in ("none", SHUFFLES, "diffusion")
    }
    for table, rival in ((paired, "none"), (control, SHUFFLES)):
        mine = table[(table["model"] == "cnn") & (table["metric"] == "auprc")]
        row = mine.set_index("strategy").loc["diffusion"]
        each = np.subtract(runs["diffusion"], runs[rival])
        assert float(row["difference"]) == pytest.approx(each.mean())
        assert float(row["seed_sd"]) == pytest.approx(each.std(ddof=1))
        assert float(row["low"]) <= float(row["difference"]) <= float(row["high"])
    single = paired[paired["model"] == "kmer_linear"]
    assert set(single["seed_sd"]) == {""}


def _run(folder: Path, way: str, seed: int, model: str = "cnn") -> Run:
    if way == "none" and seed == 0:
        return Run.open(folder / "B" / "runs" / f"{model}-gene-s0")
    return Run.open(folder / "I" / "runs" / f"{model}-gene-s{seed}-{way}")


def test_only_training_is_added_to_and_as_much_is_shown_as_by_oversampling(
    compared: Path,
) -> None:
    plain, added = _run(compared, "none", 0), _run(compared, "diffusion", 0)
    for part in ("val", "test"):
        ids = plain.split.example_id[plain.split.rows(part)]
        ours, theirs = (
            run.predictions().set_index("example_id").loc[ids, "target"] for run in (added, plain)
        )
        pd.testing.assert_series_equal(ours, theirs)
    repeated = _run(compared, "oversample", 0)
    settled = [TrainConfig.load(run.config_path).fit for run in (added, repeated)]
    for name in ("epochs", "batch_size", "learning_rate", "shift"):
        assert len({getattr(fit, name) for fit in settled}) == 1, name


def test_samples_are_of_training_positives_and_as_many_as_balance_the_classes(
    compared: Path,
) -> None:
    split = _run(compared, "none", 0).split
    with Dataset.open(compared / "D.h5") as data:
        rows = split.rows("train")
        classes = data.target("changed")[rows]
        learned = keys_of(data, rows[classes == 1])["sequence"]
    for name in (SHUFFLES, "diffusion"):
        stamp = read_stamp(compared / "I" / "generated" / name / "S.h5")
        assert stamp is not None
        keys = frozenset().union(*(units["sequence"] for units in stamp.ledger.learned.values()))
        assert keys == learned
        with Dataset.open(compared / "I" / "generated" / name / "S.h5") as sample:
            assert len(sample) >= (classes == 0).sum() - (classes == 1).sum()
            assert set(sample.target("changed")) == {1.0}


def test_the_table_of_generators_says_why_there_is_no_verdict(compared: Path) -> None:
    table = _table(compared, "generators.tsv").set_index("generator")
    assert set(table.index) == {SHUFFLES, "diffusion"}
    assert (table["gate"] == "not checked").all()
    assert table["why"].str.contains("too few held-out sequences").all()
    assert float(table.loc["diffusion", "steps"]) == 10
    assert float(table.loc["diffusion", "passes"]) == 4


def test_what_is_finished_is_kept(compared: Path) -> None:
    # Enough to see that nothing is fitted, drawn or trained again.
    files = {p: p.stat().st_mtime_ns for p in (compared / "I").rglob("*.safetensors")}
    files |= {p: p.stat().st_mtime_ns for p in (compared / "I").rglob("S.h5")}
    done = BenchmarkConfig.load(compared / "B" / "config.toml")
    wanted = ImbalanceComparison(
        strategies=("oversample",),
        generators=(SHUFFLES, "diffusion"),
        models=("cnn", "kmer_linear"),
        seeds=2,
        generator_steps=10,
        generator_passes=4,
        generator_options={"diffusion": {"channels": 8, "blocks": 1}},
    )
    before = (compared / "I" / "paired.tsv").read_bytes()
    compare_imbalance(wanted, done, compared / "B", compared / "I", resume=True)
    assert {p: p.stat().st_mtime_ns for p in files} == files
    assert (compared / "I" / "paired.tsv").read_bytes() == before


@pytest.mark.parametrize(
    ("share", "said"),
    [(1 / 12, "distinct sequences of class 1 in the training part"), (0.6, "not the rarer class")],
)
def test_where_no_generator_can_be_fitted_the_table_says_why(
    tmp_path: Path, share: float, said: str
) -> None:
    done = _benchmark(tmp_path, share)
    wanted = ImbalanceComparison(
        strategies=("oversample",), generators=(SHUFFLES, "gan"), models=("kmer_linear",)
    )
    compare_imbalance(wanted, done, tmp_path / "B", tmp_path / "I", resume=False)
    table = _table(tmp_path, "generators.tsv")
    assert (table["gate"] == "not fitted").all()
    assert table["why"].str.contains(said).all()
    assert set(_table(tmp_path, "paired.tsv")["strategy"]) == {"oversample"}
    assert not (tmp_path / "I" / "against_shuffles.tsv").exists()

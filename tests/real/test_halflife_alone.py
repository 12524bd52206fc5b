"""What measured half-life alone tells of expression in 11,940 human genes, against scikit-learn.

Labels are Xpresso's, half-lives are Saluki's (the first principal component over many studies).
The tables are joined here once more by pandas, and the models fitted by scikit-learn on the
training genes of the same split, so that nothing of the package stands on both sides.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    log_loss,
    matthews_corrcoef,
    r2_score,
    roc_auc_score,
)

import exprimo

pytestmark = [pytest.mark.real, pytest.mark.slow]

HALFLIVES = "Fig2_S3__all_HLs_human_PC1.txt"
SPLITS = ("random", "chromosome")
# Every straight line ranks genes alike, so validation cannot choose among epochs: small batches
# at a constant rate reach the line within the first.
FIT = {
    "epochs": 5,
    "batch_size": 32,
    "learning_rate": 0.01,
    "schedule": "constant",
    "average": 0.99,
}
OPTIONS = {"linear": {"dna": "none", "hidden": ()}, "network": {"dna": "none"}}


class Genes(NamedTuple):
    """What scikit-learn learns from and is judged on."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


@pytest.fixture(scope="module")
def joined(realdata: Path) -> pd.DataFrame:
    """Half-life and expression of each gene, as pandas joins the two files."""
    expression = pd.read_table(
        realdata / "xpresso" / "1to1_orthologs_expression.txt.gz", header=None, usecols=[0, 3]
    ).set_axis(["gene_id", "expression"], axis=1)
    halflives = pd.read_table(realdata / "halflife" / HALFLIVES)
    return expression.merge(halflives, left_on="gene_id", right_on="ensembl_gene_id").set_index(
        "gene_id"
    )


@pytest.fixture(scope="module")
def dataset(realdata: Path, joined: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset, as `exprimo dataset features` builds it from the two files."""
    folder = tmp_path_factory.mktemp("halflife_alone")
    table = pd.read_table(
        realdata / "xpresso" / "1to1_orthologs_expression.txt.gz", header=None, usecols=[0, 3]
    )
    labels = folder / "expression.tsv"
    table.set_axis(["gene_id", "expression"], axis=1).to_csv(labels, sep="\t", index=False)
    made = exprimo.dataset_features(
        realdata / "halflife" / HALFLIVES,
        columns=["human_PC1"],
        targets=labels,
        target="expression",
        genes=realdata / "xpresso" / "hg38_promoters_cage_corrected_withChr.bed",
        out=folder / "D.h5",
    )
    assert made.n_examples == len(joined) == 11_940
    return made.path


def compare(dataset: Path, name: str, above: str | None) -> Path:
    out = dataset.with_name(name)
    exprimo.benchmark(
        dataset,
        out,
        models=["linear", "network"],
        splits=SPLITS,
        variants=dict.fromkeys(OPTIONS, "halflife_cnn"),
        options=OPTIONS,
        above=above,
        fit=FIT,
        machine={"device": "cpu", "precision": "fp32", "threads": 1},
    )
    return out


@pytest.fixture(scope="module")
def amounts(dataset: Path) -> Path:
    """The comparison on expression as it is."""
    return compare(dataset, "amounts", None)


@pytest.fixture(scope="module")
def classes(dataset: Path) -> Path:
    """The comparison on high against low, cut at the training median."""
    return compare(dataset, "classes", "median")


def scores(folder: Path, model: str, split: str) -> pd.DataFrame:
    """Give one row's metrics: metric -> value, low, high."""
    table = pd.read_table(folder / "table.tsv")
    own = table[(table["model"] == model) & (table["split"] == split)]
    return own.set_index("metric")[["value", "low", "high", "n_groups"]]


def difference(folder: Path, model: str, other: str, split: str) -> pd.Series:
    """Give the paired difference of the headline metric within one split."""
    table = pd.read_table(folder / "paired.tsv").query("kind == 'model'").set_index("split_a")
    own = table[(table["model_a"] == model) & (table["model_b"] == other)]
    return own.loc[split]


def genes_of(folder: Path, split: str, joined: pd.DataFrame) -> Genes:
    parts = pd.read_parquet(folder / "splits" / f"{split}.parquet").set_index("example_id")["part"]
    assert set(parts.index) == set(joined.index)
    train, test = (joined.loc[parts.index[parts == part]] for part in ("train", "test"))
    assert len(train) > 9_500
    assert len(test) > 1_150
    return Genes(
        train[["human_PC1"]].to_numpy(), train["expression"].to_numpy(),
        test[["human_PC1"]].to_numpy(), test["expression"].to_numpy(),
    )  # fmt: skip


def test_no_chromosome_is_shared_and_baselines_that_read_dna_are_left_out(
    realdata: Path, amounts: Path
) -> None:
    places = pd.read_table(
        realdata / "xpresso" / "hg38_promoters_cage_corrected_withChr.bed", header=None
    ).set_index(3)[0]
    parts = pd.read_parquet(amounts / "splits" / "chromosome.parquet").set_index("example_id")
    held = places.reindex(parts.index)
    assert held.notna().all()
    chroms = [set(held[parts["part"] == part]) for part in ("train", "val", "test")]
    assert sum(map(len, chroms)) == len(set.union(*chroms)) > 20
    table = pd.read_table(amounts / "table.tsv")
    assert set(table["model"]) == {"mean", "linear", "network"}


@pytest.mark.parametrize("split", SPLITS)
def test_the_line_is_that_of_scikit_learn(amounts: Path, joined: pd.DataFrame, split: str) -> None:
    genes = genes_of(amounts, split, joined)
    line = LinearRegression().fit(genes.X, genes.y).predict(genes.X_test)
    r = np.corrcoef(line, genes.y_test)[0, 1]
    found = scores(amounts, "linear", split)
    assert found.loc["pearson_r", "value"] == pytest.approx(r, abs=1e-5)
    rank = spearmanr(line, genes.y_test).statistic
    assert found.loc["spearman", "value"] == pytest.approx(rank, abs=1e-5)
    # r is that of any rising line; r2 tells whether slope and intercept are right, too.
    assert found.loc["r2", "value"] == pytest.approx(r2_score(genes.y_test, line), abs=0.005)
    # Fisher's z gives the interval that the bootstrap over genes should have.
    z = np.arctanh(r) + np.array([-1.96, 1.96]) / np.sqrt(len(line) - 3)
    interval = found.loc["pearson_r", ["low", "high"]].to_numpy(float)
    np.testing.assert_allclose(interval, np.tanh(z), atol=0.015)


@pytest.mark.parametrize(
    ("split", "line", "net"), [("random", 0.257, 0.30), ("chromosome", 0.328, 0.363)]
)
def test_half_life_tells_a_tenth_of_expression(
    amounts: Path, joined: pd.DataFrame, split: str, line: float, net: float
) -> None:
    found = scores(amounts, "linear", split)
    assert found.loc["pearson_r", "value"] == pytest.approx(line, abs=0.002)
    # The correlation over all genes, which no model had a hand in.
    everywhere = joined["expression"].corr(joined["human_PC1"])
    assert everywhere == pytest.approx(0.299, abs=0.001)
    assert found.loc["pearson_r", "low"] < everywhere < found.loc["pearson_r", "high"]
    assert scores(amounts, "mean", split).loc["r2", "value"] == pytest.approx(0, abs=0.005)
    assert difference(amounts, "linear", "mean", split)["low"] > 0.15
    bent = scores(amounts, "network", split)
    assert bent.loc["pearson_r", "value"] == pytest.approx(net, abs=0.02)
    assert 0.07 < bent.loc["r2", "value"] < 0.14
    # The relation bends: a curve tells more than a line, yet ranks genes as the line does.
    assert difference(amounts, "network", "linear", split)["low"] > 0
    ranks = bent.loc["spearman", "value"] - found.loc["spearman", "value"]
    assert abs(ranks) < 0.01


@pytest.mark.parametrize(("split", "auroc"), [("random", 0.644), ("chromosome", 0.683)])
def test_high_or_low_is_that_of_scikit_learn(
    classes: Path, joined: pd.DataFrame, split: str, auroc: float
) -> None:
    genes = genes_of(classes, split, joined)
    cut = np.median(genes.y)
    high = genes.y_test > cut
    fitted = LogisticRegression(C=1e6).fit(genes.X, genes.y > cut)
    p = fitted.predict_proba(genes.X_test)[:, 1]
    found = scores(classes, "linear", split)
    value = found["value"]
    assert value["auroc"] == pytest.approx(roc_auc_score(high, p), abs=1e-5)
    assert value["auprc"] == pytest.approx(average_precision_score(high, p), abs=1e-4)
    assert value["brier"] == pytest.approx(brier_score_loss(high, p), abs=0.004)
    assert value["log_loss"] == pytest.approx(log_loss(high, p), abs=0.008)
    assert value["auroc"] == pytest.approx(auroc, abs=0.002)
    low, top = hanley_mcneil(value["auroc"], int(high.sum()), int((~high).sum()))
    assert found.loc["auroc", "low"] == pytest.approx(low, abs=0.01)
    assert found.loc["auroc", "high"] == pytest.approx(top, abs=0.01)


def hanley_mcneil(area: float, n_high: int, n_low: int) -> tuple[float, float]:
    """Give the 95% interval of an AUROC after Hanley & McNeil (1982)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (n_high - 1) * (q1 - area**2) + (n_low - 1) * (q2 - area**2)
    se = np.sqrt(variance / (n_high * n_low))
    return area - 1.96 * se, area + 1.96 * se


@pytest.mark.parametrize("split", SPLITS)
def test_high_or_low_beats_the_majority(classes: Path, split: str) -> None:
    flat = scores(classes, "majority", split)["value"]
    assert flat["auroc"] == 0.5
    assert flat["mcc"] == 0
    for model in ("linear", "network"):
        found = scores(classes, model, split)
        assert difference(classes, model, "majority", split)["low"] > 0.10
        assert found.loc["mcc", "low"] > 0.1
        assert found.loc["accuracy", "low"] > flat["accuracy"]
        assert found.loc["auprc", "low"] > flat["auprc"]
        # A curve of one number ranks as the number does.
        assert (
            abs(found["value"]["auroc"] - scores(classes, "linear", split)["value"]["auroc"])
            < 0.005
        )


@pytest.mark.parametrize("split", SPLITS)
def test_the_threshold_is_of_validation_and_its_metrics_are_of_test(
    classes: Path, joined: pd.DataFrame, split: str
) -> None:
    run = classes / "runs" / f"linear-{split}-s0"
    facts = pd.read_json(run / "metrics.json", typ="series")
    genes = genes_of(classes, split, joined)
    assert facts["above"]["value"] == pytest.approx(np.median(genes.y), abs=1e-6)
    told = pd.read_parquet(run / "predictions.parquet").set_index("example_id")
    parts = pd.read_parquet(run / "split.parquet").set_index("example_id")["part"]
    test = told.loc[parts.index[parts == "test"]]
    called = test["prediction"] >= facts["threshold"]["value"]
    value = scores(classes, "linear", split)["value"]
    high = joined.loc[test.index, "expression"] > np.median(genes.y)
    assert value["mcc"] == pytest.approx(matthews_corrcoef(high, called), abs=1e-9)
    assert value["accuracy"] == pytest.approx(accuracy_score(high, called), abs=1e-9)

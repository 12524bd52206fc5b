"""A made-up differential-promoter study, in the files that ``exprimo run`` writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.run import write_json

MOTIFS = ("PROX", "ELF1", "SP1", "NRF1", "YY1", "MYC", "E2F4", "GATA1", "TBP", "KLF4", "ZNF143",
          "CREB1", "USF1", "NFYA", "ETS1", "STAT3", "RELA", "FOXA1")  # fmt: skip


@dataclass(frozen=True)
class Experiment:
    """What a made-up test for differential expression is asked to look like."""

    n: int = 2000
    samples: int = 8
    shrunk: bool = True
    zero_p: int = 2
    batch: bool = True
    lfc: float = 1.0
    formal: bool = True
    gene: str = "ENSG{:011d}"
    coefficient: bool = False


def make_dge(folder: Path, world: Experiment) -> Path:
    """Write a whole differential-expression folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    genes = made_genes(world, rng)
    called = (genes["padj"] < 0.05) & (genes["log2FoldChange"].abs() > world.lfc)
    tested = genes["padj"].notna()
    direction = np.select(
        [~tested, called & (genes["log2FoldChange"] > 0), called], ["", "up", "down"], "none"
    )
    genes.to_csv(folder / "results.tsv", sep="\t", index=False)
    pd.DataFrame(
        {
            "gene_id": genes["gene_id"],
            "label": np.where(tested, called.astype(int).astype(str), ""),
            "direction": direction,
            "baseMean": genes["baseMean"],
            "log2FoldChange": genes["log2FoldChange"],
        }
    ).to_csv(folder / "labels.tsv", sep="\t", index=False)
    made_dispersions(genes, rng).to_csv(folder / "dispersions.tsv", sep="\t", index=False)
    samples = made_samples(world, rng)
    samples.to_csv(folder / "samples.tsv", sep="\t", index=False)
    write_sample_space(folder, samples, rng)
    write_json(folder / "summary.json", dge_summary(world, genes, direction))
    return folder


def made_genes(world: Experiment, rng: np.random.Generator) -> pd.DataFrame:
    """Make results with all-zero genes, untested genes, and p-values of 0."""
    mean = 10 ** rng.normal(1.6, 1.1, world.n)
    mean[: world.n // 10] = 0.0
    change = rng.normal(0, 0.5, world.n) + rng.choice([0, 0, 0, 0, -2, 2], world.n)
    se = 0.15 + 1.2 / np.sqrt(mean + 1)
    stat = change / se
    p = np.minimum(2 * np.exp(-(stat**2) / 2), 1.0)
    padj = np.minimum(p * 1.4, 1.0)
    untested = (mean < 3) | (rng.random(world.n) < 0.02)
    padj[untested] = np.nan
    strong = np.flatnonzero((mean > 100) & (np.abs(change) > 1.5))[: world.zero_p]
    padj[strong] = 0.0
    for column in (change, se, stat, p):
        column[mean == 0] = np.nan
    table = pd.DataFrame(
        {
            "gene_id": [world.gene.format(i) for i in range(world.n)],
            "baseMean": mean, "log2FoldChange": change, "lfcSE": se, "stat": stat,
            "pvalue": p, "padj": padj,
        }
    )  # fmt: skip
    if world.shrunk:
        table["log2FoldChangeShrunken"] = change / (1 + se**2)
        table["lfcSEShrunken"] = 0.8 * se
    return table


def made_dispersions(genes: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Make dispersions around a trend, a few far above it."""
    mean = genes["baseMean"].to_numpy()
    with np.errstate(divide="ignore"):
        fit = np.where(mean > 0, 0.1 + 4 / mean, np.nan)
    gene = fit * np.exp(rng.normal(0, 0.9, mean.size))
    gene[rng.random(mean.size) < 0.03] = 1e-8
    gene[mean == 0] = np.nan
    outlier = (rng.random(mean.size) < 0.01) & (mean > 10)
    gene = np.where(outlier, fit * 30, gene)
    final = np.where(outlier, gene, np.sqrt(np.maximum(gene, fit / 20) * fit))
    return pd.DataFrame(
        {
            "gene_id": genes["gene_id"], "baseMean": mean, "dispGeneEst": gene, "dispFit": fit,
            "dispMAP": final, "dispersion": final, "dispOutlier": outlier,
            "maxCooks": rng.random(mean.size),
        }
    )  # fmt: skip


def made_samples(world: Experiment, rng: np.random.Generator) -> pd.DataFrame:
    """Make a sheet of two conditions, in two batches if wanted."""
    n = world.samples
    table = pd.DataFrame(
        {
            "sample": [f"sample_{i:03d}" for i in range(n)],
            "size_factor": rng.uniform(0.6, 1.5, n),
            "status": ["C" if i < n // 2 else "IS" for i in range(n)],
        }
    )
    if world.batch:
        table["batch"] = ["one" if i % 2 else "two" for i in range(n)]
    return table


def write_sample_space(folder: Path, samples: pd.DataFrame, rng: np.random.Generator) -> None:
    """Place the samples by condition, and write components and distances."""
    side = np.where(samples["status"] == "IS", 1.0, -1.0)
    at = np.column_stack([30 * side, np.zeros(len(side))]) + rng.normal(0, 9, (len(side), 2))
    pd.DataFrame({"sample": samples["sample"], "pc1": at[:, 0], "pc2": at[:, 1]}).to_csv(
        folder / "pca.tsv", sep="\t", index=False
    )
    distances = np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2))
    table = pd.DataFrame(distances, columns=samples["sample"])
    table.insert(0, "sample", samples["sample"])
    table.to_csv(folder / "sample_distances.tsv", sep="\t", index=False)


def dge_summary(world: Experiment, genes: pd.DataFrame, direction: np.ndarray) -> dict[str, Any]:
    """Make ``summary.json``."""
    up, down = int((direction == "up").sum()), int((direction == "down").sum())
    factor = {"factor": "status", "numerator": "IS", "denominator": "C"}
    if world.coefficient:
        factor = dict.fromkeys(factor)  # type: ignore[arg-type]  # a coefficient has no factor
    zero = int((genes["baseMean"] == 0).sum())
    tested = int((direction != "").sum())
    return {
        "format_version": 1,
        "design": "~ batch + status" if world.batch else "~ status",
        "contrast": {"text": "status IS vs C", **factor},
        "test": "Wald", "alpha": 0.1,
        "calls": {"lfc": world.lfc, "padj": 0.05, "n_called": up + down, "n_up": up,
                  "n_down": down},
        "n_genes": world.n, "n_tested": tested, "n_all_zero": zero, "n_outliers": 11,
        "n_filtered": world.n - tested - zero - 11, "filter_threshold": 3.0,
        "dispersion": {"fit": "parametric", "asymptotic": 0.1, "extra_poisson": 4.0,
                       "prior_variance": 0.8},
        "formal_test": {"alternative": "greaterAbs", "lfc_null": world.lfc,
                        "n_called": (up + down) // 4} if world.formal else None,
        "coefficients": ["Intercept", "status_IS_vs_C"],
        "warnings": ["2 genes did not converge"],
        "pca": {"explained": [0.61, 0.18, 0.05], "n_genes": 500},
    }  # fmt: skip


@dataclass(frozen=True)
class StudyWorld:
    """What a made-up study is asked to look like."""

    parts: tuple[str, ...] = ("dge", "benchmark", "examination", "imbalance", "enrichment",
                              "targets")  # fmt: skip
    verdict: bool = True
    truth: bool = False
    beaten: bool = True
    helped: bool = False
    question: str = "Can promoters tell which genes change between IS and C?"
    experiment: Experiment = Experiment()
    motifs: tuple[str, ...] = MOTIFS
    leak: bool = False


def make_study(folder: Path, world: StudyWorld, made_up: ModuleType) -> Path:
    """Write a whole study folder, with the parts that are asked for."""
    folder.mkdir(parents=True)
    places: dict[str, Any] = {}
    if "dge" in world.parts:
        places["dge"] = make_dge(folder / "dge", world.experiment).name
    if "benchmark" in world.parts:
        places["benchmark"] = made_up.make_benchmark(
            folder / "benchmark", comparison(made_up, "classification", "changed", world)
        ).name
    if "examination" in world.parts:
        places["examination"] = write_examination(folder / "labels").name
    if "imbalance" in world.parts:
        places["imbalance"] = write_imbalance(folder / "imbalance", helped=world.helped).name
    if "enrichment" in world.parts:
        places["enrichment"] = write_enrichment(folder / "enrichment", world.motifs).name
    if "targets" in world.parts:
        for name, task in (("direction", "classification"), ("lfc", "regression")):
            made_up.make_benchmark(
                folder / "targets" / name, comparison(made_up, task, name, world)
            )
        places["targets"] = ["targets/direction", "targets/lfc"]
    write_json(folder / "study.json", study_facts(world, places))
    return folder


def comparison(made_up: ModuleType, task: str, target: str, world: StudyWorld) -> Any:
    """Describe the made-up benchmark of one target."""
    return made_up.World(
        task=task, seeds=(0,), splits=("random", "homology"), target=target, beaten=world.beaten,
        learning=False, ceiling=False, leak=world.leak, gene=world.experiment.gene,
        question=world.question,
    )  # fmt: skip


def study_facts(world: StudyWorld, places: dict[str, Any]) -> dict[str, Any]:
    """Make ``study.json``."""
    facts: dict[str, Any] = {
        "format_version": 1, "kind": "differential-promoter", "question": world.question,
        "config": {"dge": {"design": "~ batch + status", "padj": 0.05},
                     "promoters": {"upstream": 1500, "downstream": 500}},
        "parts": places,
    }  # fmt: skip
    if world.verdict:
        half = 0.03 if world.beaten else 0.2
        facts["verdict"] = {
            "text": "cnn beats the k-mer, GC and expression baselines on unseen homology groups."
            if world.beaten
            else "No model is shown to beat the k-mer, GC and expression baselines.",
            "beats": world.beaten, "model": "cnn",
            "rows": [
                {"model": "cnn", "baseline": name, "difference": d, "low": d - half,
                 "high": d + half}
                for name, d in (("kmer_linear", 0.07), ("gc_content", 0.19), ("expression", 0.11))
            ],
        }  # fmt: skip
    if world.truth:
        facts["truth"] = {
            "dge": {"recall": 0.81, "fdr": 0.04, "n_true": 412},
            "ceiling": {"value": 0.97, "what": "AUROC of the true probabilities"},
            "changed_factor": "PROX", "factor_rank": 1,
        }  # fmt: skip
    return facts


def write_examination(folder: Path) -> Path:
    """Write what the labels follow."""
    folder.mkdir()
    write_json(
        folder / "prevalence.json",
        {"n_genes": 2000, "n_tested": 1500, "n_positive": 255, "n_up": 140, "n_down": 115,
         "n_joined": 1380, "prevalence": {"value": 0.17, "low": 0.151, "high": 0.189},
         "prevalence_if_untested_negative": 0.1275},
    )  # fmt: skip
    rows = [
        (name, among, value, value - half, value + half, 255, others)
        for name, tested, untested in (
            ("mean expression", 0.503, 0.81), ("gene length", 0.56, 0.66),
            ("GC content of the promoter", 0.521, 0.574), ("CpG observed / expected", 0.53, 0.6),
        )
        for among, value, others, half in (
            ("tested", tested, 1245, 0.035), ("untested called negative", untested, 1745, 0.03),
        )
    ]  # fmt: skip
    pd.DataFrame(
        rows, columns=["covariate", "among", "auroc", "low", "high", "n_positive", "n_negative"]
    ).to_csv(folder / "covariates.tsv", sep="\t", index=False)
    return folder


def write_imbalance(folder: Path, *, helped: bool) -> Path:
    """Write the scores of the treatments; with `helped` class weights beat none."""
    folder.mkdir()
    gain = {"none": 0.0, "class_weights": 0.08 if helped else 0.004, "focal": -0.006,
            "oversample": 0.011, "downsample": -0.07}  # fmt: skip
    base = {"auprc": 0.34, "mcc": 0.22, "auroc": 0.71}
    models = {"cnn": 0.0, "kmer_linear": -0.06}
    table = [
        (s, m, "homology", k, v := base[k] + gain[s] + models[m], v - 0.05, v + 0.05,
         "homology group", 180)
        for s in gain for m in models for k in base
    ]  # fmt: skip
    pd.DataFrame(
        table,
        columns=["strategy", "model", "split", "metric", "value", "low", "high", "unit",
                 "n_groups"],
    ).to_csv(folder / "table.tsv", sep="\t", index=False)  # fmt: skip
    paired = [
        (s, m, k, gain[s], gain[s] - 0.02, gain[s] + 0.02)
        for s in gain if s != "none" for m in models for k in base
    ]  # fmt: skip
    pd.DataFrame(
        paired, columns=["strategy", "model", "metric", "difference", "low", "high"]
    ).to_csv(folder / "paired.tsv", sep="\t", index=False)
    return folder


def write_enrichment(folder: Path, motifs: tuple[str, ...]) -> Path:
    """Write motifs whose first is enriched, and one without any control that has it."""
    folder.mkdir()
    rows = []
    for test in ("presence", "counts"):
        for k, group in enumerate(("changed", "up", "down")):
            for i, motif in enumerate(motifs):
                odds = 1 + 2.4 * np.exp(-i - 0.3 * k) - 0.02 * i
                p = min(10.0 ** (-8 + 3 * i + k), 1.0)
                shown = (odds, odds / 1.25, odds * 1.25)
                if i == 3:
                    shown = (np.inf, 1.1, np.inf)
                rows.append(
                    (group, test, motif, 255, 255, 0.3 + 0.2 / (i + 1), 0.28, *shown, p,
                     min(3 * p, 1.0), i + 1)
                )  # fmt: skip
    columns = ["set", "test", "motif", "n_changed", "n_matched", "share_changed", "share_matched",
               "odds_ratio", "low", "high", "pvalue", "padj", "rank"]  # fmt: skip
    pd.DataFrame(rows, columns=columns).to_csv(folder / "table.tsv", sep="\t", index=False)
    pd.DataFrame(
        [("GC content", 0.31, 0.02), ("CpG observed / expected", 0.27, 0.04),
         ("mean expression", 0.55, 0.13)],
        columns=["covariate", "before", "after"],
    ).to_csv(folder / "balance.tsv", sep="\t", index=False)  # fmt: skip
    return folder

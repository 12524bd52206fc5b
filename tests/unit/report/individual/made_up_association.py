"""A made-up second half of a study of individuals: people, LD, effects, and what was found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MODEL = "cnn"
KINDS = {
    "stack_linear": "stack",
    "stack_xgboost": "stack",
    "cis_elastic_net": "cis",
    "cis_p+t": "cis",
    "cis_baseline": "cis",
    f"{MODEL} (calibrated)": "model",
    "ridge": "member",
    "forest": "member",
    MODEL: "model",
}
LEVEL = {
    "stack_linear": 0.31, "stack_xgboost": 0.26, "cis_elastic_net": 0.24, "cis_p+t": 0.18,
    "cis_baseline": 0.09, f"{MODEL} (calibrated)": 0.21, "ridge": 0.2, "forest": 0.15, MODEL: 0.2,
}  # fmt: skip


@dataclass(frozen=True)
class People:
    """What the made-up study is like."""

    genes: int = 120
    people: int = 150
    loci: int = 2
    variants: int = 400
    span: int = 400_000
    reach: tuple[int, int] = (500, 100)
    truth: bool = True
    stack_is_better: bool = True
    egenes: bool = True
    seed: int = 0


def span(value: float | None, half: float = 0.02) -> dict[str, Any]:
    if value is None:
        return {"value": None, "low": None, "high": None, "n": 0}
    return {"value": value, "low": value - half, "high": value + half, "n": 120}


def add_association(folder: Path, world: People) -> Path:
    """Write this half into the folder of a study that has its first half."""
    rng = np.random.default_rng(world.seed)
    egenes = _egenes(rng, world)
    loci = pd.concat([_locus(rng, world, row) for row in egenes.head(world.loci).itertuples()])
    tables = {
        "egenes": egenes,
        "predictors": _predictors(rng, world, egenes),
        "predicted": _predicted(rng, world),
        "loci": loci,
        "gene_models": _gene_models(rng, world, egenes),
        "candidates": _candidates(loci),
    }
    for name, table in tables.items():
        kept = table if world.truth else table.drop(
            columns=["true_h2", "n_acting", "lead_acts", "lead_r2_acting", "acts", "effect"],
            errors="ignore",
        )  # fmt: skip
        kept.to_csv(folder / f"{name}.tsv", sep="\t", index=False, float_format="%.6g")
    path = folder / "study.json"
    facts = json.loads(path.read_text())
    facts["answer"], facts["association"] = facts["answer"], _facts(world, egenes, facts["answer"])
    path.write_text(json.dumps(facts))
    return folder


def _egenes(rng: np.random.Generator, world: People) -> pd.DataFrame:
    n = world.genes
    h2 = np.sort(np.where(rng.random(n) < 0.7, rng.beta(1.2, 3, n), 0.0))[::-1]
    p = np.where(rng.random(n) < 2 * h2, 10 ** -(2 + 30 * h2 * rng.random(n)), rng.random(n))
    p[: world.loci] = 1e-25
    called = (p < 0.02) & world.egenes
    return pd.DataFrame(
        {
            "gene_id": [f"G{i:03d}" for i in range(n)], "chrom": "7",
            "tss": 1_000_000 + 50_000 * np.arange(n), "n_variants": world.variants,
            "variant_id": [f"lead{i}" for i in range(n)], "af": 0.3,
            "tss_distance": rng.integers(-5000, 5000, n), "slope": rng.normal(size=n),
            "slope_se": 0.1, "pval_nominal": p / 100,
            "pval_beta": p, "qval": np.minimum(2 * p, 1), "egene": np.where(called, "yes", "no"),
            "n_sets": np.where(called, 1, np.nan), "h2": np.clip(h2 + rng.normal(0, 0.08, n), 0, 1),
            "h2_low": np.maximum(h2 - 0.1, 0), "h2_high": np.minimum(h2 + 0.1, 1), "true_h2": h2,
            "n_acting": (h2 > 0).astype(int), "lead_acts": np.where(h2 > 0.2, "yes", "no"),
            "lead_r2_acting": np.where(h2 > 0, rng.beta(4, 1, n), np.nan),
        }
    )  # fmt: skip


def _locus(rng: np.random.Generator, world: People, gene: Any) -> pd.DataFrame:
    """Make variants in blocks of LD, two acting ones, and what is found of them."""
    n, tss = world.variants, int(gene.tss)
    pos = np.sort(rng.choice(world.span, n, replace=False)) - world.span // 2 + tss
    near = np.arange(n // 2 - 8, n // 2 + 8)
    pos[near] = np.sort(rng.choice(np.arange(tss - 480, tss + 90), near.size, replace=False))
    acts = np.zeros(n, dtype=bool)
    acts[[near[4], near[11]]] = True
    block = np.arange(n) // 25
    hidden = rng.normal(size=(block.max() + 1, 200))
    dosage = hidden[block] + 0.6 * rng.normal(size=(n, 200))
    r = np.corrcoef(dosage)
    lead = int(near[4])
    r2 = r[lead] ** 2
    r2[lead] = 1
    height = 25 * r2 + 6 * r[near[11]] ** 2 + rng.exponential(0.45, n)
    height[lead] = height.max() + 1
    pip = np.where(r2 > 0.4, rng.dirichlet(np.ones(n)) * 3, 0.0)
    pip[lead], pip[near[11]] = 0.82, 0.4
    sets = np.full(n, "", dtype=object)
    sets[(r2 > 0.75) & (pip > 0)] = "1"
    sets[lead], sets[near[11]] = "1", "2"
    score = np.full(n, np.nan)
    up, down = world.reach
    inside = (pos >= tss - up) & (pos < tss + down)
    score[inside] = rng.normal(0, 0.05, int(inside.sum()))
    score[lead], score[near[11]] = 0.5, -0.3
    effect = np.where(acts, rng.normal(0, 0.6, n), 0.0)
    return pd.DataFrame(
        {
            "gene_id": gene.gene_id, "variant_id": [f"7:{p}:A:C" for p in pos], "chrom": "7",
            "pos": pos, "ref": "A", "alt": "C", "tss_distance": pos - tss, "af": rng.random(n),
            "pval_nominal": 10.0**-height, "slope": rng.normal(0, 0.2, n), "pip": pip,
            "credible_set": sets, "r2_lead": r2, f"score:{MODEL}": score,
            "score:untrained <b>": np.where(inside, rng.normal(0, 0.01, n), np.nan),
            "acts": np.where(acts, "yes", "no"), "effect": effect,
        }
    )  # fmt: skip


def _predictors(rng: np.random.Generator, world: People, egenes: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for name, kind in KINDS.items():
        r2 = LEVEL[name] / 0.3 * egenes["true_h2"] + rng.normal(0, 0.05, len(egenes))
        parts.append(
            pd.DataFrame(
                {
                    "gene_id": egenes["gene_id"], "predictor": name, "kind": kind,
                    "n_people": world.people, "r2": np.nan if name == MODEL else r2,
                    "pearson_r": np.sqrt(np.maximum(r2, 0)), "true_h2": egenes["true_h2"],
                }
            )
        )  # fmt: skip
    return pd.concat(parts)


def _predicted(rng: np.random.Generator, world: People) -> pd.DataFrame:
    parts = []
    for gene in range(world.loci):
        observed = rng.normal(size=world.people)
        for name in KINDS:
            told = LEVEL[name] * observed + 0.35 * rng.normal(size=world.people)
            parts.append(
                pd.DataFrame(
                    {
                        "gene_id": f"G{gene:03d}", "predictor": name, "observed": observed,
                        "individual": [f"P{i}" for i in range(world.people)], "predicted": told,
                        "fold": np.arange(world.people) % 5,
                    }
                )
            )  # fmt: skip
    return pd.concat(parts)


def _gene_models(rng: np.random.Generator, world: People, egenes: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for locus in egenes.head(world.loci).itertuples():
        for k, tss in enumerate([int(locus.tss), *rng.integers(-180_000, 180_000, 9) + locus.tss]):
            strand, length = "+-"[k % 2], int(rng.integers(4_000, 40_000))
            start = int(tss) if strand == "+" else int(tss) - length
            cuts = np.sort(rng.choice(np.arange(50, length - 50), 8, replace=False)) + start
            ends = [start, *cuts.tolist(), start + length]
            exons = ",".join(f"{ends[i]}-{ends[i + 1]}" for i in range(0, 10, 2))
            rows.append(
                {
                    "locus": locus.gene_id, "gene_id": locus.gene_id if k == 0 else f"N{k}",
                    "gene_name": f"GENE{locus.Index}" if k == 0 else f"NEAR{k}", "chrom": "7",
                    "strand": strand, "start": start, "end": start + length, "exons": exons,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _candidates(loci: pd.DataFrame) -> pd.DataFrame:
    rows = loci.dropna(subset=[f"score:{MODEL}"]).sort_values("pip", ascending=False).head(12)
    n = len(rows)
    score = rows[f"score:{MODEL}"].to_numpy()
    return pd.DataFrame(
        {
            "rank": np.arange(1, n + 1), "gene_id": rows["gene_id"], "chrom": "7",
            "variant_id": [f"rs{i}" for i in range(n)], "pos": rows["pos"], "ref": "A",
            "alt": "C", "model": MODEL, "raw_score": score, "score_rank": np.arange(n) // 2 + 1,
            "pip": rows["pip"], "credible_set": rows["credible_set"], "slope": rows["slope"],
            "pval_nominal": rows["pval_nominal"],
            "agrees": np.where(score * rows["slope"] > 0, "yes", "no"),
            "motif": np.where(np.arange(n) % 3 == 0, "PROX", ""),
            "motif_ref": np.where(np.arange(n) % 3 == 0, "9.1", ""),
            "motif_alt": np.where(np.arange(n) % 3 == 0, "2.25", ""), "effect": rows["effect"],
        }
    )  # fmt: skip


def _facts(world: People, egenes: pd.DataFrame, answer: str) -> dict[str, Any]:
    gap = 0.07 if world.stack_is_better else -0.01
    n_egenes = int((egenes["egene"] == "yes").sum())
    overlap = {
        "overlap": 14, "expected": 6.21, "p_hypergeometric": 1e-5, "p_shift": 0.004, "n": 900,
        "n_genes": 80, "sign": {"n": 60, "n_same": 48, "share": 0.8, "low": 0.68, "high": 0.88},
        "credible_sets": {"n_sets": 30, "n_sets_met": 12, "p_shift": 0.01},
        "window": list(world.reach),
    }  # fmt: skip
    noise = overlap | {"overlap": 6, "p_shift": 0.6, "p_hypergeometric": 0.5, "sign": None}
    facts: dict[str, Any] = {
        "eqtl": {
            "n_people": world.people, "n_genes": world.genes, "n_tested": world.genes,
            "n_egenes": n_egenes, "fdr": 0.05, "window": [200_000, 200_000], "permutations": 1000,
        },
        "finemap": {
            "n_sets": n_egenes + 3, "n_mapped": n_egenes, "median_size": 4, "n_not_converged": 1,
        },
        "heritability": {"mean": span(0.22), "n": world.genes},
        "predictors": {
            name: {
                "kind": kind, "r2": span(None if name == MODEL else LEVEL[name]),
                "r2_people": span(None if name == MODEL else LEVEL[name], 0.05),
                "pearson_r": span(LEVEL[name] ** 0.5), "n_genes": world.genes,
                "pearson_r_people": span(LEVEL[name] ** 0.5, 0.04), "n_nothing": 3,
            }
            for name, kind in KINDS.items()
        },
        "best": {
            "name": "stack_linear",
            "beats": {
                name: {"difference": span(LEVEL["stack_linear"] - LEVEL[name])}
                for name in KINDS
                if name not in ("stack_linear", MODEL, "cis_elastic_net")
            },
        },
        "pairs": [
            {"a": "stack_linear", "b": "cis_elastic_net", "difference": span(gap)},
            {"a": f"{MODEL} (calibrated)", "b": "cis_elastic_net", "difference": span(-0.03)},
        ],
        "overlap": {
            answer: overlap, "untrained <b>": noise,
            "statement": "Of 9,000 associations, 300 pass Bonferroni (5.6e-06).",
        },
        "shown": egenes["gene_id"].head(world.loci).tolist(),
        "followed": {f"G{gene:03d}": f"GENE{gene}" for gene in range(world.loci)},
        "candidates": {"n": 12, "n_motif": 4, "n_agree": 7},
        "truth": None,
    }  # fmt: skip
    if world.truth:
        facts["truth"] = _truth()
    return facts


def _truth() -> dict[str, Any]:
    edges = [0.0, 0.05, 0.1, 0.2, 0.3, 1.0]
    power = [0.1, 0.3, 0.6, 0.85, 0.98]
    pips = [0.0, 0.1, 0.5, 0.9, 1.0]
    return {
        "power": span(0.62), "false_discovery": span(0.03),
        "power_by_h2": [
            {"low": a, "high": b, "value": v, "ci_low": v - 0.08, "ci_high": min(v + 0.08, 1),
             "n": 20}
            for a, b, v in zip(edges[:-1], edges[1:], power, strict=True)
        ],
        "pip": {
            "calibration": [
                {"low": a, "high": b, "mean_pip": (a + b) / 2, "share_causal": (a + b) / 2.1,
                 "ci_low": (a + b) / 2.3, "ci_high": min((a + b) / 1.9, 1.0), "n": n}
                for a, b, n in zip(pips[:-1], pips[1:], (20_000, 150, 60, 40), strict=True)
            ],
            "mean_of_causal": span(0.55), "sets_with_causal": span(0.94),
        },
        "h2": {"mean": 0.29},
        "r2_of_h2": {name: span(LEVEL[name] / 0.29) for name in KINDS if name != MODEL},
        "candidates": {"acting_in_top": {"5": 0.8, "10": 0.6}},
    }  # fmt: skip


def make_study(folder: Path, world: People | None = None) -> Path:
    """Write a whole study with little but this half in it; without it where there is no world."""
    folder.mkdir(parents=True)
    top = "model variant_id chrom pos ref alt gene_id ref_pred alt_pred raw_score"
    row = f"{MODEL} 7:5:A:C 7 5 A C G000 1.0 1.5 0.5"
    (folder / "top.tsv").write_text("\n".join(line.replace(" ", "\t") for line in (top, row)))
    facts = {
        "format_version": 1, "kind": "individual", "question": "Does it?", "answer": MODEL,
        "models": {name: {"variants": {"n": 1}} for name in (MODEL, "untrained <b>")},
        "verdict": {"text": "It does.", "follows": None}, "config": {},
    }  # fmt: skip
    (folder / "study.json").write_text(json.dumps(facts))
    return folder if world is None else add_association(folder, world)

"""The page of a study of individuals: from its files, in order, and with parts absent."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import FormatError, VersionError
from exprimo.report.document.html import render
from exprimo.report.individual.distrust import study_doubts
from exprimo.report.individual.reading import is_individual_study, read_individual_study
from exprimo.report.page import make_page

_SPAN = {"value": 0.25, "low": 0.2, "high": 0.3, "n": 60, "n_groups": 60, "unit": "gene"}


def made_up(folder: Path, *, expression: bool = True, truth: bool = True) -> Path:
    """Write a study's folder of two models, 60 genes, 30 people and 300 variants."""
    rng = np.random.default_rng(0)
    parts: dict[str, list[pd.DataFrame]] = {"genes": [], "people": [], "top": [], "effects": []}
    models: dict[str, Any] = {}
    for name, size in (("cnn", 0.4), ("untrained <b>", 0.0)):
        for table, rows in _tables(rng, size).items():
            parts[table].append(rows.assign(model=name))
        models[name] = _facts(expression, truth)
    folder.mkdir(parents=True)
    kept = {"top"} | ({"genes", "people"} if expression else set())
    for table in kept | ({"effects"} if truth else set()):
        pd.concat(parts[table]).to_csv(folder / f"{table}.tsv", sep="\t", index=False)
    facts = {
        "format_version": 1, "kind": "individual", "question": "Does it?", "answer": "cnn",
        "models": models, "genes": "held-out", "command": ["exprimo", "run"],
        "verdict": {"text": "It does.", "follows": True if expression else None},
        "config": {"truth": "truth" if truth else None},
    }  # fmt: skip
    (folder / "study.json").write_text(json.dumps(facts))
    return folder


def _tables(rng: np.random.Generator, size: float) -> dict[str, pd.DataFrame]:
    """Make the tables of one model; ``size`` says how right it is."""
    r = np.clip(rng.normal(size, 0.25, 60), -1, 1)
    r[:6] = 0
    genes = pd.DataFrame(
        {
            "gene_id": [f"g{i}" for i in range(60)], "n_people": 30, "pearson_r": r,
            "sd_observed": 1.0,
            "sd_predicted": np.where(np.arange(60) < 6, 0.0, rng.gamma(2, 0.1, 60)),
        }
    )  # fmt: skip
    mean = rng.uniform(0.7, 0.8, 30)
    people = pd.DataFrame(
        {
            "individual": [f"p{i}" for i in range(30)], "n_genes": 60, "pearson_r": mean + 0.01,
            "mean_r": mean,
        }
    )  # fmt: skip
    effect = np.where(rng.random(300) < 0.2, rng.normal(size=300), 0.0)
    scores = pd.DataFrame(
        {
            "variant_id": [f"rs{i}" for i in range(300)], "chrom": "1", "pos": np.arange(300) + 1,
            "ref": "A", "alt": "C", "gene_id": [f"g{i % 60}" for i in range(300)], "ref_pred": 1.0,
            "raw_score": size * effect + 0.05 * rng.normal(size=300),
        }
    )  # fmt: skip
    scores["alt_pred"] = 1.0 + scores["raw_score"]
    effects = scores.assign(effect=effect, in_site=effect != 0, what="none")
    return {"genes": genes, "people": people, "top": scores.head(20), "effects": effects}


def _facts(expression: bool, truth: bool) -> dict[str, Any]:
    """Make what ``study.json`` says of one model."""
    across = {
        "mean_r": _SPAN, "median_r": 0.2, "share_positive": 0.8, "n_constant": 6,
        "null_low": -0.03, "null_high": 0.03, "p": 0.0005,
    }  # fmt: skip
    facts: dict[str, Any] = {"variants": {"n": 300}}
    if expression:
        facts["people"] = {
            "n_genes": 60, "n_people": 30, "across_people": across, "across_genes": _SPAN,
        }  # fmt: skip
        if truth:
            facts["people"]["ceiling"] = {"across_people": _SPAN | {"value": 0.6}}
    if truth:
        judged = ("auroc_in_site", "auroc_acting", "sign", "pearson_r")
        facts["effects"] = dict.fromkeys(judged, _SPAN)
    return facts


def words(folder: Path) -> str:
    """Give the page without its figures, which take seconds to draw."""
    return html.unescape(render(make_page(folder), {}))


def keys(folder: Path) -> set[str]:
    return {chart.key for chart in make_page(folder).charts}


def test_a_study_is_told_from_others(tmp_path: Path) -> None:
    assert is_individual_study(made_up(tmp_path / "s"))
    assert not is_individual_study(tmp_path)


def test_sections_stand_in_order(tmp_path: Path) -> None:
    page = words(made_up(tmp_path / "s"))
    found = re.findall(r'<section id="(\w+)"', page)
    assert found == ["answer", "distrust", "data", "models", "people", "variants", "provenance"]
    assert "predictions follow people" in page
    assert "<b>" not in re.sub(r"<b>[^<]*</b><span", "", page).split("<main>")[0]


def test_all_figures_are_drawn_where_all_files_are(tmp_path: Path) -> None:
    assert keys(made_up(tmp_path / "s")) == {"models", "genes", "people", "effects"}


def test_without_expression_nothing_is_claimed(tmp_path: Path) -> None:
    folder = made_up(tmp_path / "s", expression=False, truth=False)
    assert keys(folder) == set()
    page = words(folder)
    assert '<section id="people"' not in page
    assert "Nothing was measured" in page
    assert "pairs of variant and gene scored" in page


def test_doubts_name_wrong_directions_and_unpredictable_genes(tmp_path: Path) -> None:
    found = study_doubts(read_individual_study(made_up(tmp_path / "s")))
    titles = " | ".join(doubt.title for doubt in found)
    assert "In 20% of genes the direction is wrong" in titles
    assert "6 genes of 60 cannot be predicted" in titles
    assert found[-1].weight == "checked"


@pytest.mark.parametrize(("high", "weight"), [(0.09, "serious"), (0.6, "caution")])
def test_a_model_that_cannot_tell_genes_apart_is_doubted(
    tmp_path: Path, high: float, weight: str
) -> None:
    folder = made_up(tmp_path / "s")
    title = "Is it a model of this genome?"
    facts = json.loads((folder / "study.json").read_text())
    assert title not in {d.title for d in study_doubts(read_individual_study(folder))}
    facts["models"]["cnn"]["people"]["across_genes"] = {"value": 0.0, "low": -0.08, "high": high}
    (folder / "study.json").write_text(json.dumps(facts))
    found = {d.title: d.weight for d in study_doubts(read_individual_study(folder))}
    assert found[title] == weight


def test_genes_that_were_learned_from_and_left_out_are_said(tmp_path: Path) -> None:
    folder = made_up(tmp_path / "s")
    facts = json.loads((folder / "study.json").read_text())
    facts["models"]["cnn"]["n_learned"] = 3
    facts |= {"n_genes": 60, "left_out": {"on a chromosome without genotypes": 7}}
    (folder / "study.json").write_text(json.dumps(facts))
    found = {doubt.title: doubt for doubt in study_doubts(read_individual_study(folder))}
    assert found["Genes that a model learned from are judged too"].weight == "serious"
    assert "cnn from 3 of 60" in found["Genes that a model learned from are judged too"].text
    assert "7 genes are left out" in found


def test_the_true_effect_stands_beside_the_score(tmp_path: Path) -> None:
    page = words(made_up(tmp_path / "a"))
    assert "True effect" in page
    assert "1:20 A>C" in page
    assert "True effect" not in words(made_up(tmp_path / "b", truth=False))


def test_newer_and_broken_folders_are_refused(tmp_path: Path) -> None:
    folder = made_up(tmp_path / "s")
    facts = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps(facts | {"format_version": 2}))
    with pytest.raises(VersionError):
        read_individual_study(folder)
    (folder / "study.json").write_text(json.dumps(facts))
    (folder / "top.tsv").write_text("model\tgene_id\n")
    with pytest.raises(FormatError, match="columns are missing"):
        read_individual_study(folder)

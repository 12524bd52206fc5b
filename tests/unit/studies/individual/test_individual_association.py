"""The association's own arithmetic: calibration, ranks, linkage, and what the truth says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from exprimo.core.errors import InputError
from exprimo.evaluate.grouped import score_genes
from exprimo.studies.individual.association import Association
from exprimo.studies.individual.association.candidates import ranked
from exprimo.studies.individual.association.egenes import r2_with
from exprimo.studies.individual.association.given import draw, open_given
from exprimo.studies.individual.association.loci import strongest_genes
from exprimo.studies.individual.association.predictors import (
    CALIBRATED,
    Predictors,
    calibrate,
    compare,
    judge_all,
    left_of_folds,
    pairs,
)
from exprimo.studies.individual.association.truth import (
    judge_candidates,
    judge_egenes,
    judge_probabilities,
    reached,
    read_truth,
)
from exprimo.studies.individual.config import Genes, IndividualStudy, Models, People

FOLDS = np.arange(60) % 5


def _study(**association: object) -> IndividualStudy:
    return IndividualStudy(
        people=People(genotypes="v.vcf.gz", expression="e.bed.gz"),
        genes=Genes(fasta="g.fa", genes="g.gtf"),
        models=Models(answer="xpresso:w.h5"),
        association=Association.checked(association),
    )


def test_a_line_is_learned_from_training_people_alone() -> None:
    """What a held-out person has measured changes nobody's calibration in the own fold."""
    rng = np.random.default_rng(0)
    told = rng.normal(size=(3, 60))
    values = 2.0 - 3.0 * told + rng.normal(size=(3, 60))
    first = calibrate(told, values, None, FOLDS)
    other = values.copy()
    other[:, FOLDS == 2] += rng.normal(0, 50, (3, 12))
    np.testing.assert_array_equal(
        calibrate(told, other, None, FOLDS)[:, FOLDS == 2], first[:, FOLDS == 2]
    )
    _, mean = left_of_folds(values, None, FOLDS)
    assert score_genes(values, first, mean, "r2").min() > 0.8


def test_calibration_finds_the_sign_and_takes_covariates_off() -> None:
    rng = np.random.default_rng(1)
    covariates = rng.normal(size=(60, 2))
    told = rng.normal(size=(1, 60))
    values = -told + (covariates @ [5.0, -4.0])[None] + 0.1 * rng.normal(size=(1, 60))
    observed, mean = left_of_folds(values, covariates, FOLDS)
    found = calibrate(told, values, covariates, FOLDS)
    assert score_genes(observed, found, mean, "r2")[0] > 0.9
    assert score_genes(observed, mean + told, mean, "pearson_r")[0] < -0.9


def test_a_gene_told_alike_for_everybody_is_the_training_mean() -> None:
    values = np.random.default_rng(2).normal(size=(1, 60))
    told = np.full((1, 60), 7.0) + 1e-7 * (np.arange(60) % 2)
    _, mean = left_of_folds(values, None, FOLDS)
    np.testing.assert_array_equal(calibrate(told, values, None, FOLDS), mean)


def _predictors() -> Predictors:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(30, 60))
    observed, mean = left_of_folds(values, None, FOLDS)
    told = values + rng.normal(size=(30, 60))
    told[0] = 1.0
    good = calibrate(told, values, None, FOLDS)
    return Predictors(
        tuple(f"g{i}" for i in range(30)),
        tuple(f"p{i}" for i in range(60)),
        FOLDS,
        {"net": "model", "net" + CALIBRATED: "model", "cis_p+t": "cis"},
        {"net": mean + told, "net" + CALIBRATED: good, "cis_p+t": mean.copy()},
        observed,
        mean,
    )


def test_predictors_that_say_nothing_score_0_and_count() -> None:
    table, facts = judge_all(_predictors(), seed=0)
    nothing = facts["cis_p+t"]
    assert (nothing["n_nothing"], nothing["n_genes"]) == (30, 30)
    assert nothing["r2"]["value"] == nothing["pearson_r"]["value"] == 0
    assert facts["net"]["n_nothing"] == facts["net" + CALIBRATED]["n_nothing"] == 1
    assert np.isnan(facts["net"]["r2"]["value"])
    assert facts["net"]["pearson_r"]["value"] > 0.5
    assert 0.2 < facts["net" + CALIBRATED]["r2"]["low"] < facts["net" + CALIBRATED]["r2"]["high"]
    assert table.groupby("predictor")["gene_id"].nunique().eq(30).all()
    assert set(table["n_people"]) == {60}


def test_the_best_is_compared_gene_by_gene() -> None:
    table, facts = judge_all(_predictors(), seed=0)
    best = compare(table, facts, seed=0)
    assert best["name"] == "net" + CALIBRATED
    assert list(best["beats"]) == ["cis_p+t"]
    difference = best["beats"]["cis_p+t"]["difference"]
    assert difference["value"] == pytest.approx(facts["net" + CALIBRATED]["r2"]["value"])
    assert difference["low"] > 0
    (pair,) = pairs(table, [("cis_p+t", "net" + CALIBRATED), ("cis_p+t", "no such")], seed=0)
    assert pair["difference"]["value"] == pytest.approx(-difference["value"])


def test_linkage_with_the_lead() -> None:
    rng = np.random.default_rng(4)
    dosage = rng.integers(0, 3, (5, 200)).astype(np.float32)
    dosage[1] = 2 - dosage[0]
    found = r2_with(dosage, dosage[0])
    assert found[:2] == pytest.approx([1.0, 1.0])
    assert found[2] == pytest.approx(np.corrcoef(dosage[0], dosage[2])[0, 1] ** 2)
    dosage[0, 7] = np.nan
    assert np.isfinite(r2_with(dosage, dosage[0])).all()


def test_candidates_need_both_the_model_and_fine_mapping() -> None:
    rows = pd.DataFrame(
        {
            "gene_id": ["a"] * 4 + ["b"],
            "variant_id": list("vwxyz"),
            "raw_score": [0.5, -4.0, 0.0, np.nan, 1.0],
            "pip": [0.9, 0.09, 1.0, 1.0, 0.0],
            "slope": [0.2, -0.1, 0.3, 0.1, 0.1],
        }
    )
    found = ranked(rows, 10)
    # sqrt(0.9 * 1/9) > sqrt(0.09 * 8/9); the rest lacks a score, a PIP, or has none of either.
    assert found["variant_id"].tolist() == ["v", "w"]
    assert found["score_rank"].tolist() == [2, 1]
    assert found["agrees"].tolist() == ["yes", "yes"]
    assert ranked(rows, 1)["rank"].tolist() == [1]


def test_power_and_false_discoveries() -> None:
    egenes = pd.DataFrame(
        {
            "egene": ["yes"] * 9 + ["no"] * 3 + ["yes"],
            "n_acting": [1] * 12 + [0],
            "true_h2": [0.25] * 6 + [0.07] * 6 + [0.0],
        }
    )
    found = judge_egenes(egenes)
    assert found["power"]["value"] == 0.75
    assert found["false_discovery"]["value"] == 0.1
    assert (found["false_discovery"]["n"], found["power"]["n"]) == (10, 12)
    by_h2 = {(one["low"], one["high"]): one["value"] for one in found["power_by_h2"]}
    assert by_h2 == {(0.05, 0.1): 0.5, (0.2, 0.3): 1.0}


def test_probabilities_are_judged_by_what_acts() -> None:
    rng = np.random.default_rng(5)
    pip = rng.random(2000)
    acts = rng.random(2000) < pip
    pips = pd.DataFrame({"gene_id": [f"g{i % 200}" for i in range(2000)], "pip": pip, "acts": acts})
    sets = pd.DataFrame(
        {"gene_id": [f"g{i}" for i in range(20)], "has_acting": [True] * 19 + [False]}
    )
    found = judge_probabilities(pips, sets, seed=0)
    for one in found["calibration"]:
        assert one["ci_low"] - 0.03 < one["mean_pip"] < one["ci_high"] + 0.03
    assert sum(one["n"] for one in found["calibration"]) == 2000
    assert found["mean_of_causal"]["value"] == pytest.approx(pip[acts].mean())
    assert found["sets_with_causal"]["value"] == 0.95


def test_r2_over_heritability_has_an_interval_over_genes() -> None:
    h2 = np.linspace(0.05, 0.4, 50)
    found = reached({"all": h2, "half": h2 / 2, "none": np.zeros(50)}, h2, seed=0)
    assert found["all"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 50}
    assert found["half"]["value"] == pytest.approx(0.5)
    assert found["none"]["value"] == 0
    assert np.isnan(reached({"x": h2}, np.zeros(50), seed=0)["x"]["value"])


def test_the_first_candidates_that_act() -> None:
    table = pd.DataFrame({"gene_id": list("abcdefghijkl"), "effect": [1.0] * 4 + [0.0] * 8})
    found = judge_candidates(table)
    assert found["acting_in_top"] == {"5": 0.8, "10": 0.4}
    assert found["acting_in_top_intervals"]["10"]["low"] < 0.4


def test_the_truth_needs_its_heritability(tmp_path: Path) -> None:
    (tmp_path / "variants.tsv").write_text(
        "variant_id\tgene_id\teffect\nv1\tg1\t0.5\nv2\tg1\t0\nv3\t\t0\n"
    )
    (tmp_path / "heritability.tsv").write_text("gene_id\th2\ng1\t0.2\n")
    truth = read_truth(tmp_path)
    assert truth.acting["variant_id"].tolist() == ["v1"]
    assert truth.effects["variant_id"].tolist() == ["v1", "v2"]
    assert truth.h2 == {"g1": 0.2}


def test_genes_are_drawn_by_the_seed_in_their_order() -> None:
    genes = [f"g{i:02}" for i in range(40)]
    drawn = draw(genes, 7, 1)
    assert len(drawn) == 7
    assert list(drawn) == sorted(drawn)
    assert drawn == draw(genes, 7, 1) != draw(genes, 7, 2)
    assert draw(genes, None, 1) == draw(genes, 99, 1) == tuple(genes)


def test_egenes_are_shown_first() -> None:
    egenes = pd.DataFrame(
        {
            "gene_id": ["a", "b", "c", "d"],
            "egene": ["no", "yes", "yes", "yes"],
            "pval_beta": [1e-9, 1e-3, 1e-5, 1e-8],
            "pval_nominal": [1e-9, 1e-3, 1e-5, 1e-8],
        }
    )
    assert strongest_genes(egenes, ["a", "b", "c"], 3) == ["c", "b", "a"]


def test_too_few_people_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    study = _study()
    with pytest.raises(InputError, match=r"too few people.*association.run"):
        open_given(study, tmp_path, tmp_path, [f"p{i}" for i in range(10)], ["g1"])
    off = _study(run=False)
    assert open_given(off, tmp_path, tmp_path, ["p1"], ["g1"]) is None
    without = study.model_copy(update={"people": People(genotypes="v.vcf.gz")})
    assert open_given(without, tmp_path, tmp_path, ["p1"], ["g1"]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"top": 0},
        {"top": "most"},
        {"permutations": 3},
        {"members": ()},
        {"members": ("ridge", "ridge")},
        {"folds": 1},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Association(**wrong)

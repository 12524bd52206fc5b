"""Personal predictions beside what was measured, and beside the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.data.phenotypes import PersonalExpression
from exprimo.studies.individual.agreement import (
    agreement,
    gene_table,
    judge,
    people_table,
    read_predicted,
    without,
)
from exprimo.studies.individual.checks import check_study, judged_genes, model_names
from exprimo.studies.individual.config import Genes, IndividualStudy, Models, People
from exprimo.studies.individual.tables import read_scores, top_variants
from exprimo.studies.individual.truth import judge_effects, true_effects
from exprimo.studies.individual.verdict import verdict

PEOPLE = [f"p{i}" for i in range(40)]
GENES = [f"g{i}" for i in range(30)]


def _expression(values: np.ndarray) -> PersonalExpression:
    genes = pd.DataFrame({"gene_id": GENES[: len(values)], "chrom": "1", "start": 1, "end": 2})
    return PersonalExpression(genes, tuple(PEOPLE), values, Path("e.bed"))


def _study(**genes: object) -> IndividualStudy:
    return IndividualStudy(
        people=People(genotypes="v.vcf.gz"),
        genes=Genes.checked({"fasta": "g.fa", "genes": "g.gtf", **genes}),
        models=Models(answer="xpresso:w.h5"),
    )


def test_several_tracks_and_copies_are_averaged(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "gene_id": ["g0"] * 4,
            "individual": ["a", "a", "b", "b"],
            "track": ["x", "y"] * 2,
            "prediction": [1.0, 3.0, 5.0, 5.0],
        }
    )
    table.to_parquet(tmp_path / "p.parquet")
    assert read_predicted(tmp_path / "p.parquet").loc["g0"].tolist() == [2.0, 5.0]


def test_rows_and_columns_are_matched_by_name() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(30, 40))
    told = pd.DataFrame(truth, GENES, PEOPLE).iloc[::-1, ::-1].drop(index="g3", columns="p7")
    judged = judge(told, _expression(truth), None)
    assert len(judged.genes) == 29
    assert len(judged.people) == 39
    np.testing.assert_array_equal(judged.observed, judged.predicted)


def test_no_common_person_is_an_error_that_shows_both() -> None:
    told = pd.DataFrame(np.zeros((1, 1)), ["g0"], ["eve"])
    with pytest.raises(MismatchError, match=r"no person.*p0.*eve"):
        judge(told, _expression(np.zeros((1, 40))), None)


def test_what_covariates_explain_is_taken_off() -> None:
    rng = np.random.default_rng(1)
    covariates = rng.normal(size=(40, 2))
    noise = rng.normal(size=(5, 40))
    values = 3.0 + covariates @ [2.0, -1.0] + noise
    left = without(values, covariates)
    assert abs(left @ (covariates - covariates.mean(0))).max() < 1e-9
    np.testing.assert_allclose(left.mean(1), values.mean(1))


def test_agreement_tells_people_from_genes() -> None:
    """A model of reference genomes ranks genes well and people not at all."""
    rng = np.random.default_rng(2)
    height = rng.normal(0, 3, (30, 1))
    truth = height + rng.normal(size=(30, 40))
    told = height + 0.1 * rng.normal(size=(30, 40))
    judged = judge(pd.DataFrame(told, GENES, PEOPLE), _expression(truth), None)
    facts, found = agreement(judged, None, seed=0)
    assert facts["across_genes"]["value"] > 0.95
    assert abs(facts["across_people"]["mean_r"]["value"]) < 0.1
    assert facts["across_people"]["p"] > 0.01
    table = gene_table(judged, found)
    np.testing.assert_allclose(
        table["pearson_r"], [np.corrcoef(a, b)[0, 1] for a, b in zip(truth, told, strict=True)]
    )
    people = people_table(judged)
    assert people["mean_r"].min() > 0.8


def _scored() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(3)
    n = 400
    names = [f"v{i}" for i in range(n)]
    effect = np.where(rng.random(n) < 0.2, rng.normal(size=n), 0.0)
    truth = pd.DataFrame(
        {
            "variant_id": names,
            "gene_id": [f"g{i % 40}" for i in range(n)],
            "effect": effect,
            "in_site": np.where((effect != 0) & (np.abs(effect) > 0.1), "yes", "no"),
            "what": np.where(effect != 0, "breaks", "none"),
        }
    )
    scored = truth[["variant_id", "gene_id"]].assign(raw_score=effect + 0.01 * rng.normal(size=n))
    return truth, scored


def test_variants_that_act_rank_above_the_rest(tmp_path: Path) -> None:
    truth, scored = _scored()
    truth.to_csv(tmp_path / "variants.tsv", sep="\t", index=False)
    facts = judge_effects(true_effects(tmp_path, scored), seed=0)
    assert facts["n_acting"] == int((truth["effect"] != 0).sum())
    assert facts["auroc_acting"]["value"] > 0.95
    assert facts["n_in_site"] < facts["n_acting"]
    assert facts["auroc_in_site"]["value"] > 0.95
    assert facts["sign"]["value"] > 0.95
    assert facts["pearson_r"]["value"] > 0.99
    mirrored = judge_effects(
        true_effects(tmp_path, scored.assign(raw_score=-scored["raw_score"])), seed=0
    )
    assert mirrored["sign"]["value"] < 0.05
    assert mirrored["auroc_acting"]["value"] == facts["auroc_acting"]["value"]


def test_scores_of_nothing_rank_at_random(tmp_path: Path) -> None:
    truth, scored = _scored()
    truth.to_csv(tmp_path / "variants.tsv", sep="\t", index=False)
    noise = np.random.default_rng(4).normal(size=len(scored))
    facts = judge_effects(true_effects(tmp_path, scored.assign(raw_score=noise)), seed=0)
    assert facts["auroc_acting"]["low"] < 0.5 < facts["auroc_acting"]["high"]


def test_another_worlds_truth_is_refused(tmp_path: Path) -> None:
    truth, scored = _scored()
    truth.to_csv(tmp_path / "variants.tsv", sep="\t", index=False)
    with pytest.raises(MismatchError, match="does not know the variants"):
        true_effects(tmp_path, scored.assign(variant_id="other"))


def test_top_variants_are_those_of_the_largest_effect(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "variant_id": ["a", "b", "c"], "chrom": "1", "pos": [1, 2, 3], "ref": "A", "alt": "C",
            "gene_id": "g", "track": "t", "ref_pred": 0.0, "alt_pred": [0.1, -2.0, 1.0],
            "raw_score": [0.1, -2.0, 1.0],
        }
    )  # fmt: skip
    table.to_parquet(tmp_path / "s.parquet")
    assert top_variants(read_scores(tmp_path / "s.parquet"), 2)["variant_id"].tolist() == ["b", "c"]


def test_verdict_says_what_is_not_shown() -> None:
    across = {
        "mean_r": {"value": 0.01, "low": -0.02, "high": 0.04}, "p": 0.6, "null_low": -0.03,
        "null_high": 0.03, "n_constant": 4, "median_r": 0.0, "share_positive": 0.5,
    }  # fmt: skip
    people = {
        "n_people": 40, "n_genes": 30, "across_people": across,
        "across_genes": {"value": 0.9, "low": 0.8, "high": 0.95},
    }  # fmt: skip
    found = verdict({"m": {"people": people, "variants": {"n": 9}}}, "m")
    assert found["follows"] is False
    assert "not shown to be above chance" in found["text"]
    assert "4 genes have no variant" in found["text"]
    assert "the reference genome tells" in found["text"]
    nothing = people | {"across_genes": {"value": 0.003, "low": -0.08, "high": 0.09}}
    text = verdict({"m": {"people": nothing, "variants": {"n": 9}}}, "m")["text"]
    assert "not shown to be above 0" in text
    assert "the reference genome tells" not in text
    above = across | {"p": 0.001, "mean_r": {"value": 0.3, "low": 0.2, "high": 0.4}}
    assert verdict({"m": {"people": people | {"across_people": above}}}, "m")["follows"] is True


def test_genes_that_are_named_must_exist() -> None:
    assert judged_genes(_study(only=["g1"]), "m", ["g1", "g2"]) == ["g1"]
    assert judged_genes(_study(only=["JAM2"]), "m", ["g1"], {"JAM2": "g1"}) == ["g1"]
    assert judged_genes(_study(), "xpresso:w.h5", ["g1", "g2"]) == ["g1", "g2"]
    with pytest.raises(InputError, match="no such gene"):
        judged_genes(_study(only=["g9"]), "m", ["g1"])


def test_settings_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    study = _study()
    assert list(model_names(study)) == ["xpresso"]
    with pytest.raises(InputError, match="no such file"):
        check_study(study, tmp_path)
    tracks = study.models.model_copy(update={"tracks": {"other": ("1",)}})
    with pytest.raises(ConfigError, match="tracks of a model"):
        check_study(study.model_copy(update={"models": tracks}), tmp_path)

"""Scores on cis-genotypes as features: what a naive refit gives, and nothing of the held out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, LeakError
from exprimo.core.ledger import Ledger
from exprimo.genetics.cohort import folds_of, open_cohort, prepare_folds
from exprimo.genetics.scores.elastic_net import fit_elastic_nets, inner_folds
from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.scores.polygenic.thresholding import fit_polygenic
from exprimo.genetics.stacking import stack
from exprimo.genetics.stacking.cis import nested_sets, refuse_seen, score_cis

ALL = ("baseline", "p+t", "elastic_net")
CONFIG = ScoresConfig.checked(
    {
        "models": ["baseline", "p+t"],
        "upstream": 5000,
        "downstream": 5000,
        "maf": 0.0,
        "inner_folds": 3,
        "polygenic": {"p": [0.01, 1.0], "r2": [0.2], "inner_folds": 3},
    }
)


@pytest.fixture(scope="module")
def cohort(region_world):
    files = (region_world.genotypes, region_world.expression)
    with open_cohort(*files, samples=region_world.people[:90]) as opened:
        yield opened


def _scored(cohort, values, fold, **prepared):
    given = (cohort.people, values, cohort.covariates, fold)
    ready = prepare_folds(*given, everybody=False, **prepared)
    return score_cis(cohort, ready, ["near", "noise"], fold, CONFIG, features=ALL, n_inner=3)


def test_features_and_rivals_are_those_of_a_naive_refit(cohort, region_world):
    fold = folds_of(cohort.people, 3)
    values, empty = cohort.expression.values, np.empty((0, 0))
    found = _scored(cohort, values, fold)
    dosage, at = region_world.dosage[:, :90], region_world.pos.astype(np.int64) - 1
    dosage, at = dosage[np.ptp(dosage, axis=1) > 0], at[np.ptp(dosage, axis=1) > 0]
    for k in range(3):
        train, held = fold != k, fold == k
        # Arrays without the held-out people: what is fitted cannot have seen them.
        own, y = dosage[:, train], values[0][train]
        everybody = np.ones((1, train.sum()), bool)
        empty = np.empty((train.sum(), 0))
        inner = inner_folds(everybody[0], 3, 0)
        for part in (-1, 0, 1, 2):
            one = (inner != part)[None]
            (both,) = fit_polygenic(own, at, y, empty, one, CONFIG.polygenic, linked=everybody)
            (net,) = fit_elastic_nets(own, y, one, n_inner=3)
            who = np.flatnonzero(train)[inner == part] if part >= 0 else np.flatnonzero(held)
            told = {**both, "elastic_net": net}
            for column, model in enumerate(ALL):
                expected = told[model].predict(dosage[:, who]) - told[model].intercept
                np.testing.assert_allclose(found.made[k, 0, who, column], expected, atol=1e-6)
                if part < 0 and model in CONFIG.models:
                    np.testing.assert_allclose(found.told[column, 0, who], expected, atol=1e-6)
    # It is not nothing that is compared.
    assert all(found.made[k, 0, :, 1].any() for k in range(3))


@pytest.mark.parametrize("prepared", [{}, {"transforms": ["inverse_normal"], "hidden": 1}])
def test_expression_of_held_out_people_is_in_no_feature_of_their_fold(cohort, prepared):
    fold = folds_of(cohort.people, 3)
    values = cohort.expression.values
    found = _scored(cohort, values, fold, **prepared)
    other = values.copy()
    other[:, fold == 1] = 50 * np.random.default_rng(0).normal(size=other[:, fold == 1].shape)
    changed = _scored(cohort, other, fold, **prepared)
    np.testing.assert_array_equal(found.made[1], changed.made[1])
    np.testing.assert_array_equal(found.told[:, :, fold == 1], changed.told[:, :, fold == 1])
    assert not np.allclose(found.made[0], changed.made[0])


def test_weights_that_saw_the_held_out_are_caught():
    fold = np.array([0, 0, 1, 1, 1])
    people = list("abcde")
    sets = nested_sets(fold, 2, 0)
    refuse_seen(sets.ledger(people), people, fold)
    planted = sets.training.copy()
    # One inner fold of fold 0 learns from a person of fold 0.
    planted[1, 0] = True
    with pytest.raises(LeakError, match="individual a: leak: cis scores fold 0 learned") as refused:
        refuse_seen(sets._replace(training=planted).ledger(people), people, fold)
    # The commands that fit have no such option.
    assert "--allow-leak" not in str(refused.value)


N_PEOPLE, N_GENES, N_VARIANTS = 60, 200, 8
PEOPLE = [f"p{at:02d}" for at in range(N_PEOPLE)]
NULL = {
    "members": ("ridge", "polynomial"),
    "inner_folds": 3,
    "meta_rounds": 3,
    "folds": 3,
    "rivals": {
        "upstream": 1000,
        "downstream": 1000,
        "models": ["baseline", "p+t"],
        "polygenic": {"inner_folds": 3},
    },
}


@pytest.fixture(scope="module")
def null_world(tmp_path_factory):
    """Genes far apart with their own variants, and expression that knows nothing of them."""
    folder = tmp_path_factory.mktemp("null")
    rng = np.random.default_rng(5)
    head = "##fileformat=VCFv4.2\n##contig=<ID=1>\n"
    head += '##FORMAT=<ID=GT,Number=1,Type=String,Description="">'
    names = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *PEOPLE]
    lines = [head, "\t".join(names)]
    dosage = np.empty((N_GENES, N_VARIANTS, N_PEOPLE), dtype=int)
    for gene in range(N_GENES):
        ancestor = rng.binomial(2, 0.4, N_PEOPLE)
        for at in range(N_VARIANTS):
            own = rng.binomial(2, 0.4, N_PEOPLE)
            dosage[gene, at] = np.where(rng.random(N_PEOPLE) < 0.5, ancestor, own)
            calls = "\t".join(("0/0", "0/1", "1/1")[copies] for copies in dosage[gene, at])
            place = 10_000 * (gene + 1) + 10 * at
            lines.append(f"1\t{place}\tv{place}\tA\tC\t.\t.\t.\tGT\t{calls}")
    (folder / "g.vcf").write_text("\n".join(lines) + "\n")
    values = rng.normal(size=(N_GENES, N_PEOPLE))
    bed = pd.DataFrame(values, columns=PEOPLE)
    start = 10_000 * (np.arange(N_GENES) + 1)
    for name, column in (("gene_id", [f"g{at}" for at in range(N_GENES)]), ("end", start + 1)):
        bed.insert(0, name, column)
    bed.insert(0, "start", start)
    bed.insert(0, "#chr", "1")
    bed.to_csv(folder / "e.bed", sep="\t", index=False)
    return folder, dosage, values


def _z(path):
    """Give, for each predictor, the mean over genes of r within folds, in standard errors."""
    table = pd.read_parquet(path / "genes.parquet")
    r = table.pivot(index="gene_id", columns="predictor", values="pearson_r")
    return r.mean() / (r.std() / np.sqrt(len(r)))


@pytest.mark.slow
def test_nothing_comes_of_nothing_but_of_leaks_much(null_world, tmp_path):
    folder, dosage, values = null_world
    given = {"genotypes": folder / "g.vcf", **NULL}
    done = stack(folder / "e.bed", [], tmp_path / "nested", cis_features=("baseline",), **given)
    assert done.n_features == 1
    honest = _z(tmp_path / "nested")
    assert set(honest.index) == {
        "ridge", "polynomial", "stack_linear", "stack_xgboost", "cis_baseline", "cis_p+t",
    }  # fmt: skip
    assert (honest.abs() < 3.29).all(), honest
    # Marginal effects estimated in everybody, tested people too.
    x = dosage - dosage.mean(axis=2, keepdims=True)
    y = values - values.mean(axis=1, keepdims=True)
    slope = np.einsum("gvp,gp->gv", x, y) / np.einsum("gvp,gvp->gv", x, x)
    leaky = pd.DataFrame(
        {
            "gene_id": np.repeat([f"g{at}" for at in range(N_GENES)], N_PEOPLE),
            "individual": PEOPLE * N_GENES,
            "score": np.einsum("gv,gvp->gp", slope, x).reshape(-1),
        }
    )
    leaky.to_parquet(tmp_path / "leaky.parquet")
    Ledger({"weights": {"individual": frozenset(PEOPLE)}}).save(tmp_path / "leaky.ledger.parquet")
    features = [tmp_path / "leaky.parquet"]
    with pytest.raises(LeakError, match="weights learned from"):
        stack(folder / "e.bed", features, tmp_path / "no", **NULL)
    stack(folder / "e.bed", features, tmp_path / "leak", allow_leak=True, **NULL)
    assert (_z(tmp_path / "leak")[["ridge", "stack_linear"]] > 5).all()


def test_features_need_genotypes_and_are_counted_and_recorded(region_world, tmp_path):
    with pytest.raises(ConfigError, match="without genotypes"):
        stack(region_world.expression, [], tmp_path / "no", cis_features=("p+t",))
    with pytest.raises(ConfigError, match="named twice"):
        stack(
            region_world.expression, [], tmp_path / "no", cis_features=("p+t", "p+t"),
            genotypes=region_world.genotypes,
        )  # fmt: skip
    done = stack(
        region_world.expression, [], tmp_path / "out", genotypes=region_world.genotypes,
        covariates=region_world.covariates, samples=region_world.people[:80],
        cis_features=("p+t", "elastic_net"), members=("ridge",), metas=("stack_linear",),
        transforms=("inverse_normal",), hidden=1, folds=3, inner_folds=3,
        rivals={"upstream": 9000, "downstream": 9000, "models": ["baseline"], "inner_folds": 3},
    )  # fmt: skip
    assert (done.n_people, done.n_features) == (80, 2)
    assert list(done.scores) == ["ridge", "stack_linear", "cis_baseline"]
    assert "seen a little" in done.notes[0]
    learned = Ledger.load(tmp_path / "out" / "ledger.parquet").learned
    folds = pd.read_csv(tmp_path / "out" / "folds.tsv", sep="\t")
    without = set(folds.loc[folds["fold"] != 2, "sample"])
    for name in ("stack fold 2", "hidden factors without fold 2"):
        assert learned[name]["individual"] == without


@pytest.mark.parametrize("design", ["genes", "people-by-genes"])
def test_every_design_takes_them(region_world, tmp_path, design):
    done = stack(
        region_world.expression, [], tmp_path / "out", genotypes=region_world.genotypes,
        covariates=region_world.covariates, design=design,
        cis_features=("p+t",), members=("ridge",), metas=("stack_linear",), gene_folds=1,
        transforms=("zscore",), folds=3, inner_folds=3,
        rivals={"upstream": 9000, "downstream": 9000, "models": ["p+t"]},
    )  # fmt: skip
    genes = pd.read_parquet(tmp_path / "out" / "genes.parquet").set_index(["gene_id", "predictor"])
    assert genes.loc[("near", "ridge"), "r2"] > 0.05
    assert done.n_features == 1

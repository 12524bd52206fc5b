"""The small world with a known answer: hard enough, and leaking exactly through its paralogs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import exprimo
from exprimo.studies.benchmarking import Benchmarked


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Benchmarked]:
    """The small world, and its k-mer model by homology and at random."""
    folder = tmp_path_factory.mktemp("known")
    world = exprimo.simulate(folder / "world", seed=0, size="small")
    exprimo.dataset_promoters(
        fasta=world.genome,
        genes=world.genes,
        targets=world.expression,
        target="expression",
        out=folder / "D.h5",
    )
    done = exprimo.benchmark(
        folder / "D.h5",
        folder / "B",
        models=["kmer_linear"],
        splits=["homology", "random"],
        machine={"threads": 1},
    )
    return world.truth, done


def _r(done: Benchmarked, model: str, split: str) -> float:
    scores = done.scores[done.scores["metric"] == "pearson_r"].set_index(["model", "split"])
    return float(scores.loc[(model, split), "value"])


@pytest.mark.slow
def test_words_alone_stay_below_the_ceiling(study: tuple[Path, Benchmarked]) -> None:
    truth, done = study
    components = pd.read_csv(truth / "components.tsv", sep="\t").dropna(subset=["observed"])
    ceiling = components["promoter"].corr(components["observed"])
    assert 0.2 < _r(done, "kmer_linear", "homology") < ceiling - 0.1


@pytest.mark.slow
def test_a_random_split_flatters_because_of_paralogs(study: tuple[Path, Benchmarked]) -> None:
    truth, done = study
    assert _r(done, "kmer_linear", "random") > _r(done, "kmer_linear", "homology")
    families = pd.read_csv(truth / "families.tsv", sep="\t").set_index("gene_id")["family"]
    torn = pd.read_csv(done.path / "splits" / "random.overlaps.tsv", sep="\t")
    assert len(torn) > 100
    related = families.reindex(torn["gene_id_test"]).to_numpy()
    same = related == families.reindex(torn["gene_id_train"]).to_numpy()
    assert same.mean() > 0.99
    kept = pd.read_csv(done.path / "splits" / "homology.overlaps.tsv", sep="\t")
    assert kept.empty

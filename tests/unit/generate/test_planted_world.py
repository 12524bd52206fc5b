"""What the simulator planted in its promoters stands in generated ones: as often, and there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.sequence import Codes, encode
from exprimo.generate import generate_fit, generate_sample
from exprimo.generate.reference import fit_rivals
from exprimo.simulate.config import ConditionsConfig, Factor, RegulationConfig, WorldConfig

UPSTREAM, DOWNSTREAM, OFFSET, N = 50, 10, -35, 500
PLACE = UPSTREAM + OFFSET

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,800 genes; one factor, whose motif is planted 35 bases before the TSS or not at all."""
    folder = tmp_path_factory.mktemp("planted")
    core = Factor(
        name="CORE", effect=2.5, rate=1.2, planted=(OFFSET, OFFSET + 1), reverse=0.0,
        reach=(-40, -24),
    )  # fmt: skip
    config = WorldConfig(
        genes=1800,
        regulation=RegulationConfig(factors=(core,)),
        conditions=ConditionsConfig(factor="CORE", reach=(-40, -24)),
    )
    exprimo.simulate(folder / "world", seed=2, config=config)
    exprimo.dataset_promoters(
        fasta=folder / "world" / "genome.fa",
        genes=folder / "world" / "genes.gtf",
        targets=folder / "world" / "expression.tsv",
        target="expression",
        upstream=UPSTREAM,
        downstream=DOWNSTREAM,
        out=folder / "D.h5",
    )
    return folder


def _sites(codes: Codes, motif: Codes) -> npt.NDArray[np.float64]:
    """Give the share of sequences with at most two bases off the motif, at each place."""
    windows = np.lib.stride_tricks.sliding_window_view(codes, len(motif), axis=1)
    shares: npt.NDArray[np.float64] = ((windows != motif).sum(axis=2) <= 2).mean(axis=0)
    return shares


def test_the_motif_of_a_world_stands_at_its_place_as_often_as_planted(world: Path) -> None:
    truth = world / "world" / "truth"
    motif = encode(pd.read_csv(truth / "tfs.tsv", sep="\t")["consensus"].iloc[0])
    sites = pd.read_csv(truth / "sites.tsv", sep="\t")
    there = sites[(sites["tss_offset"] == OFFSET) & (sites["orientation"] == "+")]
    made = generate_fit(
        world / "D.h5", world / "GEN", split="random", machine={"threads": 1},
        options={"channels": 32, "blocks": 2},
        fit={"steps": 300, "learning_rate": 0.005, "warm_up": 20, "every": 100},
    )  # fmt: skip
    generate_sample(made.path, world / "S.h5", n=N, threads=1)
    with Dataset.open(world / "S.h5") as data:
        drawn = data.rows("sequence", np.arange(len(data)))
    with Dataset.open(world / "D.h5") as data:
        rows = made.split.rows("train")
        learned = data.rows("sequence", rows)
        planted = np.isin(data.column("gene_id")[rows], there["gene_id"]).mean()
    real, found = _sites(learned, motif), _sites(drawn, motif)
    # What is counted is what was planted: of its bases one in 25 is another.
    assert 0.3 < planted < 0.9
    assert real[PLACE] == pytest.approx(planted, abs=0.04)
    # Four standard errors of N are 0.09.
    assert found[PLACE] == pytest.approx(planted, abs=0.1)
    assert np.delete(found, PLACE).max() < 0.03
    shuffled = fit_rivals(learned)["dinucleotide shuffle"](N, np.random.default_rng(0))
    assert _sites(shuffled, motif)[PLACE] < 0.03

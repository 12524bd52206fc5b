"""The files of the experiment: read by the package's readers, and no burden to the others."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.data.counts import read_counts
from exprimo.data.samples import match_samples, read_samples
from exprimo.simulate import WorldConfig, simulate
from exprimo.simulate.config import ConditionsConfig

# From before worlds had counts: 40 genes, seed 7.
EARLIER = {
    "expression.tsv": "b67b8fd027770e12412ba698ae51062e6ceb10ee2b86babc4ee688b2e93932c8",
    "genes.gtf": "d36797c13dadabca5d9692d9eb3afacd8a8cb4567cb3c937d22940691df82d38",
    "genome.fa": "f416fa4af8346ee5f5abbafcd1a626dba457a3e4e9c9c78fbdee7519dfdcafd7",
    "halflife.tsv": "510130e4b315da66c642967a75e27911e5649db72f6439968383b0cb3ea57a4c",
    "truth/components.tsv": "b60902555601729b78dbd4f37d15886bb9d007e94a2ad36358ae7697783d3f8a",
    "truth/families.tsv": "e6eccb394555d459aaf3ef96189b77a09494e8b0f09cf18523bf7e2aa8f2fb9d",
    "truth/motifs.meme": "6552fbd36a59fb6356efafc21bc314a4c857ffc8091454af29f4b87104b639af",
    "truth/repeats.bed": "066d40af4832c016b88df0a2d372de52f396990f62fbaa3637ca95859a7f3892",
    "truth/sites.tsv": "7927d6f81ef42f73ce18696385035987670bf389c18dd85fafeffd139ffec82b",
    "truth/tfs.tsv": "b0f2a120513ac9f4610b29bbf0f63eb749826c8287164a7928367190eb78bc17",
}
TINY = WorldConfig(genes=40)


def test_files_of_earlier_worlds_keep_their_bytes(tmp_path: Path) -> None:
    world = simulate(tmp_path / "world", seed=7, config=TINY)
    found = {
        name: hashlib.sha256((world.folder / name).read_bytes()).hexdigest() for name in EARLIER
    }
    assert found == EARLIER


def test_settings_of_the_experiment_leave_the_rest_as_it_was(tmp_path: Path) -> None:
    other = TINY.model_copy(
        update={"conditions": ConditionsConfig(samples=6, factor="PROX", silent_share=0.5)}
    )
    one = simulate(tmp_path / "one", seed=7, config=TINY)
    two = simulate(tmp_path / "two", seed=7, config=other)
    for name in EARLIER:
        assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes()
    assert one.counts_table.read_bytes() != two.counts_table.read_bytes()
    assert two.counts["samples"] == 12


def test_the_readers_read_counts_and_samples(known: Any) -> None:
    counts = read_counts(known.world.counts_table)
    samples = read_samples(known.world.samples)
    counts, samples = match_samples(counts, samples)
    assert counts.matrix.shape == (600, 8)
    assert counts.samples == [
        f"{name}_{at}" for name in ("control", "treated") for at in range(1, 5)
    ]
    assert samples["condition"].tolist() == ["control"] * 4 + ["treated"] * 4
    assert samples.columns.tolist() == ["condition"]
    assert counts.matrix.to_numpy().tolist() == known.counts.iloc[:, 1:].to_numpy().tolist()


def test_all_tables_have_the_same_genes_in_the_same_order(known: Any) -> None:
    gene_ids = known.components["gene_id"].tolist()
    for table in (known.expression, known.halflife, known.counts, known.differential):
        assert table["gene_id"].tolist() == gene_ids
    assert set(gene_ids) == set(known.canonical())


def test_the_description_counts_what_the_tables_hold(known: Any) -> None:
    described, table = known.described["conditions"], known.differential
    changes = table["log2_fold_change"]
    assert described == {
        "differential": "factor",
        "factor": "LEAD",
        "activity": 0.0,
        "samples": 8,
        "genes_twofold_up": int((changes > 1).sum()),
        "genes_twofold_down": int((changes < -1).sum()),
        "genes_with_responding_sites": int((table["factor_contribution"] != 0).sum()),
        "silent_genes": 90,
        "genes_without_reads": int((known.counts.iloc[:, 1:].sum(axis=1) == 0).sum()),
    }
    assert known.world.counts["twofold_genes"] == int((changes.abs() > 1).sum())
    assert 60 < described["genes_twofold_down"] < 180


def test_worlds_that_differ_in_the_mode_share_depth_and_levels(tmp_path: Path) -> None:
    tables = {}
    for mode in ("factor", "random", "none"):
        config = TINY.model_copy(update={"conditions": ConditionsConfig(differential=mode)})
        world = simulate(tmp_path / mode, seed=1, config=config)
        differential = pd.read_csv(world.truth / "differential.tsv", sep="\t")
        libraries = pd.read_csv(world.truth / "libraries.tsv", sep="\t")
        tables[mode] = (differential, libraries)
    told, depth = tables["factor"]
    for mode in ("random", "none"):
        other, other_depth = tables[mode]
        for column in ("mean_control", "factor_contribution", "silent"):
            assert other[column].tolist() == told[column].tolist()
        assert other_depth["depth"].tolist() == depth["depth"].tolist()
    dealt = tables["random"][0]["log2_fold_change"]
    assert sorted(dealt) == sorted(told["log2_fold_change"])
    assert dealt.tolist() != told["log2_fold_change"].tolist()

"""Splits of the reporter-assay tiles: real overlaps between neighbours, real repeats."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.sequence import encode
from exprimo.splits import count_overlaps, make_split, sequence_groups

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def tiles(realdata, tmp_path_factory):
    table = pd.read_csv(realdata / "gpra" / "native_tiles.tsv.gz", sep="\t", keep_default_na=False)
    start = pd.to_numeric(table["start"]).fillna(-1).astype(int)
    length = table["core"].str.len().iloc[0]
    text = "AACTGCATTTTTTTCACATC" + table["core"] + "GGTTACGGCTGTTTCTTAAT"
    path = tmp_path_factory.mktemp("tiles") / "D.h5"
    with write_dataset(path, {}) as out:
        out.examples(
            pd.DataFrame(
                {
                    "example_id": [f"t{row}" for row in range(len(table))],
                    "chrom": table["chrom"],
                    "start": start,
                    "end": np.where(start < 0, -1, start + length),
                    "strand": table["strand"],
                }
            )
        )
        out.input("sequence", [np.stack([encode(row) for row in text])])
    with Dataset.open(path) as dataset:
        yield dataset


@pytest.fixture(scope="module")
def groups(tiles):
    before = time.perf_counter()
    found = sequence_groups(tiles)
    assert time.perf_counter() - before < 30
    return found


def test_neighbouring_tiles_overlap_and_are_grouped(tiles, groups):
    chrom, start = tiles.column("chrom"), tiles.column("start")
    order = np.lexsort((start, chrom))
    order = order[chrom[order] != ""]
    before, after = order[:-1], order[1:]
    overlap = (chrom[before] == chrom[after]) & (start[after] - start[before] <= 40)
    assert 0.90 < overlap.mean() < 0.94
    of = groups.group[tiles.index("sequence")]
    # The rest share a stretch of low complexity only.
    assert (of[before] == of[after])[overlap].mean() > 0.99
    assert groups.adapters == (20, 20)


def test_repeats_do_not_chain_the_tiles_together(groups):
    assert groups.sizes.max() < 0.03 * len(groups.group)
    assert 8_000 < groups.n_groups < 12_000


def test_each_strategy_tears_what_it_should(tiles, groups):
    found = {
        strategy: count_overlaps(tiles, make_split(tiles, strategy, groups=groups), groups=groups)
        for strategy in ("random", "chromosome", "homology")
    }
    related = {
        name: overlaps.counts.set_index("relation").share_of_test_examples
        for name, overlaps in found.items()
    }
    assert related["random"]["near_duplicate_sequence"] > 0.80
    assert 0.005 < related["chromosome"]["near_duplicate_sequence"] < 0.08
    assert related["chromosome"]["overlapping_interval"] == 0
    assert related["homology"]["near_duplicate_sequence"] == 0
    # What is left are tiles that share a few bases at their ends.
    assert related["homology"]["overlapping_interval"] < 0.001
    assert found["random"].n_named > 10_000 >= len(found["random"].named)


def test_random_tiles_train_only_in_a_chromosome_split(tiles, groups):
    split = make_split(tiles, "chromosome", groups=groups)
    assert split.notes["train_only_without_chrom"] == 6_452
    share = np.bincount(pd.Categorical(split.part, ["train", "val", "test"]).codes)[1:] / len(tiles)
    assert (np.abs(share - 0.1) < 0.02).all()

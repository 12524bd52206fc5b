from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from exprimo.core.errors import MismatchError
from exprimo.core.sequence import reverse_complement
from exprimo.core.split import PARTS, Split
from exprimo.splits import count_overlaps, make_split, sequence_groups
from exprimo.splits.pair_counts import PairCounts, overlapping_intervals, pairs_within


def slow_counts(parts, related):
    """Look at every pair of examples."""
    found = dict.fromkeys(PairCounts._fields, 0)
    for one, other in combinations(range(len(parts)), 2):
        if not related(one, other):
            continue
        pair = {parts[one], parts[other]}
        found["pairs"] += 1
        if 3 in pair:
            found["aside"] += 1
        elif len(pair) == 1:
            found["together"] += 1
        else:
            found["torn"] += 1
            found["train_test"] += pair == {0, 2}
    return PairCounts(**found)


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_a_look_at_every_pair(seed):
    rng = np.random.default_rng(seed)
    parts, label = rng.integers(0, 4, 120), rng.integers(0, 25, 120)
    counts = np.zeros((25, 4), np.int64)
    np.add.at(counts, (label, parts), 1)
    assert pairs_within(counts) == slow_counts(parts, lambda i, j: label[i] == label[j])

    chrom, start = rng.integers(-1, 3, 120), rng.integers(0, 300, 120)
    end = start + rng.integers(1, 40, 120)

    def overlap(i, j):
        same = chrom[i] == chrom[j] >= 0
        return same and start[i] < end[j] and start[j] < end[i]

    found, related = overlapping_intervals(chrom, start, end, parts)
    assert found == slow_counts(parts, overlap)
    expected = [
        any(overlap(i, j) and parts[j] == 0 for j in range(120) if j != i) for i in range(120)
    ]
    assert related.tolist() == expected


@pytest.fixture
def planted(make_dataset):
    """Eight examples: 0 and 1 near-duplicates, 2 the reverse complement of 3, 4 and 5 one gene,
    6 and 7 overlapping; 0 is used by a second example, 8."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 4, (9, 200), dtype=np.uint8)
    rows[1] = rows[0]
    rows[1, ::40] = (rows[1, ::40] + 1) % 4
    rows[3] = reverse_complement(rows[2])
    rows[8] = rows[0]
    return make_dataset(
        rows,
        gene_id=["a", "b", "", "", "g", "g", "", "", "c"],
        chrom=["1", "1", "", "", "2", "2", "3", "3", "1"],
        start=[0, 500, -1, -1, 0, 500, 100, 299, 5000],
        end=[200, 700, -1, -1, 200, 700, 300, 499, 5200],
    )


def split_of(dataset, parts):
    ids = dataset.column("example_id")
    return Split(ids, np.array(parts), "random", 0, dataset.sha256, ("gene", "sequence"))


def test_each_relation_is_counted_and_named(planted):
    split = split_of(planted, ["train", "test", "train", "test", "test", "train"] + ["train"] * 3)
    found = count_overlaps(planted, split)
    # 0-8 stay together in train, 2-3 are torn; 1 is near both 0 and 8.
    assert found.count("identical_sequence") == (2, 1, 1, 1, 0)
    assert found.count("near_duplicate_sequence") == (2, 0, 2, 2, 0)
    assert found.count("same_gene") == (1, 0, 1, 1, 0)
    assert found.count("overlapping_interval") == (1, 1, 0, 0, 0)
    related = dict(zip(found.counts.relation, found.counts.test_examples_related, strict=True))
    assert related == {
        "identical_sequence": 1,
        "near_duplicate_sequence": 1,
        "same_gene": 1,
        "overlapping_interval": 0,
    }
    assert found.counts.share_of_test_examples.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert found.n_named == len(found.named) == 3
    named = found.named.set_index("example_id_train")
    assert named.loc["e2", "example_id_test"] == "e3"
    assert named.loc["e2", "shared"] == 1
    assert named.loc["e8", ["example_id_test", "gene_id_test", "gene_id_train"]].tolist() == [
        "e1",
        "b",
        "c",
    ]
    assert found.nearest.example_id.tolist() == ["e1", "e3", "e4"]
    assert found.nearest.shared.tolist() == pytest.approx([named.loc["e0", "shared"], 1, 0])
    assert found.complete


def test_pairs_with_a_member_set_aside_are_apart(planted):
    split = split_of(planted, ["none", "test", "val", "test", "test", "none"] + ["train"] * 3)
    found = count_overlaps(planted, split)
    assert found.count("identical_sequence") == (2, 0, 1, 0, 1)
    assert found.count("near_duplicate_sequence") == (2, 0, 1, 1, 1)
    assert found.count("same_gene") == (1, 0, 0, 0, 1)


def test_named_pairs_are_capped_but_counted(planted):
    split = split_of(planted, ["train", "test", "train", "test", "test", "train"] + ["train"] * 3)
    found = count_overlaps(planted, split, max_named=1)
    assert (len(found.named), found.n_named) == (1, 3)
    assert found.named.relation.tolist() == ["identical_sequence"]


def test_a_homology_split_tears_nothing_that_a_random_one_does(make_dataset):
    rng = np.random.default_rng(1)
    rows = np.repeat(rng.integers(0, 4, (60, 300), dtype=np.uint8), 5, axis=0)
    changed = rng.random(rows.shape) < 0.05
    rows = np.where(changed, (rows + 1) % 4, rows).astype(np.uint8)
    data = make_dataset(rows)
    groups = sequence_groups(data)
    whole, torn = (
        count_overlaps(data, make_split(data, strategy, groups=groups), groups=groups)
        for strategy in ("homology", "random")
    )
    assert whole.count("near_duplicate_sequence") == (600, 600, 0, 0, 0)
    assert torn.count("near_duplicate_sequence").pairs == 600
    assert torn.count("near_duplicate_sequence").train_test > 50
    assert (torn.nearest.shared > 0).mean() > 0.9
    assert list(PARTS) == ["train", "val", "test", "none"]


def test_another_datasets_split_is_refused(planted, make_dataset):
    other = make_dataset(np.zeros((3, 50), np.uint8), gene_id=["a", "b", "c"])
    with pytest.raises(MismatchError, match="another dataset"):
        count_overlaps(planted, split_of(other, ["train", "val", "test"]))
    plain = make_dataset(score=["1", "2", "3"])
    found = count_overlaps(plain, split_of(plain, ["train", "val", "test"]))
    assert found.counts.empty
    assert found.named.empty
    assert found.count("same_gene") == (0, 0, 0, 0, 0)

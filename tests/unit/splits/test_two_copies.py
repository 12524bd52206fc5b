"""Splits of people whose two copies are two inputs: a haplotype is one sequence in either."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exprimo.core.errors import LeakError
from exprimo.core.ledger import Ledger, keys_of
from exprimo.core.sequence import Codes, reverse_complement
from exprimo.splits import count_overlaps, make_split, sequence_groups
from exprimo.splits.atoms import join_labels, sequence_labels, sequence_rows

N = 40


def random_rows(seed: int, n: int = N, length: int = 300) -> Codes:
    return np.random.default_rng(seed).integers(0, 4, (n, length)).astype(np.uint8)


@pytest.fixture
def planted(make_dataset):
    """People of whom 0's first copy is 1's second, and 2's second is 3's first on the other
    strand; 4 has the same copy twice."""
    first, second = random_rows(0), random_rows(1)
    second[1] = first[0]
    first[3] = reverse_complement(second[2])
    second[4] = first[4]
    return make_dataset(first, second, individual=[f"p{row}" for row in range(N)])


def test_a_sequence_has_one_label_in_either_input(planted) -> None:
    labels = sequence_labels(planted)
    assert labels.shape == (N, 2)
    assert labels[0, 0] == labels[1, 1]
    assert labels[2, 1] == labels[3, 0]
    assert labels[4, 0] == labels[4, 1]
    assert len(np.unique(labels)) == 2 * N - 3
    atoms = join_labels(labels)
    assert atoms[0] == atoms[1]
    assert atoms[2] == atoms[3]
    assert len(np.unique(atoms)) == N - 2
    rows = sequence_rows(planted)
    assert (rows[:, 1] >= planted.inputs["sequence"].n_distinct).all()


@pytest.mark.parametrize("strategy", ["random", "homology"])
@pytest.mark.parametrize("seed", range(5))
def test_what_shares_a_copy_stands_on_one_side(planted, strategy: str, seed: int) -> None:
    split = make_split(planted, strategy, seed=seed, threads=1)
    assert split.part[0] == split.part[1]
    assert split.part[2] == split.part[3]


def test_near_duplicates_across_the_inputs_are_one_family(make_dataset) -> None:
    first, second = random_rows(0), random_rows(1)
    second[7] = first[5]
    second[7, 100] = (second[7, 100] + 1) % 4
    data = make_dataset(first, second)
    groups = sequence_groups(data, threads=1)
    rows = sequence_rows(data)
    assert groups.group[rows[5, 0]] == groups.group[rows[7, 1]]
    assert groups.n_groups == 2 * N - 1
    for seed in range(6):
        part = make_split(data, "homology", seed=seed, threads=1).part
        assert part[5] == part[7]


def test_a_training_person_with_a_judged_copy_is_set_aside(make_dataset) -> None:
    first, second = random_rows(0), random_rows(1)
    second[1] = first[0]
    given = ["test", "train", "val"] + ["train"] * (N - 3)
    data = make_dataset(first, second, part=given)
    split = make_split(data, "column:part", threads=1)
    assert split.part[:3].tolist() == ["test", "none", "val"]
    assert split.notes["purged_from_train"] == 1


def test_a_planted_leak_is_refused(planted) -> None:
    ledger = Ledger({"weights": keys_of(planted, np.array([1, 2]))})
    for row in (0, 3):
        with pytest.raises(LeakError, match="1 shared keys"):
            ledger.check(keys_of(planted, np.array([row])), ("sequence",))
    assert not ledger.check(keys_of(planted, np.arange(5, N)), ("sequence",))
    assert len(keys_of(planted, np.array([4]))["sequence"]) == 1
    assert len(keys_of(planted, np.array([5]))["sequence"]) == 2


def test_overlaps_count_people_once(planted) -> None:
    split = make_split(planted, "example", seed=0, threads=1)
    part = split.part.copy()
    part[:] = "train"
    part[[0, 3, 4, 9]] = "test"
    part[10] = "val"
    found = count_overlaps(planted, replace(split, part=part), threads=1)
    counts = found.counts.set_index(found.counts.columns[0])
    same = counts.loc["identical_sequence"]
    # 0 with 1 and 2 with 3; that 4's copies are equal is no pair of people.
    assert (same["pairs"], same["train_test"]) == (2, 2)
    assert found.nearest["shared"].tolist()[:2] == [1.0, 1.0]
    assert found.nearest["shared"].tolist()[2:] == [0.0, 0.0]
    assert set(found.named["relation"]) == {"identical_sequence"}

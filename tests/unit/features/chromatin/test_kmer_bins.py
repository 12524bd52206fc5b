"""3-mers per bin, against a plain count, and the vocabulary that comes of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import InputError
from exprimo.core.sequence import Codes, decode, encode
from exprimo.features.chromatin import (
    attach_kmer_bins,
    choose_vocabulary,
    count_kmer_bins,
    kmer_bin_names,
)


def plain_counts(codes: Codes, n_bins: int, bin_size: int, k: int) -> npt.NDArray[np.uint8]:
    names = {name: at for at, name in enumerate(kmer_bin_names(k))}
    counts = np.zeros((len(codes), len(names), n_bins), dtype=np.uint8)
    for row, letters in enumerate(map(decode, codes)):
        for each in range(n_bins):
            part = letters[each * bin_size : (each + 1) * bin_size]
            for kmer, n in Counter(part[i : i + k] for i in range(bin_size - k + 1)).items():
                counts[row, names[kmer], each] = n
    return counts


@pytest.mark.parametrize(("n_bins", "bin_size", "k"), [(4, 10, 3), (3, 7, 2), (5, 3, 3), (2, 9, 1)])
def test_counts_equal_a_plain_count(n_bins: int, bin_size: int, k: int) -> None:
    codes = np.random.default_rng(0).integers(0, 5, (6, n_bins * bin_size)).astype(np.uint8)
    found = count_kmer_bins(codes, n_bins, bin_size, k)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, plain_counts(codes, n_bins, bin_size, k))


def test_a_bin_of_100_bases_has_98_3mers_and_none_across_its_border() -> None:
    codes = np.random.default_rng(1).integers(0, 4, (3, 1000)).astype(np.uint8)
    assert (count_kmer_bins(codes, 10, 100).sum(axis=1) == 98).all()
    across = count_kmer_bins(encode("AACGTT")[None], 2, 3)[0]
    assert dict(zip(kmer_bin_names(), across.sum(axis=1).tolist(), strict=True))["ACG"] == 0


def test_the_largest_count_fits_its_byte() -> None:
    codes = np.zeros((1, 257), dtype=np.uint8)
    assert count_kmer_bins(codes, 1, 257)[0, 0, 0] == 255
    with pytest.raises(InputError, match="at most 257"):
        count_kmer_bins(np.zeros((1, 258), dtype=np.uint8), 1, 258)


def test_bins_shorter_than_a_kmer_hold_none() -> None:
    assert count_kmer_bins(encode("ACGT")[None], 2, 2).sum() == 0


@pytest.mark.parametrize(
    ("codes", "n_bins", "k", "message"),
    [
        (np.zeros((1, 9), np.uint8), 2, 3, "do not consist of these bins"),
        (np.full((1, 8), 5, np.uint8), 2, 3, "not a base code"),
        (np.zeros((1, 8), np.uint8), 2, 5, "cannot count k-mers of this length"),
    ],
)
def test_what_cannot_be_counted_is_refused(codes: Codes, n_bins: int, k: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        count_kmer_bins(codes, n_bins, 4, k)


SEQUENCES = ["AAAACCCC", "AAAAGGGG", "TTTTTTTN"]


def write(path: Path, *, bins: int | None, genes: list[int]) -> Path:
    """Store examples of these genes, with sequences of 8 bases and signal in ``bins`` bins."""
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{at}" for at in range(len(genes))]}))
        out.input("sequence", [np.stack([encode(SEQUENCES[gene]) for gene in genes])])
        if bins is not None:
            signal = np.arange(len(genes) * bins, dtype=np.float32).reshape(-1, 1, bins)
            out.input("signal", [signal], labels=["H3K4me3"])
    return path


def test_the_input_is_derived_from_the_sequences(tmp_path: Path) -> None:
    with Dataset.open(write(tmp_path / "D.h5", bins=2, genes=[2, 0, 1, 0])) as data:
        assert attach_kmer_bins(data)
        assert attach_kmer_bins(data), "a second call changes nothing"
        info = data.inputs["kmer_bins"]
        assert (info.shape, info.n_distinct, info.labels) == ((125, 2), 3, kmer_bin_names())
        codes = np.stack([encode(SEQUENCES[gene]) for gene in (0, 2, 0)])
        expected = count_kmer_bins(codes, 2, 4)
        np.testing.assert_array_equal(data.rows("kmer_bins", np.array([3, 0, 1])), expected)
        np.testing.assert_array_equal(data.distinct("kmer_bins", 0, 1), expected[1:2])


@pytest.mark.parametrize("bins", [None, 3, 16])
def test_nothing_is_derived_where_bins_and_bases_do_not_match(
    tmp_path: Path, bins: int | None
) -> None:
    with Dataset.open(write(tmp_path / "D.h5", bins=bins, genes=[0, 1])) as data:
        assert not attach_kmer_bins(data)
        assert "kmer_bins" not in data.inputs
        with pytest.raises(InputError, match="no k-mers per bin"):
            choose_vocabulary(data, np.array([0]))


def test_the_vocabulary_counts_each_sequence_once(tmp_path: Path) -> None:
    with Dataset.open(write(tmp_path / "D.h5", bins=2, genes=[0, 0, 1, 2, 2])) as data:
        # In bins of 4: AAA twice in the sequences of genes 0 and 1, CCC and GGG twice in one.
        assert choose_vocabulary(data, np.array([0, 1, 2]), least=4) == ("AAA",)
        assert choose_vocabulary(data, np.array([0, 1]), least=3) == ()
        assert choose_vocabulary(data, np.array([4, 0]), least=1) == ("AAA", "CCC", "TTT", "TTN")
        with pytest.raises(InputError, match="at least once"):
            choose_vocabulary(data, np.array([0]), least=0)

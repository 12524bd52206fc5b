"""Bins in gene orientation, worked out by hand on a chromosome whose signal is the position."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.data.signals import open_signal
from exprimo.features.chromatin import bin_windows, gene_bins
from exprimo.features.chromatin.assembly import Assembly
from exprimo.features.chromatin.bins import halves

POSITION = [float(at) for at in range(40)]


def sites(*places: tuple[str, int, str]) -> pd.DataFrame:
    table = pd.DataFrame(places, columns=["chrom", "tss", "strand"])
    return table.assign(gene_id=[f"g{at}" for at in range(len(table))])


@pytest.mark.parametrize(
    ("tss", "strand", "expected"),
    [
        # [12, 28): means of 12-15, 16-19, 20-23, 24-27; bin 2 begins with base 20.
        (20, "+", [13.5, 17.5, 21.5, 25.5]),
        # [13, 29) reversed: 28-25, 24-21, 20-17, 16-13; bin 2 begins with base 20.
        (20, "-", [26.5, 22.5, 18.5, 14.5]),
        # [-6, 10): two bases before the chromosome's first two, of signal 0 and 1.
        (2, "+", [0.0, (0 + 0 + 0 + 1) / 4, 3.5, 7.5]),
        # [31, 47) reversed: 46-43 and 42-39, of which base 39 alone is there.
        (38, "-", [0.0, 39 / 4, 36.5, 32.5]),
    ],
)
def test_bins_by_hand(
    write_track: Callable[..., Path], tss: int, strand: str, expected: list[float]
) -> None:
    path = write_track("a.bw", {"I": POSITION})
    with open_signal(path) as track:
        found = gene_bins(track, sites(("I", tss, strand)), {"I": "I"}, 4, 4)
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


def test_the_tss_base_opens_the_middle_bin_on_both_strands(
    write_track: Callable[..., Path],
) -> None:
    peak = [0.0] * 40
    peak[20] = 1.0
    with open_signal(write_track("a.bw", {"I": peak})) as track:
        for n_bins in (4, 5):
            found = gene_bins(track, sites(("I", 20, "+"), ("I", 20, "-")), {"I": "I"}, n_bins, 1)
            assert found.tolist() == [[float(at == n_bins // 2) for at in range(n_bins)]] * 2


def test_genes_keep_their_order_across_chromosomes(write_track: Callable[..., Path]) -> None:
    path = write_track("a.bw", {"chrI": POSITION, "chrII": [7.0] * 40})
    places = sites(("II", 20, "+"), ("I", 30, "+"), ("III", 5, "+"), ("I", 10, "-"))
    with open_signal(path) as track:
        found = gene_bins(track, places, {"I": "chrI", "II": "chrII"}, 2, 2)
    np.testing.assert_allclose(found, [[7, 7], [28.5, 30.5], [0, 0], [11.5, 9.5]])


def test_windows_and_halves() -> None:
    windows = bin_windows(sites(("I", 20, "+"), ("I", 20, "-")), 5, 2)
    assert windows[["start", "end"]].values.tolist() == [[16, 26], [15, 25]]
    assert halves(5, 2) == (4, 6)
    with pytest.raises(ConfigError, match="0 bins of 4 bases"):
        halves(0, 4)


def test_chromosomes_are_matched_and_lengths_checked(write_track: Callable[..., Path]) -> None:
    assembly = Assembly(Path("g.gtf"), ["1", "2", "X"])
    first = write_track("a.bw", {"chr1": POSITION, "chr2": [1.0] * 10})
    with open_signal(first) as track:
        assert assembly.names_in(track, ["1", "2", "X"]) == {"1": "chr1", "2": "chr2"}
    assert assembly.lengths == {"1": 40, "2": 10}
    windows = pd.DataFrame({"chrom": ["1", "2", "X"], "start": [-1, 5, 9], "end": [9, 11, 99]})
    assert assembly.leaves(windows).tolist() == [True, True, False]
    with (
        open_signal(write_track("b.bw", {"chr1": POSITION[:30]})) as track,
        pytest.raises(MismatchError, match=r"b\.bw.*another length.*30 bases.*40 bases"),
    ):
        assembly.names_in(track, ["1"])
    with pytest.raises(MismatchError, match=r"gene g0 at 2:12: 1 TSSs lie beyond the end"):
        assembly.require_inside(sites(("2", 11, "+")))


def test_names_that_do_not_match_are_shown_or_taken_from_a_table(
    write_track: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_track("a.bw", {"NC_1": POSITION})
    with open_signal(path) as track:
        with pytest.raises(MismatchError, match=r"Found: I, II.*Expected: NC_1.*--chrom-style"):
            Assembly(Path("g.gtf"), ["I", "II"]).names_in(track, ["I", "II"])
        table = tmp_path / "names.tsv"
        table.write_text("I\tNC_1\nII\tNC_2\n")
        known = Assembly.of((Path("g.gtf"), ["I", "II"]), table)
        assert known.names_in(track, ["I", "II"]) == {"I": "NC_1"}

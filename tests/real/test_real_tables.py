"""Published counts, sample sheets, results and reporter tiles."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import FormatError
from exprimo.core.sequence import decode
from exprimo.data.counts import read_counts
from exprimo.data.fasta import read_fasta
from exprimo.data.samples import match_samples, read_samples
from exprimo.data.sequence_table import read_sequence_table
from exprimo.data.targets import read_targets

pytestmark = pytest.mark.real

TILES = {"sequence": "core", "target": "combined", "chrom": "chrom", "start": "start"}


def test_gse248760_with_its_class_row(realdata: Path) -> None:
    folder = realdata / "dge" / "gse248760"
    counts = read_counts(folder / "GSE248760_raw_counts.txt.gz")
    assert counts.matrix.shape == (58_174, 8)
    # Column sums as pandas gives them when the class row is skipped by hand.
    assert counts.matrix.sum().tolist() == [
        37_016_214, 38_232_378, 10_409_099, 20_355_256, 51_410_007, 38_898_850, 34_799_122,
        29_100_192,
    ]  # fmt: skip
    assert counts.matrix.loc["ENSG00000227232"].tolist() == [
        1087, 1002, 182, 531, 200, 114, 319, 172,
    ]  # fmt: skip
    assert (counts.matrix.sum(axis=1) == 0).sum() == 20_971

    samples = read_samples(folder / "GSE248760_meta_data.csv")
    matched, samples = match_samples(counts, samples)
    assert counts.classes == samples["status"].to_dict()
    pd.testing.assert_frame_equal(matched.matrix, counts.matrix)


def test_deseq2_results_keep_what_was_not_tested_missing(realdata: Path) -> None:
    results = read_targets(
        realdata / "dge" / "gse248760" / "r_deseq2_full.csv.gz", ["log2FoldChange", "padj"]
    )
    assert len(results) == 58_174
    assert results["padj"].isna().sum() == 33_202
    called = (results["padj"] < 0.05) & (results["log2FoldChange"].abs() > 2)
    assert called.sum() == 4_324


@pytest.mark.parametrize(
    ("strain", "no_feature", "total"),
    [("WT", 31_925_408, 408_478_344), ("Snf2", 34_961_085, 425_132_836)],
)
def test_yeast_replicates_from_a_tar(
    realdata: Path, strain: str, no_feature: int, total: int
) -> None:
    counts = read_counts(realdata / "yeast" / f"profDGE48_{strain}_countdata.tar.gz")
    assert counts.matrix.shape == (7_126, 48)
    assert counts.samples[0].startswith(f"{strain}_rep01_")
    assert counts.samples[-1].startswith(f"{strain}_rep48_")
    assert counts.notes["trailer_rows"] == 5
    assert counts.notes["no_feature"] == no_feature
    assert counts.matrix.to_numpy().sum() == total
    assert not counts.matrix.index.isin(["no_feature", "ambiguous"]).any()


def test_both_strains_have_the_same_genes(realdata: Path) -> None:
    wild, mutant = (
        read_counts(realdata / "yeast" / f"profDGE48_{strain}_countdata.tar.gz").matrix
        for strain in ("WT", "Snf2")
    )
    assert wild.index.equals(mutant.index)
    # The deleted gene shows which strain is which.
    assert mutant.loc["YOR290C"].mean() < 0.05 * wild.loc["YOR290C"].mean()


def test_the_yeast_tar_cut_short(realdata: Path, tmp_path: Path) -> None:
    whole = (realdata / "yeast" / "profDGE48_WT_countdata.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="cut short"):
        read_counts(tmp_path / "cut.tar.gz")


@pytest.mark.parametrize("case", ["synthetic", "continuous", "wide"])
def test_tables_as_r_writes_them(realdata: Path, case: str) -> None:
    folder = realdata / "dge" / "deseq2_references" / case
    counts = read_counts(folder / "test_counts.csv")
    samples = read_samples(folder / "test_metadata.csv")
    matched, _ = match_samples(counts, samples)
    expected = pd.read_csv(folder / "test_counts.csv", index_col=0)
    np.testing.assert_array_equal(matched.matrix.to_numpy(), expected.to_numpy())
    assert set(samples["condition"]) == {"A", "B"}
    if case == "continuous":
        assert samples["measurement"].dtype == np.float64


def test_reporter_tiles(realdata: Path) -> None:
    path = realdata / "gpra" / "native_tiles.tsv.gz"
    began = time.perf_counter()
    tiles = read_sequence_table(
        path,
        **TILES,
        strand="strand",
        prefix="AACTGCATTTTTTTCACATC",
        suffix="GGTTACGGCTGTTTCTTAAT",
        extra_targets=["rep1", "rep2"],
    )
    assert time.perf_counter() - began < 10
    assert tiles.notes["rows"] == 58_010
    assert tiles.notes["dropped_no_target"] == 1_369
    assert tiles.codes.shape == (56_641, 120)
    assert not np.isnan(tiles.targets["combined"]).any()
    both = np.isfinite(tiles.targets["rep1"]) & np.isfinite(tiles.targets["rep2"])
    assert np.corrcoef(tiles.targets["rep1"][both], tiles.targets["rep2"][both])[0, 1] > 0.95


def test_tiles_lie_where_the_table_says(realdata: Path) -> None:
    """Starts count from 0, and minus-strand tiles are given in their own orientation."""
    tiles = read_sequence_table(realdata / "gpra" / "native_tiles.tsv.gz", **TILES, strand="strand")
    genome = dict(
        read_fasta(realdata / "yeast" / "Saccharomyces_cerevisiae.R64-1-1.dna.toplevel.fa.gz")
    )
    complement = np.array([3, 2, 1, 0, 4], dtype=np.uint8)
    native = tiles.examples[tiles.examples["start"] >= 0].iloc[::100]
    assert len(native) > 400
    for row, place in native.iterrows():
        codes = genome[place["chrom"]][place["start"] : place["end"]]
        here = codes if place["strand"] == "+" else complement[codes[::-1]]
        assert decode(here) == decode(tiles.codes[row])

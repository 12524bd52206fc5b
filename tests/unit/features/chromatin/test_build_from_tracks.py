"""The builder on tracks: rows by hand, what is left out, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, ExprimoError, InputError, MismatchError
from exprimo.features.build_summary import BuildSummary
from exprimo.features.chromatin import dataset_chromatin

UP = {
    "g1": [13.5, 17.5, 21.5, 25.5],  # [12, 28), plus
    "g2": [25.5, 21.5, 17.5, 13.5],  # [12, 28) reversed: the TSS base 19 opens bin 2
    "g3": [0.0, 0.0, 2.5, 6.5],  # [-7, 9)
}
# 100 less the position, where there is a chromosome: of bin 1 of g3 only base 0.
DOWN = {gene: [100 - value for value in up] for gene, up in UP.items()} | {
    "g3": [0.0, 25.0, 97.5, 93.5]
}


def build(cells: Any, **options: Any) -> BuildSummary:
    given = {"genes": cells.genes, "signals": cells.tracks, "bins": 4, "bin_size": 4}
    return dataset_chromatin(**{**given, "out": cells.folder / "D.h5", **options})


def hand(factor: float) -> np.ndarray[Any, Any]:
    return factor * np.array([[UP[gene], DOWN[gene]] for gene in UP])


def test_every_gene_in_every_cell_type(cells: Any) -> None:
    made = build(cells, scale="raw")
    assert (made.n_examples, dict(made.dropped)) == (6, {})
    assert "2 cell types (A, B), 2 marks (up, down)" in made.lines
    assert "No expression: a dataset to predict on" in made.lines
    assert any(line.startswith("1 windows leave their chromosome") for line in made.lines)
    with Dataset.open(made.path) as data:
        table = data.examples()
        assert table["example_id"].tolist() == ["A_g1", "A_g2", "A_g3", "B_g1", "B_g2", "B_g3"]
        assert table["cell_type"].tolist() == ["A"] * 3 + ["B"] * 3
        assert table["start"].tolist()[:3] == [12, 12, -7]
        assert table["tss"].tolist()[3:] == [20, 19, 1]
        assert table["clipped"].tolist() == [False, False, True] * 2
        expected = np.concatenate([hand(1), hand(2)])
        np.testing.assert_allclose(data.rows("signal", np.arange(6)), expected, rtol=1e-6)
        assert data.inputs["signal"].labels == ("up", "down")
        context = data.inputs["cell_context"]
        assert (context.n_distinct, context.shape) == (2, (4, 4))
        assert context.labels == ("mean up", "mean down", "sd up", "sd down")
        statistics = np.concatenate([hand(2).mean(axis=0), hand(2).std(axis=0)])
        np.testing.assert_allclose(data.rows("cell_context", np.array([4]))[0], statistics, 1e-5)
        assert "sequence" not in data.inputs
        settings = data.provenance["settings"]
        assert (settings["scale"], settings["bins"], settings["bin_size"]) == ("raw", 4, 4)
        assert len(data.provenance["sources"]) == 5


def test_the_default_scale_is_log1p_and_libraries_get_the_mean_one(cells: Any) -> None:
    build(cells)
    with Dataset.open(cells.folder / "D.h5") as data:
        expected = np.log1p(np.concatenate([hand(1), hand(2)]))
        np.testing.assert_allclose(data.rows("signal", np.arange(6)), expected, rtol=1e-5)
    build(cells, scale="raw", library_size=True, out=cells.folder / "L.h5")
    with Dataset.open(cells.folder / "L.h5") as data:
        found = data.rows("signal", np.arange(6))
        np.testing.assert_allclose(found[:3], found[3:], rtol=1e-5)  # twice the depth, the same
        np.testing.assert_allclose(found[:3, 0], np.array(list(UP.values())) / 19.5, rtol=1e-5)
        # The mean position of 40 bases is 19.5.
        assert data.provenance["library"]["B up"] == pytest.approx(1 / 39)


def test_expression_is_joined_scaled_and_counted(cells: Any) -> None:
    table = cells.write("e.tsv", "gene_id\tB\tA\ng1\t7\t3\ng3\t1\t\nother\t5\t5\n")
    made = build(cells, expression=table, expression_scale="log2")
    assert dict(made.dropped) == {"not in the table of targets": 1}
    assert any("1 not annotated (such as other)" in line for line in made.lines)
    with Dataset.open(made.path) as data:
        assert data.column("gene_id").tolist() == ["g1", "g3"] * 2
        np.testing.assert_array_equal(data.target("expression"), [2.0, np.nan, 3.0, 1.0])
        assert data.targets["expression"].kind == "regression"


def test_marks_are_chosen_and_ordered(cells: Any) -> None:
    build(cells, marks=["down", "up"], scale="raw")
    with Dataset.open(cells.folder / "D.h5") as data:
        assert data.inputs["signal"].labels == ("down", "up")
        np.testing.assert_allclose(
            data.rows("signal", np.array([0]))[0], [DOWN["g1"], UP["g1"]], rtol=1e-6
        )


def test_tracks_may_stand_in_a_table(cells: Any) -> None:
    rows = "".join(track.replace(":", "\t", 2) + "\n" for track in cells.tracks)
    table = cells.write("tracks.tsv", "cell_type\tmark\tfile\n" + rows)
    assert build(cells, signals=(), signal_table=table).n_examples == 6


def test_genes_on_other_chromosomes_are_counted_and_names_reconciled(cells: Any) -> None:
    genes = cells.write("g.bed", "chrI\t20\t30\tg1\t0\t+\nchrIX\t5\t9\tg9\t0\t+\n")
    made = build(cells, genes=genes)
    assert dict(made.dropped) == {"on a chromosome that no track of the first cell type has": 1}
    with Dataset.open(made.path) as data:
        assert data.column("chrom").tolist() == ["chrI"] * 2


def test_a_track_that_lacks_a_chromosome_has_no_signal_there(
    cells: Any, write_track: Callable[..., Path]
) -> None:
    whole = write_track("w.bw", {"I": [1.0] * 40, "II": [2.0] * 40})
    half = write_track("h.bw", {"I": [1.0] * 40})
    genes = cells.write("g.bed", "I\t20\t30\tg1\t0\t+\nII\t20\t30\tg2\t0\t+\n")
    tracks = [f"A:k:{whole}", f"B:k:{half}"]
    made = build(cells, genes=genes, signals=tracks, scale="raw")
    assert any("1 tracks lack a chromosome" in line for line in made.lines)
    with Dataset.open(made.path) as data:
        assert data.rows("signal", np.arange(4))[:, 0, 0].tolist() == [1.0, 2.0, 1.0, 0.0]
        assert data.provenance["lacking"] == {"B k": 1}


def test_own_tsss_and_a_table_of_chromosomes_without_a_genome(
    cells: Any, write_track: Callable[..., Path]
) -> None:
    track = write_track("n.bw", {"NC_1": list(range(40)), "NC_2": [1.0] * 40})
    genes = "I\t20\t30\tg1\t0\t+\nII\t5\t9\tg2\t0\t+\nIII\t5\t9\tg3\t0\t+\n"
    own = "gene_id\tchrom\ttss\tstrand\ng1\tchrI\t21\t-\ng3\tIII\t7\t+\n"
    options = {
        "genes": cells.write("g.bed", genes), "tss": cells.write("tss.tsv", own),
        "chrom_style": cells.write("names.tsv", "I\tNC_1\nII\tNC_2\n"),
    }  # fmt: skip
    made = build(cells, signals=[f"A:k4:{track}"], scale="raw", **options)
    assert made.n_examples == 1
    assert dict(made.dropped) == {
        "on a chromosome that no track of the first cell type has": 1,
        "TSS of a gene that the annotation does not have": 1,
        "no TSS in the table": 1,
    }, "g3 twice, as the annotation lists it and as the table does; g2"
    with Dataset.open(made.path) as data:
        assert (data.column("chrom")[0], data.column("tss")[0]) == ("I", 20)
        # [13, 29) reversed.
        assert data.rows("signal", np.array([0]))[0, 0].tolist() == [26.5, 22.5, 18.5, 14.5]


def test_reads_are_counted_per_bin_and_per_million(cells: Any) -> None:
    # One read over the border of bins 1 and 2 of both genes counts in either, as bedtools does.
    reads = cells.write("r.bed", "I\t18\t22\tr1\t0\t+\nI\t26\t27\tr2\t0\t-\n")
    build(cells, signals=[f"A:k4:{reads}"], scale="raw", library_size=True)
    with Dataset.open(cells.folder / "D.h5") as data:
        found = data.rows("signal", np.arange(3))[:, 0] / 5e5
        assert found.tolist() == [[0, 1, 1, 1], [1, 1, 1, 0], [0, 0, 0, 0]]
        assert data.provenance["library"] == {"A k4": 5e5}


def refused(cells: Any, kind: type[ExprimoError], message: str, **options: Any) -> None:
    with pytest.raises(kind, match=message):
        build(cells, **options)
    assert not (cells.folder / "D.h5").exists()
    assert not list(cells.folder.glob(".D*"))


def test_what_does_not_fit_is_refused_and_leaves_nothing(cells: Any) -> None:
    far = cells.write("far.bed", "I\t50\t60\tg1\t0\t+\n")
    strange = cells.write("strange.bed", "Z9\t5\t60\tg1\t0\t+\n")
    unknown = cells.write("unknown.tsv", "gene_id\tA\tB\nx\t1\t1\n")
    one = cells.write("one.tsv", "gene_id\tA\tB\ng1\t1\tNA\n")
    lacking = cells.write("lacking.tsv", "gene_id\tA\ng1\t1\n")
    refused(cells, MismatchError, "g1 at I:51: 1 TSSs lie beyond the end", genes=far)
    refused(cells, MismatchError, "Found: Z9. Expected: I", genes=strange)
    refused(cells, MismatchError, "no gene of the targets.*Found: x", expression=unknown)
    refused(cells, InputError, "cell type B: a cell type without any expr", expression=one)
    refused(cells, InputError, "no such cell type.*'B'.*A", expression=lacking)
    refused(cells, InputError, "cell type B, mark down", signals=cells.tracks[:3])
    refused(cells, ConfigError, "B:down: two files", signals=[*cells.tracks, cells.tracks[3]])


def test_options_that_do_not_go_together_are_refused(cells: Any) -> None:
    refused(cells, ConfigError, "need an annotation", genes=None)
    refused(cells, ConfigError, "Found: neither", signals=())
    refused(cells, ConfigError, "Found: both", binned=["x.npz"])
    refused(cells, ConfigError, "beside tracks. Found: --sequences", sequences="s.csv")
    refused(cells, ConfigError, "needs a table of expression", gene_names="n.tsv")
    refused(cells, ConfigError, "no such scale", scale="log10")
    refused(cells, ConfigError, "0 bins of 4 bases", bins=0)
    refused(
        cells, ConfigError, "beside binned files. Found: --bins, --bin-size",
        signals=(), binned=["x.npz"],
    )  # fmt: skip


def test_signal_below_zero_or_without_a_number_names_its_track(
    cells: Any, write_track: Callable[..., Path]
) -> None:
    below = write_track("b.bw", {"I": [-1.0] * 40})
    tracks = [f"A:k4:{below}"]
    refused(cells, InputError, "cell type A, mark k4: a signal below 0", signals=tracks)
    nothing = write_track("n.bw", {"I": [float("nan")] * 40})
    refused(cells, InputError, r"n\.bw, I:\d+.*no finite number", signals=[f"A:k4:{nothing}"])


def test_signal_behind_the_end_of_a_chromosome_is_of_another_build(cells: Any) -> None:
    # A bedGraph knows no lengths; the genome does.
    cells.write("genome.fa", ">I\n" + "ACGT" * 8 + "\n")
    long = cells.write("long.bedgraph", "I\t0\t40\t1\n")
    whole = cells.write("whole.bedgraph", "I\t0\t32\t1\n")
    given = {"genes": cells.genes, "fasta": cells.folder / "genome.fa", "bins": 8, "bin_size": 4}
    with pytest.raises(MismatchError, match="behind the end of a chromosome"):
        dataset_chromatin(signals=[f"A:up:{long}"], out=cells.folder / "L.h5", **given)
    assert not (cells.folder / "L.h5").exists()
    made = dataset_chromatin(signals=[f"A:up:{whole}"], out=cells.folder / "W.h5", **given)
    assert made.n_examples == 3

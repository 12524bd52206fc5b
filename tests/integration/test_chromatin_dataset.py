"""From tracks, annotation and genome to a dataset, by the command, both strands by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pybigtools
import pytest

import exprimo
from exprimo.cli import main as cli
from exprimo.core.sequence import decode
from exprimo.features.chromatin import attach_kmer_bins, choose_vocabulary

#          0         1         2         3
#          0123456789012345678901234567890123456789
GENOME = "AAAAACCCCCGGGGGTTTTTACGTACGTAATTCCGGACGT"
# The TSS of ``fwd`` is base 20 (plus), that of ``rev`` base 19 (minus).
GENES = "chrI\t20\t30\tfwd\t0\t+\nchrI\t10\t20\trev\t0\t-\n"
BINS = ["--bins", "4", "--bin-size", "4"]


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, str, str]:
    line = ["exprimo", "dataset", "chromatin", *map(str, arguments)]
    monkeypatch.setattr("sys.argv", line)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write the files, and give the options that name them."""
    monkeypatch.chdir(tmp_path)
    Path("genome.fa").write_text(f">I\n{GENOME}\n")
    Path("genes.bed").write_text(GENES)
    Path("e.tsv").write_text("gene_id\tliver\tbrain\nrev\t3\t1\nfwd\t0\t7\nelse\t1\t1\n")
    options = ["--genes", "genes.bed", "--fasta", "genome.fa", "--expression", "e.tsv", *BINS]
    for cell, factor in (("liver", 1.0), ("brain", 10.0)):
        for mark, sign in (("H3K4me3", 1.0), ("H3K9me3", 0.0)):
            signal = [("I", at, at + 1, factor * at * sign) for at in range(len(GENOME))]
            pybigtools.open(f"{cell}.{mark}.bw", "w").write({"I": len(GENOME)}, iter(signal))
            options += ["--signal", f"{cell}:{mark}:{cell}.{mark}.bw"]
    return options


def test_both_strands_by_hand(
    world: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*world, "--scale", "raw", "--expression-scale", "log2", "-o", "D.h5"]
    code, out, err = call(monkeypatch, capsys, *options)
    assert (code, err) == (0, "")
    assert out.startswith("4 examples of 4 bins written to D.h5")
    assert "2 cell types (liver, brain), 2 marks (H3K4me3, H3K9me3)" in out
    with exprimo.Dataset.open("D.h5") as data:
        assert list(data.column("example_id")) == [
            "liver_fwd", "liver_rev", "brain_fwd", "brain_rev",
        ]  # fmt: skip
        assert list(data.column("chrom")) == ["I"] * 4
        signal = data.rows("signal", np.arange(4))
        # Bases 12-15, 16-19, 20-23, 24-27; on the minus strand 27-24, 23-20, 19-16, 15-12.
        forward = [13.5, 17.5, 21.5, 25.5]
        np.testing.assert_allclose(signal[0, 0], forward, rtol=1e-6)
        np.testing.assert_allclose(signal[1, 0], forward[::-1], rtol=1e-6)
        np.testing.assert_allclose(signal[2:], signal[:2] * 10, rtol=1e-6)
        assert not signal[:, 1].any()
        letters = [decode(row) for row in data.rows("sequence", np.arange(2))]
        # The window of ``rev`` is the same 16 bases, on the other strand.
        assert letters == ["GGGTTTTTACGTACGT", "ACGTACGTAAAAACCC"]
        assert letters[1][8] == "A", "the complement of base 19, where bin 2 begins"
        assert data.inputs["sequence"].n_distinct == 2
        context = data.rows("cell_context", np.array([3]))[0]
        np.testing.assert_allclose(context[0], [195.0] * 4, rtol=1e-6)
        np.testing.assert_allclose(context[2], [60.0, 20.0, 20.0, 60.0], rtol=1e-6)
        np.testing.assert_allclose(data.target("expression"), [0.0, 2.0, 3.0, 1.0])
        assert attach_kmer_bins(data)
        assert choose_vocabulary(data, np.arange(4), least=4) == ("ACG", "CGT")
        settings = data.provenance["settings"]
        assert settings["marks"] == ["H3K4me3", "H3K9me3"]
        assert (settings["scale"], settings["expression_scale"]) == ("raw", "log2")


def test_json_and_the_same_bytes_again(
    world: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(monkeypatch, capsys, *world, "-o", "D.h5", "--json")
    assert (code, err) == (0, "")
    facts = json.loads(out)
    assert (facts["n_examples"], facts["dropped"]) == (4, {})
    call(monkeypatch, capsys, *world, "-o", "E.h5", "--json")
    with exprimo.Dataset.open("D.h5") as first, exprimo.Dataset.open("E.h5") as second:
        assert first.sha256 == second.sha256


def test_bad_input_is_one_message(
    world: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(monkeypatch, capsys, *world[:-2], "-o", "D.h5")
    assert (code, out) == (2, "")
    assert "cell type brain, mark H3K9me3: a mark of a cell type is missing" in err
    pybigtools.open("brain.H3K9me3.bw", "w").write({"I": 50}, iter([("I", 0, 50, 1.0)]))
    code, out, err = call(monkeypatch, capsys, *world, "-o", "D.h5")
    assert (code, out) == (2, "")
    assert "Found: 50 bases. Expected: 40 bases" in err
    assert not [path for path in Path().iterdir() if "D" in path.name]

"""Four people, five genes, and a model whose every prediction can be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from exprimo.core.predictor import Floats
from exprimo.core.sequence import Codes, decode, encode, reverse_complement
from exprimo.scoring.personal import personal
from exprimo.scoring.personal import sources as sources_module

UPSTREAM, DOWNSTREAM = 12, 8
LENGTH = UPSTREAM + DOWNSTREAM
WEIGHTS = np.random.default_rng(5).normal(size=(2, LENGTH, 5))
# gene: chromosome, TSS, strand
GENES = {
    "g1": ("1", 100, "+"),
    "g2": ("1", 200, "-"),
    "g3": ("1", 320, "+"),
    "gx": ("X", 60, "+"),
    "gm": ("M", 50, "+"),
}


class Sums:
    """A SequenceModel whose every prediction can be worked out by hand; it counts its rows."""

    name, digest = "sums", "ab" * 32
    upstream, downstream = UPSTREAM, DOWNSTREAM
    tracks = ("liver", "blood")
    bin_size, first_bin, n_bins = 10, 0, 2
    positive = False

    def __init__(self) -> None:
        self.rows = 0
        self.largest = 0

    @staticmethod
    def truth(sequence: str) -> list[float]:
        """Predict two tracks of one window: a weight for the base at each position, summed."""
        codes = encode(sequence)
        return [float(w[np.arange(LENGTH), codes].sum()) for w in WEIGHTS]

    def predict(self, codes: Codes) -> Floats:
        self.rows += len(codes)
        self.largest = max(self.largest, len(codes))
        found = np.stack([w[np.arange(LENGTH), codes].sum(axis=1) for w in WEIGHTS], axis=1)
        # Two bins whose mean is the prediction.
        return np.stack([found - 1, found + 1], axis=2).astype(np.float32)

    def rows_at_once(self) -> int:
        return 1


class People(NamedTuple):
    """A folder with a genome, genes and genotypes."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def files(self) -> dict[str, Any]:
        return {
            "genotypes": self / "v.vcf",
            "fasta": self / "g.fa",
            "genes": self / "genes.tsv",
        }

    def run(self, out: Path, **more: Any) -> Any:
        return personal("sums", out, **{**self.files(), **more})

    def tss(self, gene: str) -> int:
        return GENES[gene][1]

    def reference(self, gene: str) -> str:
        """Give the window of a gene without variants."""
        chrom, tss, strand = GENES[gene]
        records = (self / "g.fa").read_text().split(">")
        text = dict(part.split("\n")[:2] for part in records if part)[chrom]
        if strand == "+":
            return text[tss - UPSTREAM : tss + DOWNSTREAM]
        window = text[tss - DOWNSTREAM + 1 : tss + UPSTREAM + 1]
        return decode(reverse_complement(encode(window)))


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Sums:
    made = Sums()
    monkeypatch.setattr(sources_module, "open_sequence_model", lambda *given, **named: made)
    return made


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> People:
    """A genome, genes on both strands, and four people, of whom one has no variant."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(3)
    genome = {name: "".join(rng.choice(list("ACGT"), 400)) for name in ("1", "X", "M")}
    (folder / "g.fa").write_text("".join(f">{n}\n{s}\n" for n, s in genome.items()))
    rows = ["gene_id\tchrom\ttss\tstrand"]
    rows += [f"{name}\t{c}\t{tss + 1}\t{strand}" for name, (c, tss, strand) in GENES.items()]
    (folder / "genes.tsv").write_text("\n".join(rows) + "\n")

    def other(chrom: str, at: int) -> str:
        return {"A": "C", "C": "G", "G": "T", "T": "A"}[genome[chrom][at]]

    first, last = genome["1"][95], genome["1"][205:208]
    records = [
        # (chrom, start, ref, alt), genotypes of ann, bob, cy, dee
        ("1", 95, first, other("1", 95), "0|1 1|1 0|0 0|1"),
        ("1", 103, genome["1"][103], genome["1"][103] + "TT", "0|1 0|1 0|0 1|0"),
        ("1", 205, last, last[0], "1|0 0|0 0|0 1|0"),
        ("X", 57, genome["X"][57], other("X", 57), "0|1 1 0 0|0"),
    ]
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={n},length=400>" for n in ("1", "X"))]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    header = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT ann bob cy dee"
    lines.append(header.replace(" ", "\t"))
    for chrom, start, ref, alt, calls in records:
        fields = [chrom, start + 1, ".", ref, alt, ".", ".", ".", "GT", *calls.split()]
        lines.append("\t".join(map(str, fields)))
    text = "\n".join(lines) + "\n"
    (folder / "v.vcf").write_text(text)
    (folder / "unphased.vcf").write_text(text.replace("|", "/"))
    return People(folder)

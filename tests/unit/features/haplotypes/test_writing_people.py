"""A dataset of people: both copies of a person as inputs of one example."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.features.haplotypes import haplotypes
from exprimo.features.haplotypes.writing import dataset as dataset_writer

HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=X>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tbob\tcid\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two genes; of X the men bob and cid have one copy."""
    rng = np.random.default_rng(4)
    letters = {name: "".join(rng.choice(list("ACGT"), 200)) for name in ("1", "X")}
    (tmp_path / "g.fa").write_text("".join(f">{n}\n{text}\n" for n, text in letters.items()))
    (tmp_path / "g.tsv").write_text("gene_id\tchrom\ttss\tstrand\ng1\t1\t101\t+\ngx\tX\t101\t-\n")
    rows = [("1", 94, "0|1\t0|0\t1|0"), ("1", 98, "1|0\t0|0\t0|1"), ("X", 99, "0|1\t1\t0")]
    lines = []
    for chrom, start, calls in rows:
        ref = letters[chrom][start]
        alt = "A" if ref != "A" else "C"
        lines.append(f"{chrom}\t{start + 1}\t.\t{ref}\t{alt}\t.\t.\t.\tGT\t{calls}\n")
    (tmp_path / "g.vcf").write_text(HEAD + "".join(lines))
    (tmp_path / "e.tsv").write_text("gene_id\tann\tcid\ng1\t1.5\t2.5\ngx\t3.5\tNA\n")
    return tmp_path


def make(folder: Path, out: str, **options: Any) -> Path:
    files = [folder / name for name in ("g.vcf", "g.fa", "g.tsv", out)]
    return haplotypes(*files, upstream=20, downstream=10, **options).path


def test_an_example_is_a_person_with_both_copies(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expression = folder / "e.tsv"
    one = Dataset.open(make(folder, "C.h5", expression=expression))
    # Whether examples and sequences come at once or few at a time changes nothing.
    monkeypatch.setattr(dataset_writer, "_EXAMPLES", 2)
    monkeypatch.setattr(dataset_writer, "CHUNK_BYTES", 30)
    both = Dataset.open(make(folder, "P.h5", per="person", expression=expression))
    again = Dataset.open(make(folder, "A.h5", expression=expression))
    with one, both, again:
        assert again.sha256 == one.sha256
        people, copies = both.examples(), one.examples()
        assert people["example_id"].tolist() == [
            f"{gene}:{who}" for gene in ("g1", "gx") for who in ("ann", "bob", "cid")
        ]
        assert set(copies.columns) - set(people.columns) == {"haplotype"}
        rows = one.rows("sequence", np.arange(len(one)))
        codes = dict(zip(copies["example_id"], rows, strict=True))
        assert len(codes) == 6 + 4
        first, second = (both.rows(name, np.arange(6)) for name in ("sequence", "sequence_2"))
        for row, example in enumerate(people["example_id"]):
            np.testing.assert_array_equal(first[row], codes[f"{example}:1"])
            # A man's X is his only copy, and stands in both places.
            other = codes.get(f"{example}:2", codes[f"{example}:1"])
            np.testing.assert_array_equal(second[row], other)
        assert (first[0] != second[0]).any()
        np.testing.assert_array_equal(first[4], second[4])
        np.testing.assert_array_equal(
            both.target("expression"), [1.5, np.nan, 2.5, 3.5, np.nan, np.nan]
        )
        # cid's first copy of g1 is ann's second: stored once in each input that holds it.
        assert both.inputs["sequence"].n_distinct == 5
        assert both.provenance["settings"]["per"] == "person"


def test_each_drawn_phasing_of_a_person_is_an_example(folder: Path) -> None:
    text = (folder / "g.vcf").read_text().replace("|", "/")
    (folder / "g.vcf").write_text(text)
    with Dataset.open(make(folder, "P.h5", per="person", unphased=4, gene=["g1"])) as data:
        table = data.examples()
        pairs = np.stack([data.rows(name, np.arange(12)) for name in ("sequence", "sequence_2")])
    assert table["example_id"].tolist()[:5] == [
        "g1:ann:1", "g1:ann:2", "g1:ann:3", "g1:ann:4", "g1:bob:1"
    ]  # fmt: skip
    # Whatever is drawn, both copies together carry what the person carries.
    assert len({np.sort(pairs[:, row], axis=0).tobytes() for row in range(4)}) == 1


@pytest.mark.parametrize(("out", "per"), [("H.fa", "person"), ("H.h5", "people")])
def test_what_an_example_cannot_be_is_refused(folder: Path, out: str, per: Any) -> None:
    with pytest.raises(ConfigError):
        make(folder, out, per=per)
    assert not (folder / out).exists()


@pytest.mark.slow
def test_memory_does_not_grow_with_examples(tmp_path: Path) -> None:
    people = [f"person{number}" for number in range(2000)]
    rng = np.random.default_rng(1)
    letters = "".join(rng.choice(list("ACGT"), 4000))
    (tmp_path / "g.fa").write_text(f">1\n{letters}\n")
    genes = [f"g{n}\t1\t{100 + 30 * n}\t+\n" for n in range(100)]
    (tmp_path / "g.tsv").write_text("gene_id\tchrom\ttss\tstrand\n" + "".join(genes))
    head = HEAD.replace("ann\tbob\tcid", "\t".join(people))
    calls = "\t".join(["0|1"] * len(people))
    alt = "A" if letters[98] != "A" else "C"
    variant = f"1\t99\t.\t{letters[98]}\t{alt}\t.\t.\t.\tGT\t{calls}\n"
    (tmp_path / "g.vcf").write_text(head + variant)
    first = pd.read_csv(tmp_path / "g.tsv", sep="\t")["gene_id"].iloc[:2].tolist()

    def write(out: str, **options: Any) -> int:
        made = make(tmp_path, out, **options)
        with Dataset.open(made) as data:
            return len(data)

    assert write("few.h5", gene=first) == 8_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert write("many.h5") == 400_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # 440 bytes an example would be 170 MiB.
    assert grown < 60 * 1024

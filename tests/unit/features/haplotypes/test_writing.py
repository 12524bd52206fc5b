"""Haplotypes of genes in files: a dataset, or FASTA."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pysam
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.sequence import decode
from exprimo.data.fasta import Genome
from exprimo.features.haplotypes import haplotypes
from exprimo.features.haplotypes.writing import dataset as dataset_writer

HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=2>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tbob\tcid\n"
)


class World(NamedTuple):
    """Files of two chromosomes with three genes; genotypes of the first chromosome alone."""

    folder: Path
    letters: dict[str, str]

    def make(self, out: str = "H.h5", **options: Any) -> Any:
        given = {"upstream": 20, "downstream": 10, "genes": self.folder / "g.tsv"}
        given.update(options)
        genes = given.pop("genes")
        return haplotypes(
            self.folder / "g.vcf", self.folder / "g.fa", genes, self.folder / out, **given
        )

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


@pytest.fixture
def world(tmp_path: Path) -> World:
    rng = np.random.default_rng(4)
    letters = {f"chr{n}": "".join(rng.choice(list("ACGT"), 200)) for n in (1, 2)}
    made = World(tmp_path, letters)
    made.write("g.fa", "".join(f">{name}\n{text}\n" for name, text in letters.items()))
    made.write(
        "g.tsv",
        "gene_id\tchrom\ttss\tstrand\ng1\t1\t101\t+\ng2\t1\t121\t-\ng3\t2\t101\t+\n",
    )
    first = letters["chr1"]
    rows = [
        (94, first[94:97], first[94], "0|1\t0|0\t1|1"),
        (98, first[98], "A" if first[98] != "A" else "C", "1|0\t0|0\t1|1"),
    ]
    lines = [f"1\t{s + 1}\t.\t{ref}\t{alt}\t.\t.\t.\tGT\t{gt}\n" for s, ref, alt, gt in rows]
    made.write("g.vcf", HEAD + "".join(lines))
    return made


def test_one_example_per_gene_person_and_haplotype(world: World) -> None:
    made = world.make()
    assert (made.n_genes, made.n_people, made.n_examples) == (2, 3, 12)
    assert made.dropped == {"on a chromosome without genotypes": 1}
    with Dataset.open(made.path) as data:
        table = data.examples()
        codes = data.rows("sequence", np.arange(12))
        facts = data.provenance
    assert table["example_id"].tolist()[:3] == ["g1:ann:1", "g1:ann:2", "g1:bob:1"]
    assert table["individual"].tolist() == ["ann", "ann", "bob", "bob", "cid", "cid"] * 2
    assert table["haplotype"].tolist() == ["1", "2"] * 6
    assert table["tss"].tolist() == [100] * 6 + [120] * 6
    assert table.loc[0, ["chrom", "start", "end", "strand"]].tolist() == ["chr1", 80, 110, "+"]
    assert decode(codes[2]) == world.letters["chr1"][80:110]
    deleted = world.letters["chr1"][78:95] + world.letters["chr1"][97:110]
    assert decode(codes[1]) == deleted
    settings = facts["settings"]
    assert (settings["upstream"], settings["downstream"]) == (20, 10)
    assert {Path(one["path"]).name for one in facts["sources"]} == {"g.fa", "g.tsv", "g.vcf"}
    assert made.lines[0].startswith("12 examples of 30 bases (2 genes, 3 people, ")


def test_equal_haplotypes_are_stored_once(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(dataset_writer, "CHUNK_BYTES", 60)  # two sequences at a time
    made = world.make(gene=["g1"])
    with Dataset.open(made.path) as data:
        codes = data.rows("sequence", np.arange(6))
        index = data.index("sequence")
    assert made.n_distinct == 4
    assert index.tolist() == [0, 1, 2, 2, 3, 3]
    assert len(np.unique(codes, axis=0)) == 4
    np.testing.assert_array_equal(codes[2], codes[3])
    np.testing.assert_array_equal(codes[4], codes[5])


def test_expression_becomes_the_target(world: World) -> None:
    bed = world.write(
        "e.bed", "#chr\tstart\tend\tphenotype_id\tcid\tann\textra\n1\t100\t101\tg1\t2.5\tNA\t9\n"
    )
    made = world.make(expression=bed)
    assert made.n_genes == 1
    assert made.dropped["not in the table of expression"] == 1
    with Dataset.open(made.path) as data:
        target = data.target("expression")
    np.testing.assert_array_equal(target, [np.nan] * 4 + [2.5, 2.5])


def test_expression_of_other_people_or_genes_is_refused(world: World) -> None:
    with pytest.raises(MismatchError, match="no person of the genotypes"):
        world.make(expression=world.write("o.tsv", "gene_id\tdora\ng1\t1\n"))
    with pytest.raises(MismatchError, match="no gene is in the table of expression"):
        world.make(expression=world.write("p.tsv", "gene_id\tann\nother\t1\n"))


def test_fasta_has_a_record_per_distinct_sequence(world: World) -> None:
    made = world.make("H.fa.gz", gene=["g1"])
    assert made.n_examples == 4
    with pysam.FastxFile(str(made.path)) as file:
        records = {record.name: (record.sequence, record.comment) for record in file}
    assert list(records) == ["g1_h1", "g1_h2", "g1_h3", "g1_h4"]
    assert records["g1_h3"][0] == world.letters["chr1"][80:110]
    assert records["g1_h3"][1] == "chr1:81-110(+) tss=101 copies=2 carriers=bob:1,bob:2"
    assert records["g1_h4"][1].endswith("copies=2 carriers=cid:1,cid:2")
    with Genome.open(made.path) as genome:  # bgzip: read by position
        assert genome.lengths["g1_h1"] == 30


def test_fasta_of_each_person_and_the_same_bytes_again(world: World) -> None:
    made = world.make("a.fa.gz", each=True, gene=["g2"])
    again = world.make("b.fa.gz", each=True, gene=["g2"])
    assert made.n_examples == 6
    assert made.path.read_bytes() == again.path.read_bytes()
    with pysam.FastxFile(str(made.path)) as file:
        names = [record.name for record in file]
    assert names[:3] == ["g2_ann_1", "g2_ann_2", "g2_bob_1"]


def test_random_phasings_are_examples_of_their_own(world: World) -> None:
    text = (world.folder / "g.vcf").read_text().replace("0|1", "0/1").replace("1|0", "1/0")
    world.write("g.vcf", text)
    with pytest.raises(MismatchError, match="person ann"):
        world.make()
    made = world.make(unphased=3, gene=["g1"])
    assert made.n_examples == 18
    with Dataset.open(made.path) as data:
        table = data.examples()
    assert table["phasing"].tolist()[:4] == ["1", "2", "3", "1"]
    assert table["example_id"].iloc[4] == "g1:ann:2:2"


def test_an_annotation_and_names_choose_genes(world: World) -> None:
    gtf = world.write(
        "g.gtf",
        '1\tx\tgene\t101\t150\t.\t+\t.\tgene_id "g1"; gene_name "ALPHA";\n'
        '1\tx\tgene\t51\t121\t.\t-\t.\tgene_id "g2"; gene_name "BETA";\n',
    )
    made = world.make(genes=gtf, gene=["BETA"], samples=["bob"])
    with Dataset.open(made.path) as data:
        assert data.examples()["tss"].tolist() == [120, 120]
    with pytest.raises(InputError, match=r"no such gene.*nearest name is 'BETA'"):
        world.make("I.h5", genes=gtf, gene=["BETTA"])


def test_windows_and_people_that_are_not_there_are_refused(world: World) -> None:
    with pytest.raises(InputError, match="longer than its chromosome"):
        world.make(upstream=150, downstream=51)
    with pytest.raises(InputError, match="nobody"):
        world.make(samples=["nobody"])
    only_second = world.write("s.tsv", "gene_id\tchrom\ttss\tstrand\ng3\t2\t101\t+\n")
    with pytest.raises(MismatchError, match="no gene lies on a chromosome that has genotypes"):
        world.make(genes=only_second)
    beyond = world.write("b.tsv", "gene_id\tchrom\ttss\tstrand\ng3\t1\t301\t+\n")
    with pytest.raises(MismatchError, match="beyond the end"):
        world.make(genes=beyond)
    assert not list(world.folder.glob("*.h5"))


@pytest.mark.parametrize(
    ("out", "options"),
    [
        ("H.txt", {}),
        ("H.h5", {"unphased": "mixture"}),
        ("H.h5", {"each": True}),
        ("H.fa", {"expression": "e.tsv"}),
        ("H.h5", {"downstream": None}),
    ],
)
def test_choices_that_do_not_go_together_are_refused(
    world: World, out: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        world.make(out, **options)

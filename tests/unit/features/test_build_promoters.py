"""From genome, annotation and targets to a dataset, and each thing that can be wrong with them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.core.sequence import decode
from exprimo.features.build_promoters import dataset_promoters
from exprimo.features.kmers import count_kmers, kmer_names

World = Any
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def expected_window(world: World, gene: int, upstream: int, downstream: int) -> str:
    """Cut a promoter by hand."""
    _, chrom, _, strand = world.genes[gene]
    text, at = world.chromosomes[chrom], world.tss(gene)
    if strand == "+":
        places = range(at - upstream, at + downstream)
    else:
        places = range(at + upstream, at - downstream, -1)
    letters = "".join(text[p] if 0 <= p < len(text) else "N" for p in places)
    return letters if strand == "+" else letters.translate(COMPLEMENT)


def write_targets(world: World, values: dict[str, str], column: str = "expression") -> Path:
    rows = "".join(f"{gene}\t{value}\n" for gene, value in values.items())
    return world.write("targets.tsv", f"gene_id\t{column}\n{rows}")  # type: ignore[no-any-return]  # fixture


def numbers(world: World) -> dict[str, str]:
    return {gene[0]: str(n + 0.5) for n, gene in enumerate(world.genes)}


def build(world: World, **options: Any) -> Any:
    given = {"fasta": world.fasta, "genes": world.gtf, "out": world.folder / "D.h5"}
    return dataset_promoters(**{**given, "upstream": 80, "downstream": 30, **options})


def test_each_window_is_what_was_cut_by_hand(world: World) -> None:
    made = build(world, targets=write_targets(world, numbers(world)))
    assert (made.n_examples, made.dropped) == (40, {})
    with Dataset.open(made.path) as data:
        examples = data.examples()
        codes = data.rows("sequence", np.arange(40))
        target = data.target("expression")
        origin = data.provenance
    assert examples["example_id"].tolist() == [gene[0] for gene in world.genes]
    for number, row in enumerate(codes):
        assert decode(row) == expected_window(world, number, 80, 30)
    np.testing.assert_array_equal(target, np.arange(40) + 0.5)
    assert examples["tss"].tolist() == [world.tss(number) for number in range(40)]
    assert examples["clipped"].sum() == 2  # the first gene of each chromosome begins at base 50
    fasta = origin["sources"][0]
    assert fasta["sha256"] == hashlib.sha256(world.fasta.read_bytes()).hexdigest()
    assert origin["genome_fit"]["atg_fraction"] == 1.0
    assert origin["settings"]["upstream"] == 80


def test_the_summary_says_in_words_what_happened(world: World) -> None:
    values = numbers(world)
    del values["g1_00"], values["g1_01"]
    values |= {"g1_05": "", "stranger": "3"}
    made = build(world, targets=write_targets(world, values))
    assert made.n_bytes == made.path.stat().st_size
    assert made.dropped == {"not in the table of targets": 2, "no value of any target": 1}
    assert made.lines == (
        f"37 examples of 110 bases written to {made.path} ({made.n_bytes / 1e3:.1f} kB)",
        "2 left out: not in the table of targets",
        "1 left out: no value of any target",
        "Annotation and genome: fits (100% of 40 CDS start with ATG, 100% of 40 introns are GT–AG)",
        "Genes of targets.tsv: 38 by id, 0 by name, 1 not annotated (such as stranger)",
        "Target expression: regression, 37 values, 2.5 to 39.5",
        "1 windows leave their chromosome: padded with N and flagged",
    )


def test_without_targets_all_genes_are_kept(world: World) -> None:
    made = build(world)
    with Dataset.open(made.path) as data:
        assert (len(data.examples()), dict(data.targets)) == (40, {})


def test_labels_become_a_class_and_untested_genes_are_never_negative(world: World) -> None:
    values = {gene[0]: str(n % 2) for n, gene in enumerate(world.genes)} | {"g2_00": "NA"}
    made = build(world, targets=write_targets(world, values, "changed"))
    with Dataset.open(made.path) as data:
        assert data.targets["changed"].kind == "classification"
        assert "g2_00" not in set(data.examples()["gene_id"])
        assert set(data.target("changed").tolist()) == {0.0, 1.0}


def test_numbers_that_are_no_classes_are_refused_as_classes(world: World) -> None:
    targets = write_targets(world, numbers(world))
    with pytest.raises(FormatError, match="a class label is neither 0, 1 nor missing"):
        build(world, targets=targets, kind="classification")
    assert not (world.folder / "D.h5").exists()


def test_several_targets_keep_genes_that_have_one_of_them(world: World) -> None:
    rows = ["gene_id\ta\tb\n", "g1_00\t1.5\t\n", "g1_01\t\t2\n", "g1_02\t\t\n", "g1_03\t0\t1\n"]
    targets = world.write("two.tsv", "".join(rows))
    made = build(world, targets=targets, target=["a", "b"])
    with Dataset.open(made.path) as data:
        np.testing.assert_array_equal(data.target("a"), [1.5, np.nan, 0])
        np.testing.assert_array_equal(data.target("b"), [np.nan, 2, 1])


def test_of_several_columns_one_must_be_chosen(world: World) -> None:
    targets = world.write("two.tsv", "gene_id\ta\tb\ng1_00\t1\t2\n")
    with pytest.raises(InputError, match=r"say which target.*Found: a, b"):
        build(world, targets=targets)


def test_names_are_joined_by_a_table_and_both_are_kept(world: World) -> None:
    pairs = "".join(f"Y{gene[0]}\t{gene[0]}\n" for gene in world.genes)
    values = {f"Y{gene}": value for gene, value in numbers(world).items()}
    made = build(
        world,
        targets=write_targets(world, values),
        gene_names=world.write("names.tsv", pairs),
    )
    with Dataset.open(made.path) as data:
        assert data.examples()["gene_id"].iloc[3] == "g1_03"
        assert data.examples()["target_gene_id"].iloc[3] == "Yg1_03"
        assert data.target("expression")[3] == 3.5
        assert data.provenance["gene_names"]["by_name"] == 40
        assert len(data.provenance["sources"]) == 4


def test_the_annotations_own_names_serve_without_a_table(world: World) -> None:
    values = {f"name_{gene}": value for gene, value in numbers(world).items()}
    made = build(world, targets=write_targets(world, values))
    assert "Genes of targets.tsv: 0 by id, 40 by name" in made.lines


def test_gene_ids_without_overlap_show_the_heads_of_both(world: World) -> None:
    targets = write_targets(world, {"YAL001C": "1.5", "YAL002W": "2"})
    with pytest.raises(MismatchError) as caught:
        build(world, targets=targets)
    message = str(caught.value)
    assert "Found: YAL001C, YAL002W" in message
    assert "Expected: g1_00, g1_01" in message
    assert "--gene-names" in message
    assert not (world.folder / "D.h5").exists()


def test_ensembl_versions_of_one_gene_are_refused(world: World) -> None:
    values = {"ENSG00000000003.1": "1", "ENSG00000000003.2": "2", "g1_00": "1"}
    with pytest.raises(FormatError, match=r"two versions.*ENSG00000000003"):
        build(world, targets=write_targets(world, values))


def test_a_gene_listed_twice_is_refused(world: World) -> None:
    targets = world.write("twice.tsv", "gene_id\tx\ng1_00\t1\ng1_01\t2\ng1_00\t3\n")
    with pytest.raises(FormatError, match=r"'g1_00'.*lines 2 and 4"):
        build(world, targets=targets)


def test_chromosome_styles_are_reconciled_and_losses_counted(
    world: World, write_genome: Any
) -> None:
    fasta = write_genome({"1": world.chromosomes["chr1"]}, "one.fa")
    made = build(world, fasta=fasta)
    assert made.dropped == {"on a chromosome that the genome does not have": 20}
    with Dataset.open(made.path) as data:
        assert set(data.examples()["chrom"]) == {"1"}
        assert data.provenance["chromosomes"] == {"chr1": "1"}


def test_chromosomes_without_overlap_show_the_heads_and_a_table_mends_it(
    world: World, write_genome: Any
) -> None:
    letters = world.chromosomes
    fasta = write_genome({"NC_1": letters["chr1"], "NC_2": letters["chr2"]}, "ncbi.fa")
    with pytest.raises(MismatchError, match=r"Found: chr1, chr2\. Expected: NC_1, NC_2.*--chrom"):
        build(world, fasta=fasta)
    table = world.write("chroms.tsv", "chr1\tNC_1\nchr2\tNC_2\n")
    assert build(world, fasta=fasta, chrom_style=table).n_examples == 40


def test_an_annotation_of_another_build_writes_nothing(world: World, write_genome: Any) -> None:
    other = {name: "ACGT" * 2 + letters for name, letters in world.chromosomes.items()}
    with pytest.raises(MismatchError, match="does not fit the genome"):
        build(world, fasta=write_genome(other, "other.fa"))
    assert not list(world.folder.glob("*D*h5*"))


def test_own_tss_are_one_based_and_genes_without_one_are_counted(world: World) -> None:
    table = world.write(
        "tss.tsv",
        "gene_id\tchrom\ttss\tstrand\ng2_03\t2\t1001\t-\ng1_02\t1\t701\t+\nunknown\t1\t701\t+\n",
    )
    made = build(world, tss=table)
    assert made.dropped == {
        "no TSS in the table": 38,
        "TSS of a gene that the annotation does not have": 1,
    }
    with Dataset.open(made.path) as data:
        assert data.examples()["gene_id"].tolist() == ["g1_02", "g2_03"]
        assert data.examples()["tss"].tolist() == [700, 1000]
        row = decode(data.rows("sequence", np.array([0]))[0])
    assert row == world.chromosomes["chr1"][620:730]


def test_a_tss_beyond_its_chromosome_is_refused(world: World) -> None:
    table = world.write("tss.tsv", "gene_id\tchrom\ttss\tstrand\ng1_02\tchr1\t6001\t+\n")
    with pytest.raises(MismatchError, match=r"gene g1_02 at chr1:6001.*at most 6000"):
        build(world, tss=table)


def test_a_mistyped_rule_is_no_file(world: World) -> None:
    with pytest.raises(InputError, match=r"Found: most5.*canonical, most5prime"):
        build(world, tss="most5")


def test_a_biotype_is_kept_and_an_unknown_one_refused(world: World) -> None:
    made = build(world, biotype="lncRNA")
    assert made.n_examples == 2
    assert made.dropped == {"of another biotype than lncRNA": 38}
    with pytest.raises(InputError, match="Expected: protein_coding, lncRNA"):
        build(world, out=world.folder / "E.h5", biotype="tRNA")


def test_kmers_become_a_second_input(world: World) -> None:
    made = build(world, kmers=2)
    with Dataset.open(made.path) as data:
        every = np.arange(40)
        np.testing.assert_array_equal(
            data.rows("kmers", every), count_kmers(data.rows("sequence", every), 2)
        )
        assert list(data.inputs["kmers"].labels) == kmer_names(2)


def test_equal_promoters_are_stored_once(world: World) -> None:
    rows = [f"chr1\t650\t{end}\tcopy{end}\t0\t+\n" for end in (700, 800, 900)]
    made = build(world, genes=world.write("copies.bed", "".join(rows)))
    with Dataset.open(made.path) as data:
        assert data.inputs["sequence"].n_distinct == 1
        assert data.index("sequence").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"upstream": 0, "downstream": 0}, InputError, "positive length"),
        ({"upstream": -5, "downstream": 10}, InputError, "positive length"),
        ({"fasta": "missing.fa"}, InputError, "missing.fa: no such file"),
        ({"genes": "missing.gtf"}, InputError, "missing.gtf: no such file"),
        ({"target": "expression"}, ConfigError, "--targets FILE"),
        ({"kind": "ranking"}, ConfigError, "auto, regression, classification"),
        ({"kmers": 0}, InputError, "cannot count k-mers"),
    ],
)
def test_wrong_settings_are_refused_and_leave_nothing(
    world: World, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        build(world, **options)
    assert not list(world.folder.glob("*D*h5*"))


def test_an_existing_file_is_left_alone(world: World) -> None:
    world.write("D.h5", "mine")
    with pytest.raises(InputError, match="already exists"):
        build(world)
    assert (world.folder / "D.h5").read_text() == "mine"


def test_a_gene_twice_in_a_bed_is_refused(world: World) -> None:
    bed = world.write("twice.bed", "chr1\t650\t700\ta\t0\t+\nchr1\t850\t900\ta\t0\t+\n")
    with pytest.raises(FormatError, match=r"lines 1 and 2.*Found: a"):
        build(world, genes=bed)


def test_a_dataset_takes_at_most_1_1_bytes_a_base(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    letters = rng.choice(np.frombuffer(b"ACGT", np.uint8), 12_000_000).tobytes()
    (tmp_path / "big.fa").write_bytes(b">1\n" + letters + b"\n")
    places = rng.integers(2000, 11_997_000, 20_000)
    (tmp_path / "genes.bed").write_text(
        "".join(f"1\t{p}\t{p + 500}\tENSG{n:011d}\t0\t+\n" for n, p in enumerate(places))
    )
    (tmp_path / "t.tsv").write_text(
        "gene_id\tx\n" + "".join(f"ENSG{n:011d}\t{n / 7:.3f}\n" for n in range(20_000))
    )
    made = dataset_promoters(
        fasta=tmp_path / "big.fa",
        genes=tmp_path / "genes.bed",
        targets=tmp_path / "t.tsv",
        out=tmp_path / "D.h5",
        upstream=1500,
        downstream=500,
    )
    assert made.n_examples == 20_000
    assert made.n_bytes <= 1.1 * 20_000 * 2000

"""PLINK 1 and PLINK 2: what is wrong with a trio, ploidy, and which allele is the genome's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pgenlib
import pyarrow as pa
import pytest
from bed_reader import to_bed

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.fasta.genome import Genome
from exprimo.data.genotypes import open_genotypes, ploidy

PEOPLE = [("ann", 2), ("bob", 1), ("cem", 0)]

# chromosome, position, A1, A2, and how many A1 each of the three has (-127: missing)
SITES = [
    ("1", 5, "T", "C", (0, 1, 2)),
    ("1", 9, "AT", "A", (-127, 1, 0)),
    ("23", 100, "G", "A", (1, 2, 1)),
    ("23", 101, "G", "A", (2, 1, 0)),
    ("24", 50, "G", "A", (2, 2, 2)),
    ("25", 60, "G", "A", (1, 1, 1)),
    ("26", 70, "G", "A", (2, 0, 1)),
]


def write_plink1(folder: Path, sites: list[tuple[str, int, str, str, tuple[int, ...]]]) -> Path:
    prefix = folder / "cohort"
    counts = np.array([counts for *_, counts in sites], np.int8).T
    to_bed(
        f"{prefix}.bed",
        counts,
        properties={
            "fid": ["f"] * len(PEOPLE),
            "iid": [name for name, _ in PEOPLE],
            "sex": [sex for _, sex in PEOPLE],
            "chromosome": [chrom for chrom, *_ in sites],
            "sid": [f"v{i}" for i in range(len(sites))],
            "bp_position": [pos for _, pos, *_ in sites],
            "allele_1": [a1 for _, _, a1, *_ in sites],
            "allele_2": [a2 for _, _, _, a2, _ in sites],
        },
        count_A1=True,
    )
    return prefix


def write_plink2(
    folder: Path,
    sites: list[tuple[str, int, str, str]],
    codes: npt.NDArray[np.int32],
    phased: npt.NDArray[np.uint8],
    *,
    info: list[str] | None = None,
) -> Path:
    prefix = folder / "cohort2"
    n = codes.shape[1] // 2
    alts = [len(alt.split(",")) for *_, alt in sites]
    writer = pgenlib.PgenWriter(
        os.fsencode(f"{prefix}.pgen"),
        n,
        variant_ct=len(sites),
        nonref_flags=False,
        allele_ct_limit=max(alts) + 1,
        hardcall_phase_present=True,
    )
    for row, (allele_codes, flags) in enumerate(zip(codes, phased, strict=True)):
        writer.append_partially_phased(allele_codes, flags, allele_ct=alts[row] + 1)
    writer.close()
    lines = ["##made=for tests", "#CHROM\tPOS\tID\tREF\tALT" + ("\tINFO" if info else "")]
    for row, (chrom, pos, ref, alt) in enumerate(sites):
        cells = [chrom, str(pos), "." if row == 0 else f"v{row}", ref, alt]
        lines.append("\t".join([*cells, *([info[row]] if info else [])]))
    Path(f"{prefix}.pvar").write_text("\n".join(lines) + "\n")
    people = "\n".join(f"f\t{name}\t{sex or 'NA'}" for name, sex in PEOPLE[:n])
    Path(f"{prefix}.psam").write_text(f"#FID\tIID\tSEX\n{people}\n")
    return prefix


@pytest.fixture
def bed(tmp_path: Path) -> Path:
    return write_plink1(tmp_path, SITES)


@pytest.fixture
def pgen(tmp_path: Path) -> Path:
    codes = np.array([[0, 1, 2, 1, -9, -9], [1, 0, 1, 1, 0, 1]], np.int32)
    phased = np.array([[1, 0, 0], [1, 0, 0]], np.uint8)
    return write_plink2(tmp_path, [("1", 5, "C", "T,G"), ("1", 9, "A", "AT")], codes, phased)


def test_a_bed_counts_a1_and_says_nothing_of_phase(bed: Path) -> None:
    for path in (bed, Path(f"{bed}.bed"), Path(f"{bed}.fam")):
        with open_genotypes(path) as genotypes:
            block = genotypes.region("1", 0, 100)
            assert (genotypes.kind, genotypes.samples) == ("PLINK 1", ("ann", "bob", "cem"))
    assert block.variants["alt"].tolist() == ["T", "AT"]
    assert block.variants["ref"].tolist() == ["C", "A"]
    assert block.alleles[0].tolist() == [[0, 0], [0, 1], [1, 1]]
    assert block.alleles[1].tolist() == [[-1, -1], [0, 1], [0, 0]]
    assert block.phased.tolist() == [[True, False, True], [True, False, True]]
    assert block.dosages is None


@pytest.mark.parametrize("people", [4, 5, 7, 9])
def test_a_bed_reads_as_bed_reader_reads_it(tmp_path: Path, people: int) -> None:
    rng = np.random.default_rng(people)
    counts = rng.choice(np.array([0, 1, 2, -127], np.int8), (people, 60))
    names = [f"p{i}" for i in range(people)]
    properties = {"iid": names, "bp_position": rng.permutation(60) + 1, "chromosome": ["1"] * 60}
    properties |= {"allele_1": ["C"] * 60, "allele_2": ["A"] * 60}
    to_bed(tmp_path / "g.bed", counts, properties=properties, count_A1=True)
    expected = np.where(counts == -127, np.nan, counts).T[np.argsort(properties["bp_position"])]
    for chosen in (range(people), range(people)[::-1], [2, 0]):
        with open_genotypes(tmp_path / "g.bed", samples=[names[i] for i in chosen]) as genotypes:
            # By position, so rows lie here and there in the file.
            near = genotypes.region("1", 10, 40).dosage()
            whole = np.concatenate([block.dosage() for block in genotypes.blocks(13)])
        np.testing.assert_array_equal(near, expected[10:40, chosen])
        np.testing.assert_array_equal(whole, expected[:, chosen])


def test_a_bed_that_becomes_shorter_is_refused(bed: Path) -> None:
    with open_genotypes(bed) as genotypes:
        os.truncate(f"{bed}.bed", 4)
        with pytest.raises(FormatError, match=r"variant 1 or behind it: the \.bed became shorter"):
            genotypes.region("1", 0, 100)


def test_sex_chromosomes_have_the_copies_that_people_have(bed: Path) -> None:
    with open_genotypes(bed) as genotypes:
        assert genotypes.chromosomes == ("1", "23", "24", "25", "26")
        x, y, mt = (genotypes.region(c, 0, 200).alleles.tolist() for c in ("23", "24", "26"))
        shared = genotypes.region("25", 0, 200).alleles.tolist()
        y_dosage = genotypes.region("24", 0, 200).dosage()
    assert x == [[[0, 1], [1, -2], [0, 1]], [[1, 1], [-1, -2], [0, 0]]]
    assert y == [[[-2, -2], [1, -2], [1, -2]]]
    assert shared == [[[0, 1], [0, 1], [0, 1]]]
    assert mt == [[[1, -2], [0, -2], [-1, -2]]]
    np.testing.assert_array_equal(y_dosage[0], [np.nan, 1, 1])


def test_numbers_beyond_26_are_of_another_species(tmp_path: Path) -> None:
    sites = [("23", 100, "G", "A", (1, 2, 1)), ("29", 100, "G", "A", (1, 2, 1))]
    with open_genotypes(write_plink1(tmp_path, sites)) as genotypes:
        assert genotypes.region("23", 0, 200).alleles[0, 1].tolist() == [1, 1]


def test_a1_is_the_reference_where_only_it_is_the_genomes(tmp_path: Path) -> None:
    fasta = tmp_path / "g.fa"
    fasta.write_text(f">chr1\nAAAATAAAATA\n>chrX\n{'A' * 200}\n")
    sites = [*SITES[:2], ("1", 10, "TA", "C", (0, 1, 2)), *SITES[2:4]]
    with Genome.open(fasta) as genome:
        with open_genotypes(write_plink1(tmp_path, sites), genome=genome) as genotypes:
            block = genotypes.region("chr1", 0, 100)
            assert genotypes.chromosomes == ("chr1", "chrX")
            assert genotypes.region("chrX", 0, 200).alleles[0, 1].tolist() == [1, -2]
            # A1, the genome's, is the longer one here.
            assert genotypes.region("chr1", 10, 11).variants["ref"].tolist() == ["TA"]
        assert block.variants["ref"].tolist() == ["T", "A", "TA"]
        assert block.variants["alt"].tolist() == ["C", "AT", "C"]
        assert block.alleles[0].tolist() == [[1, 1], [1, 0], [0, 0]]
        # Both alleles of the second fit the genome (AT): A2 stays the reference's.
        assert block.alleles[1].tolist() == [[-1, -1], [0, 1], [0, 0]]
        sites[0] = ("1", 5, "G", "C", (0, 1, 2))
        with (
            open_genotypes(write_plink1(tmp_path, sites), genome=genome) as genotypes,
            pytest.raises(MismatchError, match=r"chr1:5 \(v0\): neither allele is the genome's"),
        ):
            genotypes.region("chr1", 0, 100)
        for policy in ("skip", "swap"):
            with open_genotypes(
                Path(f"{tmp_path}/cohort"), genome=genome, on_ref_mismatch=policy
            ) as genotypes:
                assert len(genotypes.region("chr1", 0, 100).variants) == 2
                assert dict(genotypes.skipped) == {"REF is not the genome's": 1}


def test_the_pseudoautosomal_part_is_known_by_the_length_of_x(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ploidy._PSEUDOAUTOSOMAL, 200, ((10, 50), (150, 160)))
    fasta = tmp_path / "g.fa"
    fasta.write_text(">X\n" + "A" * 200 + "\n")
    sites = [("X", pos, "G", "A", (1, 1, 1)) for pos in (10, 11, 50, 51, 151)]
    with (
        Genome.open(fasta) as genome,
        open_genotypes(write_plink1(tmp_path, sites), genome=genome) as genotypes,
    ):
        men = genotypes.region("X", 0, 200).alleles[:, 1].tolist()
    assert men == [[-1, -2], [0, 1], [0, 1], [-1, -2], [0, 1]]


def test_monomorphic_sites_have_no_alt(tmp_path: Path) -> None:
    with open_genotypes(write_plink1(tmp_path, [("1", 5, "0", "C", (0, 0, 0))])) as genotypes:
        assert genotypes.region("1", 0, 10).variants.empty
        assert dict(genotypes.skipped) == {"no second allele in the file": 1}


def test_pgen_has_phase_and_several_alts(pgen: Path) -> None:
    with open_genotypes(pgen) as genotypes:
        assert genotypes.kind == "PLINK 2"
        block = genotypes.region("1", 4, 9)
    assert block.variants["variant_id"].tolist() == ["1:5:C:T", "1:5:C:G", "v1"]
    assert block.variants["record"].tolist() == [0, 0, 1]
    assert block.alleles[0].tolist() == [[0, 1], [1, 0], [-1, -1]]
    assert block.alleles[1].tolist() == [[0, 0], [0, 1], [-1, -1]]
    assert block.alleles[2].tolist() == [[1, 0], [1, 1], [0, 1]]
    assert block.phased.tolist() == [[True, False, True]] * 2 + [[True, True, False]]
    assert block.dosages is None


def test_pgen_dosages(tmp_path: Path) -> None:
    prefix = tmp_path / "imputed"
    writer = pgenlib.PgenWriter(
        os.fsencode(f"{prefix}.pgen"), 3, variant_ct=2, nonref_flags=False, dosage_present=True
    )
    writer.append_dosages(np.array([0.25, 1.5, -9], np.float32))
    writer.append_dosages(np.array([0.25, 1.5, 2], np.float32))
    writer.close()
    Path(f"{prefix}.pvar").write_text("#CHROM\tPOS\tID\tREF\tALT\n1\t5\ta\tC\tT\nX\t7\tb\tA\tG\n")
    Path(f"{prefix}.psam").write_text("#IID\tSEX\nann\t2\nbob\t1\ncem\t1\n")
    with open_genotypes(prefix, samples=["cem", "bob", "ann"]) as genotypes:
        autosome, x = genotypes.region("1", 0, 10), genotypes.region("X", 0, 10)
    np.testing.assert_allclose(autosome.dosage()[0], [np.nan, 1.5, 0.25], atol=1e-4)
    np.testing.assert_allclose(x.dosage()[0], [1, 0.75, 0.25], atol=1e-4)


def test_a_packed_table_of_variants(pgen: Path) -> None:
    plain = Path(f"{pgen}.pvar")
    with pa.CompressedOutputStream(f"{plain}.zst", "zstd") as packed:
        packed.write(plain.read_bytes())
    plain.unlink()
    for path in (pgen, Path(f"{plain}.zst")):
        with open_genotypes(path, samples=["cem", "ann"]) as genotypes:
            assert genotypes.region("1", 8, 9).alleles[0].tolist() == [[0, 1], [1, 0]]
    Path(f"{plain}.zst").write_bytes(b"not zstd at all")
    with pytest.raises(FormatError, match="zstd file is damaged"):
        open_genotypes(pgen)


def test_provisional_references_are_resolved_as_of_plink1(tmp_path: Path) -> None:
    fasta = tmp_path / "g.fa"
    fasta.write_text(">1\nAAAATAAAATA\n")
    codes, phased = np.array([[0, 1, 1, 1, 0, 0]] * 2, np.int32), np.zeros((2, 3), np.uint8)
    sites = [("1", 5, "C", "T"), ("1", 6, "A", "T")]
    prefix = write_plink2(tmp_path, sites, codes, phased, info=["PR", "."])
    with Genome.open(fasta) as genome, open_genotypes(prefix, genome=genome) as genotypes:
        block = genotypes.region("1", 0, 10)
    assert block.variants["ref"].tolist() == ["T", "A"]
    assert block.alleles[:, 1].tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("ending", ["bim", "fam", "bed"])
def test_a_missing_file_of_a_bed_trio_is_named(bed: Path, ending: str) -> None:
    Path(f"{bed}.{ending}").unlink()
    with pytest.raises(InputError, match=rf"three files.*Found: no cohort\.{ending}\."):
        open_genotypes(bed)


@pytest.mark.parametrize("ending", ["pvar", "psam", "pgen"])
def test_a_missing_file_of_a_pgen_trio_is_named(pgen: Path, ending: str) -> None:
    Path(f"{pgen}.{ending}").unlink()
    with pytest.raises(InputError, match=rf"three files.*Found: no cohort2\.{ending}\."):
        open_genotypes(pgen)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"chr1\t5\t6\n", r"not a PLINK 1 \.bed.*63 68 72.*6c 1b 01"),
        (b"\x6c\x1b\x00\x01", "ordered by person.*plink --make-bed"),
        (b"\x6c\x1b\x01\x01", "Found: 4 bytes. Expected: 10 for 3 people x 7 variants"),
    ],
)
def test_a_wrong_bed_is_refused(bed: Path, content: bytes, message: str) -> None:
    Path(f"{bed}.bed").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        open_genotypes(bed)


def test_a_wrong_pgen_is_refused(pgen: Path) -> None:
    file = Path(f"{pgen}.pgen")
    whole = file.read_bytes()
    file.write_bytes(b"GARBAGE" + whole)
    with pytest.raises(FormatError, match=r"not a PLINK 2 \.pgen"):
        open_genotypes(pgen)
    file.write_bytes(whole[:11])
    with pytest.raises(FormatError, match="cut short"):
        open_genotypes(pgen)
    file.write_bytes(whole)
    with open(f"{pgen}.psam", "a") as handle:
        handle.write("f\tdan\t1\n")
    with pytest.raises(FormatError, match=r"Found: 3 people x 2 variants .* 4 people x 2"):
        open_genotypes(pgen)


def test_a_pgen_cut_in_its_records_is_refused(pgen: Path) -> None:
    file = Path(f"{pgen}.pgen")
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(FormatError, match=r"\.pgen"), open_genotypes(pgen) as genotypes:
        list(genotypes.blocks())


def test_a_broken_table_of_variants_is_refused(bed: Path) -> None:
    bim = Path(f"{bed}.bim")
    rows = bim.read_text().splitlines()
    bim.write_text("\n".join([rows[0].replace("5", "five"), *rows[1:]]) + "\n")
    with pytest.raises(FormatError, match=r"variant 1 .*a position that is no whole number"):
        open_genotypes(bed)
    bim.write_text("1 v0 0 5 A\n")
    with pytest.raises(FormatError, match=r"Found: 5 columns\. Expected: six columns"):
        open_genotypes(bed)


def test_two_data_sets_of_one_prefix_are_ambiguous(bed: Path, pgen: Path) -> None:
    for ending in ("pgen", "pvar", "psam"):
        shutil.move(f"{pgen}.{ending}", f"{bed}.{ending}")
    with pytest.raises(InputError, match="two data sets"):
        open_genotypes(bed)
    assert open_genotypes(Path(f"{bed}.pgen")).kind == "PLINK 2"


def test_people_of_one_name_are_told_by_their_families(bed: Path) -> None:
    Path(f"{bed}.fam").write_text("a x 0 0 1 -9\nb x 0 0 2 -9\nc y 0 0 1 -9\n")
    with open_genotypes(bed) as genotypes:
        assert genotypes.samples == ("a_x", "b_x", "c_y")
    with pytest.raises(MismatchError, match=r"no such sample.*Did you mean"):
        open_genotypes(bed, samples=["a_y"])

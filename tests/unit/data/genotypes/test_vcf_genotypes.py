"""Genotypes of VCF and BCF, worked out by hand."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.genotypes import Genotypes, open_genotypes

Write = Callable[..., Path]
Pack = Callable[[Path], Path]

PEOPLE = ["ann", "bob", "cem", "dan"]
ROWS = [
    ("1", 10, ".", "A", "C,G", "GT:DS:PS", "0/1:1.25,0:5", "1|2:.:.", "./.:.:.", "2|0:0,1:7"),
    ("1", 30, "half", "a", "t", "GT", ".|1", "./1", "0|.", "1/1"),
    ("1", 40, "del", "ACGT", "A", "GT", "0|1", "1|0", "0|0", "."),
    ("1", 50, "odd", "C", "<DEL>,T,*", "GT", "0|1", "1|2", "3|2", "0|0"),
    ("1", 60, "bnd", "C", "C[2:5[", "GT", "0|1", "0|0", "0|0", "0|0"),
    ("X", 10, "x", "G", "A", "GT", "1", "0|1", ".", "0"),
    ("2", 5, "last", "G", "A", "GT", "1|1", "0|1", "0|0", "0|0"),
]


@pytest.fixture(params=["memory", "tabix", "bcf"])
def genotypes(
    request: pytest.FixtureRequest, write_vcf: Write, packed: Pack, as_bcf: Pack
) -> Genotypes:
    plain = write_vcf(ROWS, PEOPLE)
    turn = {"memory": lambda path: path, "tabix": packed, "bcf": as_bcf}[request.param]
    return open_genotypes(turn(plain))


def test_a_multiallelic_record_is_a_row_for_each_alt(genotypes: Genotypes) -> None:
    block = genotypes.region("1", 9, 10)
    assert block.variants["alt"].tolist() == ["C", "G"]
    assert block.variants["variant_id"].tolist() == ["1:10:A:C", "1:10:A:G"]
    assert block.variants["record"].nunique() == 1
    assert block.alleles[0].tolist() == [[0, 1], [1, 0], [-1, -1], [0, 0]]
    assert block.alleles[1].tolist() == [[0, 0], [0, 1], [-1, -1], [1, 0]]
    assert block.phased[0].tolist() == [False, True, True, True]
    assert block.phase_set is not None
    assert block.phase_set[0].tolist() == [5, 0, 0, 7]
    np.testing.assert_array_equal(block.dosage()[0], [1.25, 1, np.nan, 0])
    np.testing.assert_array_equal(block.dosage()[1], [0, 1, np.nan, 1])


def test_half_missing_genotypes_keep_what_is_known(genotypes: Genotypes) -> None:
    block = genotypes.region("1", 29, 30)
    assert block.variants.loc[0, ["ref", "alt"]].tolist() == ["A", "T"]
    assert block.alleles[0].tolist() == [[-1, 1], [-1, 1], [0, -1], [1, 1]]
    assert block.phased[0].tolist() == [True, False, True, True]
    assert np.isnan(block.dosage()[0]).tolist() == [True, True, True, False]


def test_a_deletion_is_found_by_its_last_base_and_a_lone_dot_is_two_copies(
    genotypes: Genotypes,
) -> None:
    block = genotypes.region("1", 42, 43)
    assert block.variants["variant_id"].tolist() == ["del"]
    assert block.variants["start"].tolist() == [39]
    assert block.alleles[0, 3].tolist() == [-1, -1]
    assert genotypes.region("1", 43, 49).variants.empty


def test_alleles_that_are_no_letters_are_left_out_and_counted_once(genotypes: Genotypes) -> None:
    for _ in range(2):
        block = genotypes.region("1", 45, 70)
    assert block.variants["alt"].tolist() == ["T"]
    assert block.alleles[0].tolist() == [[0, 0], [0, 1], [0, 1], [0, 0]]
    assert dict(genotypes.skipped) == {
        "symbolic allele": 1,
        "allele *, deleted by a variant before it": 1,
        "breakend": 1,
    }


def test_one_copy_of_x(genotypes: Genotypes) -> None:
    block = genotypes.region("X", 0, 100)
    assert block.alleles[0].tolist() == [[1, -2], [0, 1], [-1, -2], [0, -2]]
    np.testing.assert_array_equal(block.dosage()[0], [1, 1, np.nan, 0])
    assert block.phased.all()


def test_blocks_hold_the_same_as_regions(genotypes: Genotypes) -> None:
    blocks = list(genotypes.blocks(2))
    whole = [genotypes.region(chrom, 0, 1000) for chrom in ("1", "X", "2")]
    assert genotypes.chromosomes == ("1", "X", "2")
    assert len(blocks) > 2
    for pick in ("variant_id", "start", "ref", "alt"):
        ours = [name for block in blocks for name in block.variants[pick]]
        assert ours == [name for block in whole for name in block.variants[pick]]
    np.testing.assert_array_equal(
        np.concatenate([block.alleles for block in blocks]),
        np.concatenate([block.alleles for block in whole]),
    )


def test_samples_come_in_the_order_asked_for(
    write_vcf: Write, packed: Pack, tmp_path: Path
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("dan\nann\n")
    for asked in (["dan", "ann"], names):
        with open_genotypes(packed(write_vcf(ROWS, PEOPLE)), samples=asked) as genotypes:
            assert genotypes.samples == ("dan", "ann")
            region, first = genotypes.region("1", 9, 10), next(iter(genotypes.blocks()))
        assert region.alleles[0].tolist() == [[0, 0], [0, 1]]
        assert first.alleles[0].tolist() == [[0, 0], [0, 1]]
        assert region.phase_set is not None
        assert region.phase_set[0].tolist() == [7, 5]
        assert region.dosages is not None
        assert region.dosages[1].tolist() == [1, 0]


def test_blocks_of_a_file_without_an_index_and_regions_refused(
    write_vcf: Write, packed: Pack
) -> None:
    path = packed(write_vcf(ROWS, PEOPLE))
    Path(f"{path}.tbi").unlink()
    with open_genotypes(path) as genotypes:
        assert sum(len(block.variants) for block in genotypes.blocks()) == 7
        with pytest.raises(InputError, match=r"through an index.*tabix -p vcf .*cohort\.vcf\.gz"):
            genotypes.region("1", 0, 10)


def test_plain_gzip_cannot_be_indexed_and_says_how_to_pack_it(write_vcf: Write) -> None:
    plain = write_vcf(ROWS, PEOPLE)
    path = Path(f"{plain}.gz")
    path.write_bytes(gzip.compress(plain.read_bytes()))
    with open_genotypes(path) as genotypes:
        assert sum(len(block.variants) for block in genotypes.blocks()) == 7
        with pytest.raises(InputError, match="bcftools view -Oz"):
            genotypes.region("1", 0, 10)


def test_a_large_plain_file_is_not_held_in_memory(
    write_vcf: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exprimo.data.genotypes.open.SMALL_FILE", 100)
    with (
        open_genotypes(write_vcf(ROWS, PEOPLE)) as genotypes,
        pytest.raises(InputError, match="index"),
    ):
        genotypes.region("1", 0, 10)


def test_a_file_that_names_no_chromosomes_in_its_header(write_vcf: Write) -> None:
    with open_genotypes(write_vcf(ROWS, PEOPLE, contigs=[])) as genotypes:
        assert genotypes.region("2", 0, 10).variants["variant_id"].tolist() == ["last"]


def test_an_unknown_chromosome_is_refused(genotypes: Genotypes) -> None:
    with pytest.raises(MismatchError, match=r"no such chromosome.*chr1.*1, X, 2"):
        genotypes.region("chr1", 0, 10)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("1", 9, ".", "A", "C", "GT", "0/1/1"), "more than two copies"),
        (("1", 9, ".", "A", "C", "DS", "1"), "no genotypes"),
        (("1", 9, ".", "A", "C", "GT", "0/2"), "allele that the record does not have"),
    ],
)
def test_records_that_cannot_be_used_are_named(
    write_vcf: Write, row: tuple[object, ...], message: str
) -> None:
    path = write_vcf([row], ["ann"])
    with (
        open_genotypes(path) as genotypes,
        pytest.raises(FormatError, match=f"variant 1:9.*{message}"),
    ):
        list(genotypes.blocks())


def test_damage_is_named(write_vcf: Write, packed: Pack, tmp_path: Path) -> None:
    whole = packed(write_vcf(ROWS, PEOPLE))
    cut = tmp_path / "cut.vcf.gz"
    cut.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(FormatError, match="cut short"):
        open_genotypes(cut)
    other = tmp_path / "notes.txt"
    other.write_text("these are notes")
    with pytest.raises(FormatError, match=r"no genotypes.*VCF, BCF, PLINK"):
        open_genotypes(other)
    with pytest.raises(InputError, match="no such file"):
        open_genotypes(tmp_path / "absent")
    with pytest.raises(FormatError, match="no samples"):
        open_genotypes(write_vcf([("1", 9, ".", "A", "C")], [], name="sites.vcf"))


def test_phase_sets_of_another_type_are_refused(write_vcf: Write) -> None:
    path = write_vcf(ROWS, PEOPLE)
    path.write_text(
        path.read_text().replace("ID=PS,Number=1,Type=Integer", "ID=PS,Number=1,Type=String")
    )
    with pytest.raises(FormatError, match=r"FORMAT/PS.*bcftools annotate"):
        open_genotypes(path)


def test_unknown_samples_suggest_the_nearest(write_vcf: Write) -> None:
    path = write_vcf(ROWS, PEOPLE)
    with pytest.raises(MismatchError, match=r"no such sample.*anne.*Did you mean ann\?"):
        open_genotypes(path, samples=["bob", "anne"])
    with pytest.raises(InputError, match="asked for twice"):
        open_genotypes(path, samples=["bob", "bob"])
    with pytest.raises(InputError, match="no sample was asked for"):
        open_genotypes(path, samples=[])


def test_a_line_that_cannot_be_read_is_placed(write_vcf: Write) -> None:
    path = write_vcf([ROWS[0], ("1", "twelve", *ROWS[1][2:])], PEOPLE)
    with (
        open_genotypes(path) as genotypes,
        pytest.raises(FormatError, match="the record behind 1:10: the file cannot be read"),
    ):
        list(genotypes.blocks())


def test_blocks_are_smaller_where_people_are_many(
    write_vcf: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exprimo.data.genotypes.base.MOST_GENOTYPES", 8)
    with open_genotypes(write_vcf(ROWS, PEOPLE)) as genotypes:
        assert max(block.variants["record"].nunique() for block in genotypes.blocks()) == 2


@pytest.mark.parametrize("kind", ["vcf.gz", "bcf"])
def test_a_damaged_block_does_not_read_as_fewer_variants(
    write_vcf: Write, packed: Pack, as_bcf: Pack, kind: str
) -> None:
    rng = np.random.default_rng(1)
    people = [f"s{i}" for i in range(50)]
    calls = np.array(["0|0", "0|1", "1|0", "1|1"])[rng.integers(0, 4, (2000, 50))]
    rows = [("1", 10 * i + 1, ".", "A", "C", "GT", *calls[i]) for i in range(2000)]
    path = (packed if kind == "vcf.gz" else as_bcf)(write_vcf(rows, people))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 50] = bytes(50)
    path.write_bytes(whole)
    with open_genotypes(path) as genotypes:
        assert len(genotypes.region("1", 0, 1000).variants) == 100
        with pytest.raises(FormatError, match=r"region 1:1-20000: the file is damaged"):
            genotypes.region("1", 0, 20_000)
        with pytest.raises(FormatError, match="cannot be read"):
            list(genotypes.blocks())


def test_an_index_that_is_none_is_refused(write_vcf: Write, packed: Pack) -> None:
    path = packed(write_vcf(ROWS, PEOPLE))
    Path(f"{path}.tbi").write_bytes(b"not an index")
    with pytest.raises(FormatError, match="index cannot be read"):
        open_genotypes(path)


@pytest.mark.parametrize("kind", ["tbi", "csi", "bcf"])
def test_an_index_made_before_the_file_grew_is_refused(
    write_vcf: Write, packed: Pack, as_bcf: Pack, kind: str
) -> None:
    # Of what it does not know, regions would read as without variants.
    rows = [("1", 10 * i, f"v{i}", "A", "C", "GT", "0|1") for i in range(1, 2001)]

    def write(some: list[Any]) -> tuple[Path, Path]:
        plain = write_vcf(some, ["ann"])
        if kind == "bcf":
            path = as_bcf(plain)
            return path, Path(f"{path}.csi")
        path = packed(plain)
        if kind == "csi":
            Path(f"{path}.tbi").unlink()
            pysam.tabix_index(str(path), preset="vcf", force=True, csi=True)
        return path, Path(f"{path}.{kind}")

    path, index = write(rows[:1500])
    with open_genotypes(path) as genotypes:
        assert len(genotypes.region("1", 14_990, 20_000).variants) == 1
    old = index.read_bytes()
    write(rows)
    index.write_bytes(old)
    with pytest.raises(FormatError, match="not of this file as it is now"):
        open_genotypes(path)

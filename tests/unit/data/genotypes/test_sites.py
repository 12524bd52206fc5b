"""Lists of variants: every format, what is left out and why, REF against the genome."""

from __future__ import annotations

import gzip

import pytest

from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.data.fasta import Genome
from exprimo.data.genotypes.sites import read_sites

#        1234567890123456
BASES = "ACGTTGCANACGTACG"

VCF = (
    "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=16>\n"
    '##ALT=<ID=DEL,Description="">\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\n"
    "chr1\t2\trs1\tC\tT,G\t.\t.\t.\tGT\t0|1\n"
    "chr1\t4\t.\tt\tTAA\t.\t.\t.\tGT\t0|1\n"
    "chr1\t6\trs2\tGCA\tG,*\t.\t.\t.\tGT\t0|1\n"
    "chr1\t10\trs3\tA\t<DEL>\t.\t.\t.\tGT\t0|1\n"
    "chr1\t11\trs4\tC\tC[chr1:15[\t.\t.\t.\tGT\t0|1\n"
    "chr1\t12\trs5\tG\t.\t.\t.\t.\tGT\t0|0\n"
)
EXPECTED = [
    ["chr1", 1, "C", "T", "rs1"],
    ["chr1", 1, "C", "G", "rs1"],
    ["chr1", 3, "T", "TAA", "chr1:4:T:TAA"],
    ["chr1", 5, "GCA", "G", "rs2"],
]


@pytest.fixture
def genome(tmp_path):
    fasta = tmp_path / "genome.fa"
    fasta.write_text(f">1\n{BASES}\n>23\nAAAA\n")
    with Genome.open(fasta) as opened:
        yield opened


@pytest.fixture
def write(tmp_path):
    def written(text, name="variants"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def rows(sites):
    columns = ["chrom", "start", "ref", "alt", "variant_id"]
    return sites.variants[columns].to_numpy().tolist()


@pytest.mark.parametrize("packed", [False, True])
def test_a_vcf_is_split_and_what_is_no_sequence_is_counted(tmp_path, packed):
    path = tmp_path / "v"
    path.write_bytes(gzip.compress(VCF.encode()) if packed else VCF.encode())
    sites = read_sites(path)
    assert rows(sites) == EXPECTED
    assert sites.variants["start"].dtype == "int64"
    assert sites.skipped == {
        "allele *, deleted by a variant before it": 1,
        "symbolic allele": 1,
        "breakend": 1,
        "no second allele in the file": 1,
    }
    assert sites.decided == {"multiallelic records split": 2, "variants that share an id": 2}


def test_a_bcf_gives_what_its_vcf_gives(as_bcf, tmp_path):
    row = "chr1\t13\tlong{}\tT\t{}\t.\t.\t.\tGT\t0|1\n"
    many = "".join(row.format("x" * 40, "A" * n) for n in (20, 400))
    vcf = tmp_path / "v.vcf"
    vcf.write_text(VCF + many)
    bcf = as_bcf(vcf)
    assert rows(read_sites(bcf)) == rows(read_sites(vcf))
    assert read_sites(bcf).skipped == read_sites(vcf).skipped
    whole = gzip.decompress(bcf.read_bytes())
    for length, where in ((len(whole) - 3, "record 8"), (40, "header"), (3, None)):
        bcf.write_bytes(gzip.compress(whole[:length]))
        with pytest.raises(FormatError, match=where):
            read_sites(bcf)


def test_a_bcf_without_the_number_of_a_contig_is_damaged(tmp_path):
    header = b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n\0"
    shared = b"\7\0\0\0" + bytes(20)
    raw = b"BCF\2\2" + len(header).to_bytes(4, "little") + header
    raw += len(shared).to_bytes(4, "little") + bytes(4) + shared
    path = tmp_path / "b"
    path.write_bytes(gzip.compress(raw))
    with pytest.raises(FormatError, match="record 1: a damaged record"):
        read_sites(path)


@pytest.mark.parametrize(
    "text",
    [
        "chrom\tpos\tref\talt\tvariant_id\nchr1\t2\tC\tT\trs1\n",
        "ID,ALT,REF,POS,CHR,extra\nrs1,T,C,2,chr1,7\n",
        "#CHROM\tPOS\tID\tREF\tALT\nchr1\t2\trs1\tC\tT\n",
        "chr1\trs1\t0\t2\tT\tC\n",
        "chr1 rs1 2 T C\n",
    ],
)
def test_tables_pvar_and_bim(write, text):
    assert rows(read_sites(write(text))) == [["chr1", 1, "C", "T", "rs1"]]


@pytest.mark.parametrize("name", ["chr1:2:C:T", "chr1_2_C_T_b38", "chr1_2_C_T"])
def test_ids_are_variants(write, name):
    assert rows(read_sites(write(name + "\n"))) == [["chr1", 1, "C", "T", name]]


def test_any_part_of_a_trio_or_its_prefix_will_do(tmp_path, write):
    write("1\trs1\t0\t2\tT\tC\n", "study.bim")
    write("0", "study.bed")
    write("f s 0 0 0 -9\n", "study.fam")
    for name in ("study", "study.bed", "study.fam", "study.bim"):
        assert rows(read_sites(tmp_path / name))[0][:4] == ["1", 1, "C", "T"]


def test_what_is_listed_twice_is_kept_once(write):
    sites = read_sites(write("1:2:C:T\n1:2:c:t\n1:3:G:A\n"))
    assert len(sites.variants) == 2
    assert sites.skipped == {"listed twice": 1}


def test_the_genome_names_chromosomes_and_checks_ref(genome, write):
    path = write("chr1:2:C:T\nchr1:6:GCA:G\nchr1:9:A:G\nchr7:1:A:G\n")
    sites = read_sites(path, genome=genome)
    # The genome has N at 9: no contradiction.
    assert [row[:2] for row in rows(sites)] == [["1", 1], ["1", 5], ["1", 8]]
    assert sites.skipped == {"chromosome that the genome does not have": 1}


def test_the_table_of_chromosomes_replaces_the_guess(genome, write):
    path = write("one:2:C:T\n")
    assert rows(read_sites(path, genome=genome, chrom_table={"one": "1"}))[0][0] == "1"
    with pytest.raises(MismatchError, match="no chromosome name"):
        read_sites(path, genome=genome)


def test_a_mismatch_is_treated_as_asked(genome, write):
    path = write("1:2:T:C\n1:3:T:A\n1:40:T:A\n1:3:G:A\n")
    with pytest.raises(MismatchError, match=r"line 1, 1:2:T:C.*Found: 'C'.*swap"):
        read_sites(path, genome=genome)
    skipped = read_sites(path, genome=genome, on_ref_mismatch="skip")
    assert [row[4] for row in rows(skipped)] == ["1:3:G:A"]
    assert skipped.skipped == {
        "REF is not the genome's": 2,
        "beyond the end of the chromosome": 1,
    }
    swapped = read_sites(path, genome=genome, on_ref_mismatch="swap")
    assert rows(swapped)[0][:4] == ["1", 1, "C", "T"]
    assert swapped.decided == {"REF and ALT exchanged": 1}
    assert swapped.variants["ref_match"].tolist() == [False, True]
    assert sum(swapped.skipped.values()) == 2
    with pytest.raises(ConfigError, match="'drop'"):
        read_sites(path, genome=genome, on_ref_mismatch="drop")


def test_a_variant_behind_the_end_says_so(genome, write):
    with pytest.raises(MismatchError, match="has 16 bases"):
        read_sites(write("1:17:T:A\n"), genome=genome)


def test_plink_alleles_are_put_in_order_by_the_genome(genome, write):
    bim = write(
        "1\ta2_is_ref\t0\t2\tT\tC\n"
        "1\ta1_is_ref\t0\t2\tC\tT\n"
        "1\tother_strand\t0\t2\tA\tG\n"  # C>T, read from the other strand
        "1\tother_strand_a1\t0\t3\tC\tT\n"  # G>A, A1 is the reference
        "1\tdeletion\t0\t6\tG\tGCA\n"
        "1\tneither\t0\t4\tCC\tGG\n"
        "1\tmonomorphic\t0\t4\t0\tT\n"
    )
    with pytest.raises(MismatchError, match="line 6"):
        read_sites(bim, genome=genome)
    sites = read_sites(bim, genome=genome, on_ref_mismatch="skip")
    assert [row[1:] for row in rows(sites)] == [
        [1, "C", "T", "a2_is_ref"],
        [2, "G", "A", "other_strand_a1"],
        [5, "GCA", "G", "deletion"],
    ]
    assert sites.skipped == {
        "listed twice": 2,
        "REF is not the genome's": 1,
        "no second allele in the file": 1,
    }
    assert sites.decided == {
        "A1 is the reference": 1,
        "alleles of the other strand": 1,
        "alleles of the other strand, A1 is the reference": 1,
    }
    assert read_sites(bim).decided["A2 taken for the reference"] == 6


def test_plink_numbers_x_unless_the_genome_has_that_number(tmp_path, genome, write):
    bim = write("23\trs1\t0\t2\tG\tA\n")
    assert rows(read_sites(bim, genome=genome))[0][0] == "23"
    fasta = write(">chr1\nACGT\n>chrX\nAAAA\n", "human.fa")
    with Genome.open(fasta) as human:
        assert rows(read_sites(bim, genome=human))[0][0] == "chrX"


def test_many_variants_are_checked_as_few_are(tmp_path, write):
    fasta = write(">1\n" + "ACGT" * 200 + "\n", "long.fa")
    lines = [f"1:{at + 1}:{'ACGT'[at % 4]}:{'CGTA'[at % 4]}" for at in range(700)]
    with Genome.open(fasta) as opened:
        assert len(read_sites(write("\n".join(lines)), genome=opened).variants) == 700
        lines[600] = "1:601:C:G"
        with pytest.raises(MismatchError, match="line 601"):
            read_sites(write("\n".join(lines)), genome=opened)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("##fileformat=VCFv4.2\n", "no variants"),
        ("chrom\tpos\tref\nchr1\t2\tC\n", "no column 'alt'"),
        ("chrom\tpos\tref\talt\n", "no variant is listed"),
        ("chrom\tpos\tref\talt\nchr1\tx\tC\tT\n", "line 2.*position 'x'"),
        ("chrom\tpos\tref\talt\nchr1\t2\tC\n", "line 2.*3 fields"),
        ("1:2:C:T\n1:2\n", "line 2.*'1:2'"),
        ("1\trs\t0\t2\tT\tC\n1\trs\t0\n", "line 2.*3 columns"),
        ("hello world\n", "not a list of variants"),
    ],
)
def test_what_is_no_list_is_refused(write, text, problem):
    with pytest.raises(InputError, match=problem):
        read_sites(write(text))


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_sites(tmp_path / "absent.vcf")
    (tmp_path / "x").write_bytes(b"PK\3\4abc")
    with pytest.raises(FormatError, match="zip"):
        read_sites(tmp_path / "x")

"""What is told of genotypes, lists of variants and expression by person, and what is wrong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import numpy as np
import pysam
import pysam.bcftools
import pytest

from exprimo.data.check import check_file
from exprimo.data.check.genotypes import cohort_facts, site_facts

HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID=chr21,length=46709983>\n"
    '##contig=<ID=chr22,assembly=38,length=50818468>\n##ALT=<ID=DEL,Description="">\n'
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="">\n'
)
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
ROWS = (
    "chr21\t100\trs1\tA\tG\t.\t.\t.\tGT\t0|1\t1|1\n"
    "chr21\t200\trs2\tAT\tA\t.\t.\t.\tGT\t0/1\t.|.\n"
    "chr21\t300\t.\tC\tT,<DEL>\t.\t.\t.\tGT\t0|1\t0|2\n"
    "chr22\t50\t.\tC\tT\t.\t.\t.\tGT\t0|0\t0|0\n"
)
TEXT = f"{HEADER}{COLUMNS}\tFORMAT\tann\tbob\n{ROWS}"
PLINK1, PLINK2 = "PLINK 1 (bed, bim, fam)", "PLINK 2 (pgen, pvar, psam)"


@pytest.fixture
def plain(tmp_path):
    def write(text=TEXT, name="unnamed"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def packed(plain):
    def write(text=TEXT, index=True):
        target = plain(text).with_name("packed")
        pysam.tabix_compress(str(plain(text)), str(target), force=True)
        if index:
            pysam.tabix_index(str(target), preset="vcf", force=True)
        return target

    return write


@pytest.fixture
def trio(tmp_path):
    """A PLINK 1 data set of four people and three variants."""
    (tmp_path / "study.fam").write_text("".join(f"f p{n} 0 0 {n % 3} -9\n" for n in range(4)))
    (tmp_path / "study.bim").write_text(
        "1\trs1\t0\t5\tA\tG\n1\trs2\t0\t9\tAC\tG\n23\trs3\t0\t7\tT\tG\n"
    )
    (tmp_path / "study.bed").write_bytes(b"\x6c\x1b\x01\x78\x1b\xff")
    return tmp_path / "study"


def test_facts_of_a_vcf(packed):
    report = check_file(packed())
    assert (report.kind, report.problems) == ("VCF", [])
    facts = report.facts
    assert facts["samples"] == "2 (ann, bob)"
    assert facts["variants"] == "4 records"
    assert facts["alleles"] == "3 SNPs, 1 indels, 0 other substitutions"
    assert facts["multiallelic"] == "1 records"
    assert facts["symbolic alleles"] == "1, which are passed over"
    assert facts["chromosomes"] == "2 (chr21, chr22)"
    assert facts["genome build"] == "GRCh38 (hg38), by the length of 2 chromosomes"
    assert facts["index"] == "packed.tbi"
    assert facts["phased"] == "66.7% of 3 heterozygous genotypes"
    assert facts["missing genotypes"] == "12.50%; most in sample bob, 25.00%"


def test_a_small_text_vcf_needs_no_index(plain):
    report = check_file(plain())
    assert report.ok
    assert report.facts["index"].startswith("none needed")


def test_a_bcf_tells_the_same(plain, packed):
    bcf = plain().with_name("b")
    pysam.bcftools.view("-Ob", "-o", str(bcf), str(plain()), catch_stdout=False)
    report = check_file(bcf)
    assert report.kind == "BCF"
    assert len(report.problems) == 1
    assert "bcftools index" in report.problems[0]
    pysam.bcftools.index(str(bcf), catch_stdout=False)
    report = check_file(bcf)
    assert report.problems == []
    assert report.facts | {"index": ""} == check_file(packed()).facts | {"index": ""}


def test_a_vcf_without_samples_is_a_list_of_variants(plain):
    rows = "".join("\t".join(row.split("\t")[:8]) + "\n" for row in ROWS.splitlines())
    report = check_file(plain(f"{HEADER}{COLUMNS}\n{rows}"))
    assert report.ok
    assert report.facts["samples"].startswith("none")
    assert "index" not in report.facts
    forgotten = check_file(plain(f"{HEADER}{COLUMNS}\tFORMAT\n{rows}"))
    assert "no samples behind it" in forgotten.problems[0]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("chr22\t50", "chr21\t50", r"line 11: chr21:50 behind chr21:300.*bcftools sort"),
        ("ann\tbob", "ann\tann", "samples of the same name: ann"),
        ("A\tG", "R\tG", "line 8, chr21:100: R > G: alleles of other letters"),
        ("\tGT\t0|0\t0|0", "\tDP\t7\t8", r"chr22:50: there are no genotypes.*DP"),
        ("0|0\t0|0", "0|0|1\t0|0", "more than two copies"),
        ("chr21\t200\trs2\tAT\tA\t.\t.\t.\tGT\t0/1\t.|.", "chr21\t200", "line 9.*2 fields"),
        ("\t200\t", "\tx\t", "line 9.*position 'x'"),
        ("#CHROM", "CHROM", "no line #CHROM"),
        (ROWS, "", "there is no variant"),
    ],
)
def test_what_is_wrong_with_a_vcf_is_told(plain, old, new, problem):
    report = check_file(plain(TEXT.replace(old, new)))
    assert report.kind == "VCF"
    assert not report.ok
    assert any(re.search(problem, told) for told in report.problems), report.problems


def test_ids_that_occur_again_are_a_fact(plain):
    report = check_file(plain(TEXT.replace("rs2", "rs1")))
    assert report.ok
    assert report.facts["ids that occur again"] == "1 (rs1)"


def test_a_missing_or_old_index_is_told(packed):
    path = packed(index=False)
    report = check_file(path)
    assert report.facts["index"] == "none"
    assert f"tabix -p vcf {path}" in report.problems[0]
    path = packed()
    os.utime(f"{path}.tbi", (1, 1))
    assert "older than the file" in check_file(path).problems[0]


@pytest.mark.parametrize("kept", [-28, -40, 200])
def test_a_cut_bgzip_is_told(packed, kept):
    path = packed()
    path.write_bytes(path.read_bytes()[:kept])
    os.utime(f"{path}.tbi")
    report = check_file(path)
    assert report.kind == "VCF"
    assert any("cut short" in told for told in report.problems), report.problems


def test_facts_of_a_trio_by_its_prefix_or_any_file(trio):
    for path in (trio, *(trio.with_suffix(ending) for ending in (".bed", ".bim", ".fam"))):
        report = check_file(path)
        assert (report.kind, report.problems) == (PLINK1, [])
        assert report.facts["samples"] == "4 (p0, p1, p2, p3)"
        assert report.facts["sex"] == "1 male, 1 female, 2 unknown"
        assert report.facts["alleles"] == "2 SNPs, 1 indels, 0 other substitutions"
        assert report.facts["chromosomes"] == "2 (1, 23)"
        assert report.facts["phased"].startswith("0.0%")
    assert check_file(trio).facts["files"] == "study.bed, study.bim, study.fam"


@pytest.mark.parametrize(
    ("ending", "content", "problem"),
    [
        (".bed", b"\x6c\x1b\x01\x78\x1b", "bytes"),
        (".bed", b"\x6c\x1b\x00\x78\x1b\xff", "by person"),
        (".bed", b"\xff\xfe\x01\x78\x1b\xff", "not a PLINK 1 .bed"),
        (".bim", b"1\trs1\t0\t5\tA\tG\n", "bytes"),
        (".bim", b"1\trs1\t0\t5\tA\n", "no|column"),
        (".fam", b"f p0\n", "column"),
        (".fam", None, "study.fam"),
        (".bed", None, "study.bed"),
    ],
)
def test_what_is_wrong_with_a_trio_is_told(trio, ending, content, problem):
    part = trio.with_suffix(ending)
    part.unlink() if content is None else part.write_bytes(content)
    report = check_file(trio)
    assert report.kind == PLINK1
    assert any(re.search(problem, told) for told in report.problems), report.problems
    if content is not None and ending == ".bed":
        assert check_file(part).kind == PLINK1


def test_a_bed_of_genes_is_none_of_plink(tmp_path):
    bed = tmp_path / "genes.bed"
    bed.write_text("chrI\t10\t90\tg1\t0\t+\nchrI\t100\t190\tg2\t0\t-\n")
    assert check_file(bed).kind == "BED"


@pytest.mark.skipif(shutil.which("plink2") is None, reason="no plink2 on this machine")
def test_plink_2(tmp_path, plain):
    vcf = plain(TEXT.replace(",<DEL>", ",G").replace("chr", ""))
    command = ["plink2", "--vcf", vcf, "--make-pgen", "--out", tmp_path / "p", "--threads", "1"]
    subprocess.run(command, check=True, capture_output=True)
    for name in ("p", "p.pgen", "p.pvar", "p.psam"):
        report = check_file(tmp_path / name)
        assert (report.kind, report.problems) == (PLINK2, []), name
        assert report.facts["samples"] == "2 (ann, bob)"
        assert report.facts["phased"] == "75.0% of 4 heterozygous genotypes"
    cut = (tmp_path / "p.pgen").read_bytes()[:-4]
    (tmp_path / "p.pgen").write_bytes(b"\x6c\x1c" + cut[2:])
    assert check_file(tmp_path / "p").kind == PLINK2
    assert not check_file(tmp_path / "p").ok


def _cohort(n_variants, columns):
    lines = []
    for v in range(n_variants):
        cells = "\t".join(f"{a}|{b}" for a, b in columns[:, v])
        lines.append(f"chr21\t{1000 * (v + 1)}\t.\tA\tG\t.\t.\t.\tGT\t{cells}\n")
    names = "\t".join(f"p{n}" for n in range(len(columns)))
    return f"{HEADER}{COLUMNS}\tFORMAT\t{names}\n{''.join(lines)}"


def test_a_cohort_is_summarised(plain):
    rng = np.random.default_rng(1)
    people = (rng.random((12, 600, 2)) < rng.uniform(0.1, 0.9, (600, 1))).astype(int)
    people[11] = people[3]
    report = check_file(plain(_cohort(600, people)))
    assert report.ok
    facts = report.facts
    assert facts["relatives"].startswith("1 pair: p3 and p11 (duplicates or twins, kinship 0.50)")
    assert facts["allele frequencies"].startswith(f"{600 - _flat(people):,} variants above 1%")
    assert "unlinked variants" in facts["principal components"]
    assert facts["heterozygosity"].count("F ") == 1
    assert "p < 1e-06" in facts["Hardy-Weinberg"]


def _flat(people):
    return int((people.min(axis=(0, 2)) == people.max(axis=(0, 2))).sum())


def test_work_is_bounded_and_that_is_said(plain, monkeypatch):
    monkeypatch.setattr(site_facts, "MOST_RECORDS", 3)
    monkeypatch.setattr(cohort_facts, "MOST_GENOTYPES", 2)
    monkeypatch.setattr(cohort_facts, "_MOST_VARIANTS", 2)
    report = check_file(plain())
    assert report.facts["variants"] == "3 records, the first ones of more"
    assert "only the first" in report.facts["bounds"]


@pytest.mark.parametrize(
    "text",
    [
        "chrom\tpos\tref\talt\n1\t5\tA\tG\n1\t3\tC\tCT\n",
        "1:5:A:G\n1:3:C:CT\n",
        "#CHROM\tPOS\tID\tREF\tALT\n1\t5\t.\tA\tG\n1\t3\t.\tC\tCT\n",
    ],
)
def test_lists_of_variants(plain, text):
    report = check_file(plain(text))
    assert (report.kind, report.problems) == ("list of variants", [])
    assert report.facts["alleles"] == "1 SNPs, 1 indels, 0 other substitutions"


def test_a_table_of_positions_without_alleles_is_no_list(plain):
    assert check_file(plain("chrom,pos,af\n1,5,0.1\n1,6,0.2\n")).kind != "list of variants"


EXPRESSION = (
    "#chr\tstart\tend\tgene_id\tann\tbob\nchr1\t9\t10\tg1\t0.5\tNA\nchr1\t20\t21\tg2\t-1\t2\n"
)


def test_an_expression_bed(plain):
    report = check_file(plain(EXPRESSION))
    assert (report.kind, report.problems) == ("expression BED", [])
    assert report.facts == {
        "genes": "2",
        "samples": "2 (ann, bob)",
        "chromosomes": "1 (chr1)",
        "values": "-1 to 2; 1 missing",
        "positions": "2 of 2 are a single base, the TSS",
    }


def test_an_expression_bed_of_qtltools(plain):
    text = "#Chr\tstart\tend\tpid\tgid\tstrand\tann\nchr1\t9\t10\tg1\tg1\t+\t0.5\n"
    assert check_file(plain(text)).facts["samples"] == "1 (ann)"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("g2", "g1", "the same gene occurs twice"),
        ("0.5", "high", "line 2 (g1): not a number"),
        ("\t20\t21", "\t5\t6", "line 3: not in order"),
        ("\t20\t21", "\t21\t20", "start < end"),
        ("bob", "ann", "two samples have the same name"),
        ("\t2\n", "\n", "line 3: not a row"),
        ("chr1\t9\t10\tg1\t0.5\tNA\nchr1\t20\t21\tg2\t-1\t2\n", "", "there is no gene"),
    ],
)
def test_what_is_wrong_with_an_expression_bed_is_told(plain, old, new, problem):
    report = check_file(plain(EXPRESSION.replace(old, new)))
    assert report.kind == "expression BED"
    assert any(problem in told for told in report.problems), report.problems


def test_stretches_of_a_long_file_are_looked_at(plain, packed, monkeypatch):
    monkeypatch.setattr(site_facts, "STRETCH", 10)
    monkeypatch.setattr(cohort_facts, "STRETCH", 10)
    monkeypatch.setattr(cohort_facts, "MOST_GENOTYPES", 2)
    monkeypatch.setattr(cohort_facts, "_MOST_VARIANTS", 60)
    rng = np.random.default_rng(2)
    text = _cohort(300, rng.integers(0, 2, (4, 300, 2)))
    indexed = check_file(packed(text))
    assert indexed.facts["bounds"].startswith("60 variants in 6 stretches were looked at, evenly")
    assert check_file(plain(text)).facts["bounds"].startswith("only the first")

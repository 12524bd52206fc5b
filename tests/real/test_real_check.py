"""Published files are recognised by what stands in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from exprimo.data.check import check_file

pytestmark = pytest.mark.real

KINDS = {
    "annotation/gencode_chr9_hg19.gtf.gz": "GTF",
    "dge/deseq2_references/continuous/test_metadata.csv": "samples",
    "dge/deseq2_references/synthetic/test_counts.csv": "counts",
    "dge/gse248760/GSE248760_meta_data.csv": "samples",
    "dge/gse248760/GSE248760_raw_counts.txt.gz": "counts",
    "dge/gse248760/r_deseq2_full.csv.gz": "targets",
    "gpra/native_tiles.tsv.gz": "sequence table",
    "histone/chromoformer_demo_E003_7marks_400x100bp.npz": "binned signal (NumPy stack)",
    "histone/deepchrome_toy_train.csv": "binned signal (CSV)",
    "human_chr21/GRCh38_chr21_assembled.fa.gz": "FASTA",
    "yeast/Saccharomyces_cerevisiae.R64-1-1.dna.toplevel.fa.gz": "FASTA",
    "yeast/Scer-sys-to-common-name.tsv": "gene names",
    "yeast/Scer_R64_transcripts_longestUTR.gff": "GFF3",
    "yeast/Scer_nondubious_ORFs.bed": "BED",
    "yeast/profDGE48_WT_countdata.tar.gz": "HTSeq tar",
}


@pytest.mark.parametrize("name", KINDS)
def test_kind(realdata: Path, name: str) -> None:
    report = check_file(realdata / name)
    assert (report.kind, report.problems) == (KINDS[name], [])


@pytest.mark.parametrize(
    ("name", "kind", "problem"),
    [
        ("xpresso/human_trainepoch.11-0.426.h5", "HDF5 file", "not an Exprimo dataset"),
        ("xpresso/1to1_orthologs_expression.txt.gz", "unknown", "first line holds numbers"),
        ("finemap/N3finemapping_variants.csv", "unknown", "not a kind of file"),
    ],
)
def test_what_is_not_read_is_said(realdata: Path, name: str, kind: str, problem: str) -> None:
    report = check_file(realdata / name)
    assert report.kind == kind
    assert problem in report.problems[0]


def test_gpra_facts(realdata: Path) -> None:
    facts = check_file(realdata / "gpra" / "native_tiles.tsv.gz").facts
    assert facts["rows"] == "58,010"
    assert facts["combined"] == "56,641 values"
    assert facts["rows without combined"] == "1,369"

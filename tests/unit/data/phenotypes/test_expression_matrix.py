"""A matrix of genes by people, with a gene table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.phenotypes import gene_places, read_expression_matrix


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("".join("\t".join(line.split()) + "\n" for line in lines))
    return path


def test_genes_are_placed_and_sorted(tmp_path: Path) -> None:
    matrix = write(
        tmp_path, "m.tsv", "gene_id ann bob", "d 1 2", "ENSG00000000001.7 3 4", "x 9 9",
        "b 5 6", "c 7 8",
    )  # fmt: skip
    # 1-based, and the second chromosome comes first.
    table = write(
        tmp_path, "g.tsv", "gene_id chrom tss strand", "c chr2 500 -", "d chr1 30 +",
        "ENSG00000000001 chr1 11 -", "b chr2 100 +", "unmeasured chr3 5 +",
    )  # fmt: skip
    found, dropped = read_expression_matrix(matrix, table)
    assert found.genes["gene_id"].tolist() == ["b", "c", "ENSG00000000001.7", "d"]
    assert found.genes["chrom"].tolist() == ["chr2", "chr2", "chr1", "chr1"]
    assert found.genes["start"].tolist() == [99, 499, 10, 29]
    assert (found.genes["end"] - found.genes["start"]).tolist() == [1] * 4
    np.testing.assert_array_equal(found.values, [[5, 6], [7, 8], [3, 4], [1, 2]])
    assert found.people == ("ann", "bob")
    assert found.is_sorted
    assert dropped == {"genes that the gene table lacks": 1}


def test_an_annotation_gives_the_tss_of_its_strand(tmp_path: Path) -> None:
    gtf = tmp_path / "g.gtf"
    gtf.write_text(
        "".join(
            f'1\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t.\tgene_id "{gene}"; '
            f'transcript_id "{gene}t";\n'
            for gene, start, end, strand in (("g1", 11, 40, "-"), ("g2", 101, 140, "+"))
            for kind in ("transcript", "exon")
        )
    )
    places = gene_places(gtf).set_index("gene_id")
    assert places["tss"].to_dict() == {"g1": 39, "g2": 100}


def test_what_cannot_be_placed(tmp_path: Path) -> None:
    table = write(tmp_path, "g.tsv", "gene_id chrom tss strand", "a 1 9 +", "b 1 12 +")
    other = write(tmp_path, "o.tsv", "gene_id ann", "GENE1 1", "GENE2 1")
    with pytest.raises(MismatchError, match=r"GENE1, GENE2.*a, b"):
        read_expression_matrix(other, table)
    hole = write(tmp_path, "h.tsv", "gene_id ann bob", "a 1 2", "b 1 NA")
    with pytest.raises(FormatError, match="gene b, person bob"):
        read_expression_matrix(hole, table)

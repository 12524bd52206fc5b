"""Strands of genes, for windows that are not symmetric."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exprimo.core.errors import MismatchError
from exprimo.data.annotation import read_annotation
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.phenotypes import PersonalExpression


def read_strands(genes: str | Path, measured: PersonalExpression) -> Mapping[str, str]:
    """Give the strand of each gene of the expression that an annotation has.

    Parameters
    ----------
    genes
        GTF, GFF3 or BED. Versions of gene ids are not compared.
    measured
        Whose genes are asked for.
    """
    table = read_annotation(genes).genes
    strand_of = dict(zip(table["gene_id"], table["strand"], strict=True))
    ours = measured.genes["gene_id"]
    found = {
        gene: strand_of[strip_version(gene)] for gene in ours if strip_version(gene) in strand_of
    }
    if not found:
        raise MismatchError(
            "no gene of the expression is in the annotation",
            file=genes,
            found=", ".join(ours[:5]),
            expected=", ".join(table["gene_id"][:5]),
            remedy="Name genes alike in both files",
        )
    return found

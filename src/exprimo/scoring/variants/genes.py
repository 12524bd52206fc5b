"""The genes whose windows are scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from exprimo.core.errors import InputError, MismatchError
from exprimo.data.annotation import read_annotation
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.fasta import Genome
from exprimo.data.tabular import unknown_name
from exprimo.features.genome_fit import check_genome_fits
from exprimo.features.promoter_sites import OFF_GENOME, reconcile, tss_sites


def gene_starts(
    genes: str | Path,
    genome: Genome,
    *,
    chosen: Sequence[str] = (),
    tss: str = "canonical",
    chrom_style: str = "auto",
) -> pd.DataFrame:
    """Give the TSS of each gene of an annotation that fits the genome.

    Parameters
    ----------
    genes
        GTF, GFF3 or BED.
    chosen
        Ids or names of genes; none: all.
    tss
        ``canonical``, ``most5prime``, or a table of TSSs.
    chrom_style
        ``auto``, or a table: name in the annotation, name in the genome.

    Returns
    -------
    DataFrame
        gene_id, gene_name, chrom (as the genome names it), tss (0-based), strand.
    """
    annotation = read_annotation(genes)
    names = reconcile(annotation.chromosomes, genome, chrom_style, annotation.source)
    annotation = annotation.with_chromosomes(names)
    check_genome_fits(annotation, genome)
    table = tss_sites(annotation, genome, tss, chrom_style, {OFF_GENOME: 0})
    if not chosen:
        return table
    wanted = list(dict.fromkeys(chosen))
    rows = []
    for name in wanted:
        at = table.index[(table["gene_id"] == strip_version(name)) | (table["gene_name"] == name)]
        if not len(at):
            known = [*table["gene_id"], *table["gene_name"]]
            raise unknown_name("gene", name, known, file=annotation.source)
        if len(at) > 1:
            raise MismatchError(
                "several genes have this name",
                file=annotation.source,
                found=", ".join(table.loc[at, "gene_id"]),
                remedy="Give the id",
            )
        rows.append(at[0])
    return table.loc[rows].drop_duplicates("gene_id").reset_index(drop=True)


def need_genes(genes: str | None) -> str:
    """Give the annotation, or say why one is needed."""
    if genes is None:
        raise InputError(
            "windows around TSSs need an annotation",
            expected="--genes with GTF, GFF3 or BED",
            remedy="Give one, or put each variant in the middle: --center variant",
        )
    return genes

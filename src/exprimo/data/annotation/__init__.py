"""Genes, transcripts, exons and coding stretches from GTF, GFF3 or BED, and their TSSs."""

from exprimo.data.annotation.reader import read_annotation
from exprimo.data.annotation.tables import Annotation
from exprimo.data.annotation.tss import read_tss_table, tss_table

__all__ = ["Annotation", "read_annotation", "read_tss_table", "tss_table"]

"""Tracks without an index: bedGraph, and reads in BED or BAM, gone through once."""

from exprimo.data.signals.intervals.bam import BamFile, looks_like_bam
from exprimo.data.signals.intervals.bedgraph import BedGraphFile
from exprimo.data.signals.intervals.reads import BedFile
from exprimo.data.signals.intervals.text import first_fields

__all__ = ["BamFile", "BedFile", "BedGraphFile", "first_fields", "looks_like_bam"]

"""FASTA files: a genome opened by position, records read or written in a stream."""

from exprimo.data.fasta.genome import Genome
from exprimo.data.fasta.records import read_fasta, write_fasta

__all__ = ["Genome", "read_fasta", "write_fasta"]

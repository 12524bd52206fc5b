"""One reader for gene annotations; the content, not the name, tells the format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from exprimo.core.errors import FormatError
from exprimo.core.progress import Task, task
from exprimo.data.annotation.assemble import assemble
from exprimo.data.annotation.bed import SKIPPED, read_bed
from exprimo.data.annotation.gff3 import read_gff3
from exprimo.data.annotation.gtf import read_gtf
from exprimo.data.annotation.tables import Annotation
from exprimo.data.textfile import open_text

_READERS = {"gtf": read_gtf, "gff3": read_gff3, "bed": read_bed}
_GTF_PAIR = re.compile(r'[^\s;="]+ +("[^"]*"|[^\s;="]+) *(;|$)')
_STEP = 100_000


def read_annotation(path: str | Path) -> Annotation:
    """Read genes from GTF, GFF3 or BED, plain or gzip.

    Versions of Ensembl ids are stripped (ENSG00000236875.3 becomes ENSG00000236875). Two
    versions of a gene that overlap on one strand become one gene; the same id at two places is
    an error, but for a pair on X and Y, of which the second gets ``_PAR_Y``. Transcripts
    that stripping or the file itself makes equal keep their version or get their gene's id.

    ``notes`` counts: ``version_collisions``, ``par_y_copies``, ``qualified_transcript_ids``,
    ``implied_genes`` (transcripts without a gene line), ``implied_transcripts`` (genes without
    any), ``implied_exons`` (transcripts without any), ``cds_without_stop_codon`` (GTF
    transcripts), ``trans_spliced_transcripts`` (not on the strand of their gene),
    ``blocks_on_other_strand``, ``blocks_without_parent`` (GFF3, left out),
    ``canonical_flagged`` (genes whose canonical transcript the file
    itself names). What did not occur is absent.

    Examples
    --------
    >>> import tempfile
    >>> bed = Path(tempfile.mkdtemp()) / "genes.bed"
    >>> _ = bed.write_text("chrI\\t10\\t40\\tYAL001C\\t0\\t-\\n")
    >>> read_annotation(bed).genes[["gene_id", "start", "end", "strand"]].values.tolist()
    [['YAL001C', 10, 40, '-']]
    """
    source = Path(path)
    with (
        open_text(source, "a GTF, GFF3 or BED file") as handle,
        task(f"Reading {source.name}") as bar,
    ):
        lines = enumerate(handle, 1)
        format, first = _detect(lines, source)
        return assemble(_READERS[format](_reported(chain([first], lines), bar), source))


def _reported(lines: Iterator[tuple[int, str]], bar: Task) -> Iterator[tuple[int, str]]:
    for number, text in lines:
        yield number, text
        if not number % _STEP:
            bar.advance(_STEP)


def _detect(lines: Iterator[tuple[int, str]], path: Path) -> tuple[str, tuple[int, str]]:
    """Tell the format by the first line of data, and give that line back."""
    for number, text in lines:
        if text.startswith(SKIPPED) or text.isspace():
            continue
        fields = text.rstrip("\r\n").split("\t")
        if len(fields) == 9 and not (fields[1].isdigit() and fields[2].isdigit()):
            return "gtf" if _GTF_PAIR.match(fields[8].lstrip()) else "gff3", (number, text)
        words = fields if len(fields) > 1 else text.split()
        if len(words) >= 3 and words[1].isdigit() and words[2].isdigit():
            return "bed", (number, text)
        raise FormatError(
            "neither GTF nor GFF3 nor BED",
            file=path,
            record=f"line {number}",
            found=repr(text[:60].rstrip("\r\n")),
            expected="nine columns separated by tabs, or chrom, start, end, name, score, strand",
        )
    raise FormatError("no genes in this file", file=path, expected="a GTF, GFF3 or BED file")

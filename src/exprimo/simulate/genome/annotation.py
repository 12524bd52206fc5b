"""Gene models as GTF lines in the style of Ensembl."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from exprimo.core.coordinates import Interval
from exprimo.simulate.genome.layout import on_chromosome
from exprimo.simulate.genome.transcripts import Gene, Span, Transcript, clip_spans

_SOURCE = "exprimo"


class NamedGene(NamedTuple):
    """A placed gene and what it is called."""

    gene_id: str
    name: str
    gene: Gene
    place: Interval

    @property
    def biotype(self) -> str:
        return "lncRNA" if self.gene.canonical.cds is None else "protein_coding"


def gtf_lines(genes: Iterable[NamedGene]) -> Iterator[str]:
    """Give the lines of a GTF file, header included, without line ends."""
    yield "#!genome-build exprimo-known-truth"
    yield "#!genebuild-source exprimo"
    for one in genes:
        attributes = _attributes(
            gene_id=one.gene_id,
            gene_version="1",
            gene_name=one.name,
            gene_biotype=one.biotype,
        )
        transcripts = one.gene.transcripts
        span = (min(t.tss for t in transcripts), max(t.end for t in transcripts))
        yield _line(one.place, "gene", span, attributes)
        for number, transcript in enumerate(transcripts, start=1):
            yield from _transcript_lines(one, number, transcript, attributes)


def transcript_id(gene_id: str, number: int) -> str:
    """Name a gene's n-th transcript.

    Examples
    --------
    >>> transcript_id("EXPG00000000012", 2)
    'EXPT00000000012002'
    """
    return f"{gene_id.replace('EXPG', 'EXPT')}{number:03d}"


def _transcript_lines(
    one: NamedGene, number: int, transcript: Transcript, of_gene: str
) -> Iterator[str]:
    identifier = transcript_id(one.gene_id, number)
    attributes = f"{of_gene} " + _attributes(
        transcript_id=identifier,
        transcript_version="1",
        transcript_name=f"{one.name}-20{number}",
        transcript_biotype=one.biotype,
    )
    tag = ' tag "Ensembl_canonical";' if transcript.canonical else ""
    yield _line(one.place, "transcript", (transcript.tss, transcript.end), attributes + tag)
    protein = f' protein_id "{identifier.replace("EXPT", "EXPP")}";'
    coded = 0
    for rank, exon in enumerate(transcript.exons, start=1):
        ranked = f'{attributes} exon_number "{rank}";'
        exon_id = f' exon_id "{identifier.replace("EXPT", "EXPE")}{rank:02d}";'
        yield _line(one.place, "exon", exon, ranked + exon_id + tag)
        if transcript.cds is None:
            continue
        start, stop = transcript.cds
        for coding in clip_spans((exon,), (start, stop - 3)):
            # A frame counts the bases before the next codon begins.
            yield _line(one.place, "CDS", coding, ranked + protein + tag, str(-coded % 3))
            coded += coding[1] - coding[0]
        if exon[0] <= start < exon[1]:
            yield _line(one.place, "start_codon", (start, start + 3), ranked + tag, "0")
        if exon[0] < stop <= exon[1]:
            yield _line(one.place, "stop_codon", (stop - 3, stop), ranked + tag, "0")
    if transcript.cds is not None:
        yield from _untranslated_lines(one.place, transcript, transcript.cds, attributes + tag)


def _untranslated_lines(
    place: Interval, transcript: Transcript, cds: Span, attributes: str
) -> Iterator[str]:
    for feature, within in (
        ("five_prime_utr", (transcript.tss, cds[0])),
        ("three_prime_utr", (cds[1], transcript.end)),
    ):
        for span in clip_spans(transcript.exons, within):
            yield _line(place, feature, span, attributes)


def _attributes(**values: str) -> str:
    return " ".join(f'{key} "{value}";' for key, value in values.items())


def _line(place: Interval, feature: str, span: Span, attributes: str, frame: str = ".") -> str:
    at = on_chromosome(place, span)
    # GTF counts from 1 and includes the last base.
    return (
        f"{at.chrom}\t{_SOURCE}\t{feature}\t{at.start + 1}\t{at.end}\t.\t{at.strand}\t{frame}\t"
        f"{attributes}"
    )

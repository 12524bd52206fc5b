"""Where the readers of GTF, GFF3 and BED put what they find."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from exprimo.core.errors import FormatError

# How much a transcript's tags speak for it; see `choose_canonical`.
_TAG_RANKS = {
    "Ensembl_canonical": 4,
    "MANE_Select": 3,
    "MANE Select": 3,
    "appris_principal": 2,
    "appris_principal_1": 2,
    "basic": 1,
    "gencode_basic": 1,
}


def tag_rank(tags: list[str]) -> int:
    """Give the rank of the tag that speaks most for a transcript.

    Examples
    --------
    >>> tag_rank(["basic", "Ensembl_canonical"]), tag_rank(["CCDS"])
    (4, 0)
    """
    return max((_TAG_RANKS.get(tag, 0) for tag in tags), default=0)


@dataclass(slots=True)
class Place:
    """A stretch of a chromosome and the line that gave it; start 0-based, end outside."""

    chrom: str
    start: int
    end: int
    strand: str
    line: int


@dataclass(slots=True)
class GeneRecord:
    """One gene at one place; ``declared`` if a line of its own gave the place."""

    raw_id: str
    place: Place
    name: str
    biotype: str
    declared: bool


@dataclass(slots=True)
class TranscriptRecord:
    """One transcript; ``gene`` is the number of its gene."""

    raw_id: str
    gene: int
    place: Place
    rank: int
    declared: bool


@dataclass(slots=True)
class Blocks:
    """Exons, CDS or stop codons as three growing columns (12 to 24 bytes a block)."""

    transcript: array[int] = field(default_factory=lambda: array("q"))
    start: array[int] = field(default_factory=lambda: array("q"))
    end: array[int] = field(default_factory=lambda: array("q"))

    def add(self, transcript: int, start: int, end: int) -> None:
        self.transcript.append(transcript)
        self.start.append(start)
        self.end.append(end)


class Collector:
    """Genes, transcripts and blocks as they are met, in any order of lines.

    A gene is known by (id, chromosome), a transcript by (gene, id): some files repeat an id on
    X and Y, and some give transcripts of many genes the same id.
    """

    def __init__(self, path: Path, format: str) -> None:
        self.path = path
        self.format = format
        self.genes: list[GeneRecord] = []
        self.transcripts: list[TranscriptRecord] = []
        self.exons, self.cds, self.stops = Blocks(), Blocks(), Blocks()
        self.notes: Counter[str] = Counter()
        self._gene_numbers: dict[tuple[str, str], int] = {}
        self._transcript_numbers: dict[tuple[int, str], int] = {}

    def gene(self, raw_id: str, place: Place, name: str, biotype: str, *, declared: bool) -> int:
        """Add a gene, or what a further line tells of it, and return its number."""
        number = self._gene_numbers.get((raw_id, place.chrom))
        if number is None:
            self.genes.append(GeneRecord(raw_id, replace(place), name, biotype, declared))
            return self._gene_numbers.setdefault((raw_id, place.chrom), len(self.genes) - 1)
        known = self.genes[number]
        if declared and known.declared:
            raise self.two_places("gene", raw_id, known.place, place)
        if declared:
            known.place, known.declared = place, True
        elif not known.declared:
            if known.place.strand != place.strand:
                raise self.two_places("gene", raw_id, known.place, place)
            _widen(known.place, place)
        known.name, known.biotype = known.name or name, known.biotype or biotype
        return number

    def transcript(self, raw_id: str, gene: int, place: Place, rank: int, *, declared: bool) -> int:
        """Add a transcript, or what a further line tells of it, and return its number."""
        number = self._transcript_numbers.get((gene, raw_id))
        if number is None:
            self.transcripts.append(TranscriptRecord(raw_id, gene, replace(place), rank, declared))
            return self._transcript_numbers.setdefault((gene, raw_id), len(self.transcripts) - 1)
        known = self.transcripts[number]
        if declared and known.declared:
            raise self.two_places("transcript", raw_id, known.place, place)
        if declared:
            known.place, known.declared = place, True
        known.rank = max(known.rank, rank)
        return number

    def block(self, blocks: Blocks, transcript: int, place: Place) -> None:
        """Add an exon, CDS or stop codon; a transcript without a line of its own grows by it."""
        blocks.add(transcript, place.start, place.end)
        known = self.transcripts[transcript]
        if known.place.strand != place.strand:
            if not known.declared:
                raise self.two_places("transcript", known.raw_id, known.place, place)
            self.notes["blocks_on_other_strand"] += 1
        if not known.declared:
            _widen(known.place, place)
            gene = self.genes[known.gene]
            if not gene.declared:
                _widen(gene.place, place)

    def two_places(self, kind: str, raw_id: str, first: Place, second: Place) -> FormatError:
        """Make the error for one id at two places."""
        return FormatError(
            f"the same {kind} id stands at two places",
            file=self.path,
            record=f"{kind} {raw_id}, lines {first.line} and {second.line}",
            found=" and ".join(
                f"{p.chrom}:{p.start + 1}-{p.end}({p.strand})" for p in (first, second)
            ),
            expected=f"each {kind} once",
            remedy="Remove or rename one of them",
        )


def _widen(place: Place, other: Place) -> None:
    place.start, place.end = min(place.start, other.start), max(place.end, other.end)

"""From what a reader collected to the tables: ids resolved, gaps filled, blocks ordered."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.annotation.collect import Blocks, Collector, GeneRecord, Place, TranscriptRecord
from exprimo.data.annotation.identifiers import is_pseudoautosomal_pair, strip_version
from exprimo.data.annotation.tables import (
    BLOCK_COLUMNS,
    GENE_COLUMNS,
    TRANSCRIPT_COLUMNS,
    Annotation,
    choose_canonical,
)

_Table = npt.NDArray[np.int64]
_PAR_Y = "_PAR_Y"


def assemble(found: Collector) -> Annotation:
    """Turn a collector into an `Annotation`."""
    if not found.genes:
        raise FormatError(
            "no genes in this file",
            file=found.path,
            expected="lines of genes, transcripts or exons",
            remedy="Give the file that lists genes",
        )
    gene_ids = _resolve_genes(found)
    _add_missing_transcripts(found, gene_ids)
    transcript_ids = _resolve_transcripts(found, gene_ids)
    exons, cds = _table(found.exons), _with_stop_codons(found)
    exons = _with_missing_exons(found, exons, cds)
    genes = _gene_table(found, gene_ids)
    transcripts = _transcript_table(found, gene_ids, transcript_ids, exons, cds)
    return Annotation(
        genes=genes,
        transcripts=transcripts,
        exons=_block_table(exons, transcript_ids),
        cds=_block_table(cds, transcript_ids),
        source=found.path,
        format=found.format,
        notes={name: count for name, count in sorted(found.notes.items()) if count},
    )


def _resolve_genes(found: Collector) -> list[str]:
    """Strip versions; merge versions of one gene, name copies on Y, refuse the same id elsewhere.

    Returns the final id of each gene; a merged one has an empty id, its transcripts moved.
    """
    ids: list[str] = []
    number_of: dict[str, int] = {}
    moved: dict[int, int] = {}
    for number, gene in enumerate(found.genes):
        identifier = strip_version(gene.raw_id)
        first = number_of.get(identifier)
        if first is not None:
            known = found.genes[first]
            if is_pseudoautosomal_pair(known.place.chrom, gene.place.chrom):
                if gene.place.chrom.endswith("X"):
                    ids[first], number_of[identifier + _PAR_Y] = identifier + _PAR_Y, first
                else:
                    identifier += _PAR_Y
                found.notes["par_y_copies"] += 1
            elif gene.raw_id != known.raw_id and _overlap(known.place, gene.place):
                _merge(known, gene)
                moved[number] = first
                found.notes["version_collisions"] += 1
                identifier = ""
            else:
                raise found.two_places("gene", identifier, known.place, gene.place)
        ids.append(identifier)
        if identifier:
            number_of[identifier] = number
    for transcript in found.transcripts:
        transcript.gene = moved.get(transcript.gene, transcript.gene)
    return ids


def _overlap(a: Place, b: Place) -> bool:
    same = (a.chrom, a.strand) == (b.chrom, b.strand)
    return same and a.start < b.end and b.start < a.end


def _merge(known: GeneRecord, other: GeneRecord) -> None:
    known.place.start = min(known.place.start, other.place.start)
    known.place.end = max(known.place.end, other.place.end)
    known.name, known.biotype = known.name or other.name, known.biotype or other.biotype


def _add_missing_transcripts(found: Collector, gene_ids: list[str]) -> None:
    """Let a gene line that stands alone be its own transcript."""
    with_transcripts = {transcript.gene for transcript in found.transcripts}
    alone = [n for n, i in enumerate(gene_ids) if i and n not in with_transcripts]
    for number in alone:
        gene = found.genes[number]
        found.transcript(gene.raw_id, number, gene.place, 0, declared=True)
    found.notes["implied_transcripts"] += len(alone)


def _resolve_transcripts(found: Collector, gene_ids: list[str]) -> list[str]:
    """Strip versions; ids that are equal then keep their version, or get their gene's id."""
    ids = []
    for record in found.transcripts:
        identifier = strip_version(record.raw_id)
        on_y = gene_ids[record.gene].endswith(_PAR_Y) and not identifier.endswith(_PAR_Y)
        ids.append(identifier + _PAR_Y if on_y else identifier)
    for note, longer in (
        ("version_collisions", lambda r: r.raw_id),
        ("qualified_transcript_ids", lambda r: f"{gene_ids[r.gene]}:{r.raw_id}"),
    ):
        counts = Counter(ids)
        for number, record in enumerate(found.transcripts):
            if counts[ids[number]] > 1 and ids[number] != longer(record):
                ids[number] = longer(record)
                found.notes[note] += 1
    return ids


def _table(blocks: Blocks) -> _Table:
    """Give blocks as rows (transcript, start, end), sorted."""
    columns = (blocks.transcript, blocks.start, blocks.end)
    return _sorted(np.stack([np.array(column, dtype=np.int64) for column in columns], axis=1))


def _sorted(rows: _Table) -> _Table:
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def _with_stop_codons(found: Collector) -> _Table:
    """Join stop codons to the CDS of their transcripts."""
    cds, stops = _table(found.cds), _table(found.stops)
    if found.format == "gtf":
        found.notes["cds_without_stop_codon"] += len(np.setdiff1d(cds[:, 0], stops[:, 0]))
    if not len(stops):
        return cds
    to_join = np.isin(cds[:, 0], stops[:, 0])
    rows = _sorted(np.concatenate([cds[to_join], stops]))
    # A block begins where the one before ends short of it; within a transcript blocks only touch
    # where a stop codon was cut off.
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:, 0] != rows[:-1, 0]) | (rows[1:, 1] > rows[:-1, 2])
    begins = np.flatnonzero(new)
    joined = rows[begins].copy()
    joined[:, 2] = np.maximum.reduceat(rows[:, 2], begins)
    return _sorted(np.concatenate([cds[~to_join], joined]))


def _with_missing_exons(found: Collector, exons: _Table, cds: _Table) -> _Table:
    """Give a transcript without exons its CDS blocks as exons, or itself as the only one."""
    missing = np.setdiff1d(np.arange(len(found.transcripts)), exons[:, 0])
    if not len(missing):
        return exons
    found.notes["implied_exons"] += len(missing)
    from_cds = cds[np.isin(cds[:, 0], missing)]
    bare = np.setdiff1d(missing, from_cds[:, 0])
    places = [found.transcripts[number].place for number in bare]
    whole = np.array(
        [(n, p.start, p.end) for n, p in zip(bare, places, strict=True)], dtype=np.int64
    ).reshape(-1, 3)
    return _sorted(np.concatenate([exons, from_cds, whole]))


def _block_table(rows: _Table, transcript_ids: list[str]) -> pd.DataFrame:
    # Object rows point to one string a transcript, so 1.6 million exons stay small.
    names = np.array(transcript_ids, dtype=object)[rows[:, 0]]
    return pd.DataFrame(dict(zip(BLOCK_COLUMNS, (names, rows[:, 1], rows[:, 2]), strict=True)))


def _gene_table(found: Collector, gene_ids: list[str]) -> pd.DataFrame:
    rows = [
        (i, g.name or i, g.place.chrom, g.place.start, g.place.end, g.place.strand, g.biotype)
        for i, g in zip(gene_ids, found.genes, strict=True)
        if i
    ]
    return pd.DataFrame(rows, columns=GENE_COLUMNS)


def _transcript_table(
    found: Collector,
    gene_ids: list[str],
    transcript_ids: list[str],
    exons: _Table,
    cds: _Table,
) -> pd.DataFrame:
    records = found.transcripts
    table = pd.DataFrame(
        {
            "transcript_id": transcript_ids,
            "gene_id": [gene_ids[record.gene] for record in records],
            **_places(records),
            "own_strand": [r.place.strand == found.genes[r.gene].place.strand for r in records],
            "cds_length": _lengths(cds, len(records)),
            "exon_length": _lengths(exons, len(records)),
        }
    )
    rank = pd.Series([record.rank for record in records], index=table.index)
    table["canonical"] = choose_canonical(table, rank)
    found.notes["trans_spliced_transcripts"] += int((~table["own_strand"]).sum())
    found.notes["canonical_flagged"] += int((table["canonical"] & (rank == 4)).sum())
    return table[TRANSCRIPT_COLUMNS]


def _places(records: list[TranscriptRecord]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        for name in ("chrom", "start", "end", "strand"):
            columns[name].append(getattr(record.place, name))
    return columns


def _lengths(rows: _Table, transcripts: int) -> _Table:
    lengths = np.zeros(transcripts, dtype=np.int64)
    np.add.at(lengths, rows[:, 0], rows[:, 2] - rows[:, 1])
    return lengths

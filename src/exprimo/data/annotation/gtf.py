"""GTF: Ensembl's, GENCODE's, and files with exon lines only."""

from __future__ import annotations

import re
from pathlib import Path

from exprimo.data.annotation.collect import Collector, Place, tag_rank
from exprimo.data.annotation.lines import NumberedLines, line_error, nine_columns, place_of

_WANTED = {"gene", "transcript", "exon", "CDS", "stop_codon"}
_ATTRIBUTE = re.compile(r'([^\s;"]+)\s+(?:"([^"]*)"|([^\s;"]+))\s*(?:;|$)')
# Most lines are exons of a transcript that is known already; this saves reading the rest of them.
_USUAL_START = re.compile(
    r'gene_id "([^"]+)"; (?:gene_version "\d+"; )?transcript_id "([^"]+)"'
)  # fmt: skip


def read_gtf(lines: NumberedLines, path: Path) -> Collector:
    """Collect genes, transcripts, exons, CDS and stop codons; other features are passed over."""
    found = Collector(path, "gtf")
    blocks = {"exon": found.exons, "CDS": found.cds, "stop_codon": found.stops}
    known: dict[tuple[str, str, str], int] = {}
    for number, text in lines:
        if text[0] == "#" or text.isspace():
            continue
        fields = nine_columns(text, number, path)
        feature = fields[2]
        if feature not in _WANTED:
            continue
        place = place_of(fields, number, path)
        if feature in blocks:
            usual = _USUAL_START.match(fields[8])
            transcript = known.get((place.chrom, usual[1], usual[2])) if usual else None
            if transcript is None:
                ids, transcript = _add(found, "exon", fields[8], place)
                known[(place.chrom, *ids)] = transcript
            found.block(blocks[feature], transcript, place)
        else:
            _add(found, feature, fields[8], place)
    return found


def parse_attributes(text: str) -> tuple[dict[str, str], list[str]]:
    """Split column 9 into its values by key (the first of each) and its tags.

    Examples
    --------
    >>> parse_attributes('gene_id "g;1"; level 2; tag "basic"; tag "CCDS";')
    ({'gene_id': 'g;1', 'level': '2', 'tag': 'basic'}, ['basic', 'CCDS'])
    """
    values: dict[str, str] = {}
    tags = []
    for key, quoted, bare in _ATTRIBUTE.findall(text):
        values.setdefault(key, quoted or bare)
        if key == "tag":
            tags.append(quoted or bare)
    return values, tags


def _add(
    found: Collector, feature: str, attributes: str, place: Place
) -> tuple[tuple[str, str], int]:
    """Add the gene and the transcript that a line names; return their ids and the number."""
    values, tags = parse_attributes(attributes)
    gene_id = values.get("gene_id", "")
    if not gene_id:
        raise line_error(found.path, place.line, "no gene_id", attributes, 'gene_id "..."')
    gene = found.gene(
        gene_id,
        place,
        values.get("gene_name") or values.get("gene") or "",
        values.get("gene_biotype") or values.get("gene_type") or "",
        declared=feature == "gene",
    )
    if feature == "gene":
        return (gene_id, ""), -1
    transcript_id = values.get("transcript_id", "")
    if not transcript_id:
        raise line_error(
            found.path, place.line, "no transcript_id", attributes, 'transcript_id "..."'
        )
    rank = tag_rank(tags)
    declared = feature == "transcript"
    return (gene_id, transcript_id), found.transcript(
        transcript_id, gene, place, rank, declared=declared
    )

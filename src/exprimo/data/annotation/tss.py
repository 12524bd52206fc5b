"""Transcription start sites: from an annotation by a rule, or from a user's own table."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from exprimo.core.errors import ConfigError, FormatError
from exprimo.data.annotation.lines import line_error, unknown_strand
from exprimo.data.annotation.tables import Annotation
from exprimo.data.textfile import open_text

TssRule = Literal["canonical", "most5prime"]
TSS_COLUMNS = ["gene_id", "chrom", "tss", "strand", "transcript_id"]
_NEEDED = ["gene_id", "chrom", "tss", "strand"]


def tss_table(annotation: Annotation, rule: TssRule = "canonical") -> pd.DataFrame:
    """Give one TSS a gene: the 0-based position of the first transcribed base.

    That is ``start`` on the plus strand and ``end - 1`` on the minus strand.

    Parameters
    ----------
    annotation
        From `read_annotation`.
    rule
        ``"canonical"``: of the gene's canonical transcript, which is the first by: flagged
        ``Ensembl_canonical``; ``MANE_Select``; APPRIS principal; ``basic``; longest CDS; longest
        sum of exons; the id that sorts first. ``"most5prime"``: of the transcript that starts
        furthest upstream, of several the canonical one, then the id that sorts first. Transcripts
        on the other strand than their gene count only where there is no other.

    Returns
    -------
    DataFrame
        ``gene_id, chrom, tss, strand, transcript_id``, in the order of ``annotation.genes``.

    Examples
    --------
    >>> import tempfile
    >>> from exprimo.data.annotation import read_annotation
    >>> bed = Path(tempfile.mkdtemp()) / "genes.bed"
    >>> _ = bed.write_text("I\\t10\\t40\\tplus\\t0\\t+\\nI\\t50\\t90\\tminus\\t0\\t-\\n")
    >>> tss_table(read_annotation(bed))["tss"].tolist()
    [10, 89]
    """
    if rule not in get_args(TssRule):
        raise ConfigError("no such TSS rule", found=rule, expected=", ".join(get_args(TssRule)))
    table = annotation.transcripts
    minus = table["strand"] == "-"
    table = table.assign(tss=table["start"].where(~minus, table["end"] - 1))
    if rule == "canonical":
        chosen = table[table["canonical"]]
    else:
        gene_strand = annotation.genes.set_index("gene_id")["strand"]
        table = table.assign(
            other=table["strand"] != table["gene_id"].map(gene_strand),
            upstream=table["tss"].where(~minus, -table["tss"]),
            rest=~table["canonical"],
        )
        order = ["other", "upstream", "rest", "transcript_id"]
        chosen = table.sort_values(order).drop_duplicates("gene_id")
    chosen = chosen.set_index("gene_id").loc[annotation.genes["gene_id"]].reset_index()
    return chosen[TSS_COLUMNS]


def read_tss_table(path: str | Path) -> pd.DataFrame:
    """Read a user's own TSSs from a TSV with the columns ``gene_id, chrom, tss, strand``.

    **In the file ``tss`` is 1-based, as in GTF**; what is returned is 0-based, with the columns
    of `tss_table`. ``transcript_id`` may be given; it is empty where it is not. Further columns
    are passed over.

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "tss.tsv"
    >>> _ = table.write_text("gene_id\\tchrom\\ttss\\tstrand\\ng1\\tchr1\\t101\\t-\\n")
    >>> read_tss_table(table)["tss"].tolist()
    [100]
    """
    source = Path(path)
    rows: list[tuple[str, str, int, str, str]] = []
    lines: dict[str, int] = {}
    with open_text(source, "a table with gene_id, chrom, tss, strand") as handle:
        first = handle.readline()
        if not first:  # a gzip file of nothing
            raise FormatError("the file is empty", file=source, expected="a header line")
        header = first.rstrip("\r\n").split("\t")
        lacking = [name for name in _NEEDED if name not in header]
        if lacking:
            raise line_error(
                source, 1, f"no column {', '.join(lacking)}", ", ".join(header), ", ".join(_NEEDED)
            )
        for number, text in enumerate(handle, 2):
            if text.isspace():
                continue
            fields = text.rstrip("\r\n").split("\t")
            if len(fields) != len(header):
                raise line_error(
                    source, number, "a malformed line", f"{len(fields)} columns", len(header)
                )
            row = dict(zip(header, fields, strict=True))
            if row["gene_id"] in lines:
                raise FormatError(
                    "two rows have the same gene id",
                    file=source,
                    record=f"lines {lines[row['gene_id']]} and {number}",
                    found=row["gene_id"],
                    expected="one TSS a gene",
                )
            lines[row["gene_id"]] = number
            rows.append(_tss_row(row, number, source))
    if not rows:
        raise FormatError("no rows below the header", file=source)
    return pd.DataFrame(rows, columns=TSS_COLUMNS)


def _tss_row(row: dict[str, str], line: int, path: Path) -> tuple[str, str, int, str, str]:
    if not row["gene_id"]:
        raise line_error(path, line, "no gene id", "an empty cell", "an id")
    if not (row["tss"].isascii() and row["tss"].isdigit()) or int(row["tss"]) < 1:
        raise line_error(path, line, "tss is not a position", row["tss"], "a whole number >= 1")
    if row["strand"] not in ("+", "-"):
        raise unknown_strand(path, line, row["strand"])
    transcript = row.get("transcript_id", "")
    return row["gene_id"], row["chrom"], int(row["tss"]) - 1, row["strand"], transcript

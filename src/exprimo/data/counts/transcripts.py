"""Which gene each transcript belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.annotation import read_annotation
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.tabular import detect_separator, refuse_binary, split_line
from exprimo.data.textfile import open_text, require_file

_VERSION = re.compile(r"\.\d+$")
# With fewer of the transcripts in the table, it belongs to another annotation.
_LEAST_SHARE = 0.5
_SHOWN = 20


@dataclass(frozen=True)
class TranscriptGenes:
    """A table of transcripts with their genes.

    Attributes
    ----------
    genes
        Transcript id -> gene id, in file order.
    source
        The file; None for a table made in Python.
    stripped
        The ids have lost Ensembl's versions, as those of an annotation do.
    """

    genes: Mapping[str, str]
    source: Path | None = None
    stripped: bool = False


@dataclass(frozen=True)
class TranscriptMatch:
    """Where the transcripts of a quantification belong.

    Attributes
    ----------
    genes
        Sorted ids of the genes that have a transcript there.
    position
        int64, shape (transcripts,): row in ``genes``, or -1 where the table has no gene.
    notes
        Counts for `Counts.notes`.
    """

    genes: list[str]
    position: npt.NDArray[np.int64]
    notes: dict[str, int | str]


def read_transcript_genes(path: str | Path) -> TranscriptGenes:
    """Read the gene of each transcript.

    Parameters
    ----------
    path
        A table (TSV or CSV, plain or gzip, with or without header) with transcripts in the first
        column and genes in the second, further ones passed over; or a GTF, GFF3 or BED
        annotation, whose Ensembl ids lose their versions.

    Raises
    ------
    FormatError
        A transcript has two genes, a row has one column or an empty cell.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "tx2gene.tsv"
    >>> _ = file.write_text("T1.1\\tg1\\nT1.2\\tg1\\n")
    >>> dict(read_transcript_genes(file).genes)
    {'T1.1': 'g1', 'T1.2': 'g1'}
    """
    source = require_file(path, "a table of transcripts and genes, or an annotation")
    refuse_binary(source)
    if _is_annotation(source):
        table = read_annotation(source).transcripts
        genes = dict(zip(table["transcript_id"], table["gene_id"], strict=True))
        return TranscriptGenes(genes, source, stripped=True)
    return TranscriptGenes(_read_pairs(source), source)


def _is_annotation(path: Path) -> bool:
    with open_text(path, "a table or an annotation") as text:
        for line in text:
            if line.strip() and not line.startswith("#"):
                return line.count("\t") >= 5
    return False


def _read_pairs(path: Path) -> dict[str, str]:
    genes: dict[str, str] = {}
    lines: dict[str, int] = {}
    separator = ""
    with open_text(path, "a table of transcripts and genes") as text:
        for number, line in enumerate(text, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            separator = separator or detect_separator(line)
            fields = [field.strip() for field in split_line(line.rstrip("\r\n"), separator)]
            if len(fields) < 2 or not (fields[0] and fields[1]):
                raise FormatError(
                    "not a transcript with its gene",
                    file=path,
                    record=f"line {number}",
                    found=repr(line.strip()[:60]),
                    expected="a transcript id and a gene id, separated by a tab or a comma",
                )
            # A header is taken for a transcript too, and matches none.
            if genes.setdefault(fields[0], fields[1]) != fields[1]:
                raise FormatError(
                    "a transcript with two genes",
                    file=path,
                    record=f"transcript {fields[0]}, lines {lines[fields[0]]} and {number}",
                    found=f"{genes[fields[0]]} and {fields[1]}",
                    expected="one gene; transcripts stand in the first column",
                )
            lines.setdefault(fields[0], number)
    if not genes:
        raise FormatError("no transcripts in this table", file=path)
    return genes


def match_transcripts(
    ids: Sequence[str], table: TranscriptGenes, *, ignore_version: bool, source: str | Path
) -> TranscriptMatch:
    """Find the gene of each transcript.

    Parameters
    ----------
    ids
        Transcripts of the quantifications. GENCODE's long ones (``ENST...|ENSG...|...``) are cut
        at the first bar if the table has none with a bar.
    table
        Where their genes stand.
    ignore_version
        Leave a trailing ``.NUMBER`` out on both sides.
    source
        The quantifications, for errors.

    Raises
    ------
    MismatchError
        More than half of the transcripts are not in the table; the message shows both heads.

    Examples
    --------
    >>> table = TranscriptGenes({"T1": "g2", "T2": "g1", "T3": "g2"})
    >>> found = match_transcripts(["T1", "T2", "T9"], table, ignore_version=False, source="x")
    >>> found.genes, found.position.tolist(), found.notes["transcripts_without_gene"]
    (['g1', 'g2'], [1, 0, -1], 1)
    """
    known, names = dict(table.genes), list(ids)
    cut = 0
    if not any("|" in name for name in known):
        cut = sum("|" in name for name in names)
        names = [name.partition("|")[0] for name in names]
    if table.stripped:
        names = [strip_version(name) for name in names]
    found = names
    if ignore_version:
        found = [_bare(name) for name in names]
        known = _without_versions(table)
    genes = [known.get(name, "") for name in found]
    missing = [name for name, gene in zip(ids, genes, strict=True) if not gene]
    if len(missing) > (1 - _LEAST_SHARE) * len(names):
        raise _no_match(names, missing, table, source, ignore_version)
    ordered = sorted(set(genes) - {""})
    row = {gene: at for at, gene in enumerate(ordered)} | {"": -1}
    notes: dict[str, int | str] = {
        "transcripts": len(names),
        "transcripts_without_gene": len(missing),
    }
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        notes["without_gene"] = ", ".join(missing[:_SHOWN]) + more
    if cut:
        notes["ids_cut_at_bar"] = cut
    return TranscriptMatch(ordered, np.array([row[gene] for gene in genes], dtype=np.int64), notes)


def _bare(name: str) -> str:
    return _VERSION.sub("", strip_version(name))


def _without_versions(table: TranscriptGenes) -> dict[str, str]:
    known: dict[str, str] = {}
    for name, gene in table.genes.items():
        if known.setdefault(_bare(name), gene) != gene:
            raise InputError(
                "transcripts of two genes differ by their version only",
                file=table.source,
                record=f"transcript {_bare(name)}",
                found=f"{known[_bare(name)]} and {gene}",
                expected="one gene",
                remedy="Compare ids with their versions: leave --ignore-version away",
            )
    return known


def _no_match(
    names: list[str],
    missing: list[str],
    table: TranscriptGenes,
    source: str | Path,
    ignore_version: bool,
) -> MismatchError:
    remedy = "Give the table, or the GTF, of the annotation that the index was built from"
    if not ignore_version and _shared(map(_bare, names), map(_bare, table.genes)):
        remedy = "The ids differ by their versions: add --ignore-version"
    elif _shared(names, table.genes.values()):
        remedy = "Exchange the columns: transcripts come first, genes second"
    return MismatchError(
        f"{len(missing):,} of {len(names):,} transcripts are not in the table of transcripts",
        file=source,
        found=f"{', '.join(names[:3])}, ... here; {', '.join(list(table.genes)[:3])}, ... in "
        f"{table.source or 'the table'}",
        expected="the same ids in both, for more than half of the transcripts",
        remedy=remedy,
    )


def _shared(names: Iterable[str], others: Iterable[str]) -> bool:
    listed = list(names)
    known = set(others)
    return sum(name in known for name in listed) > _LEAST_SHARE * len(listed)

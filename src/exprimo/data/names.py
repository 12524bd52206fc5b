"""Tables of names: systematic and common gene names, chromosome styles."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.textfile import open_text

# A first row that holds one of these words is a header; any other first row is a pair.
_HEADER_WORDS = {
    "gene", "gene_id", "geneid", "gene_name", "genename", "id", "name", "symbol", "gene_symbol",
    "systematic", "systematic_name", "common", "common_name", "standard_name", "alias", "orf",
    "chrom", "chromosome", "from", "to", "old", "new", "theirs", "ours",
}  # fmt: skip


@dataclass(frozen=True)
class Translation:
    """How the ids of one file were found in another.

    Attributes
    ----------
    mapping
        Their id -> our id, one to one; ids that were not found are absent.
    direct, by_table
        How many ids stood in the other file as they are, and how many by the table.
    ambiguous
        Ids left out because the table gives several counterparts, or because another id has the
        same counterpart.
    missing
        Ids without any counterpart.
    """

    mapping: dict[str, str]
    direct: int
    by_table: int
    ambiguous: list[str]
    missing: list[str]


@dataclass(frozen=True)
class GeneNames:
    """A two-column table of gene names, used in both directions.

    Attributes
    ----------
    pairs
        Distinct rows (first column, second column).
    source
        The file.
    repeated, unnamed
        Rows that said the same again, and rows with an empty cell; both were left out.
    """

    pairs: tuple[tuple[str, str], ...]
    source: Path
    repeated: int = 0
    unnamed: int = 0

    @property
    def ambiguous(self) -> dict[str, list[str]]:
        """Names with several counterparts in the other column."""
        return {name: others for name, others in self._counterparts().items() if len(others) > 1}

    def translate(self, ids: Iterable[str], into: Iterable[str]) -> Translation:
        """Find ids in another file, as they are or by the table in whichever direction fits.

        Parameters
        ----------
        ids
            Names in their file; a repeated one counts once.
        into
            Names known in our file.

        Examples
        --------
        >>> names = GeneNames((("YAL001C", "TFC3"),), Path("names.tsv"))
        >>> found = names.translate(["YAL001C", "Q0010", "YXX1"], into=["TFC3", "Q0010"])
        >>> found.mapping, found.direct, found.by_table, found.missing
        ({'YAL001C': 'TFC3', 'Q0010': 'Q0010'}, 1, 1, ['YXX1'])
        """
        theirs = list(dict.fromkeys(ids))
        known = dict.fromkeys(into)
        counterparts = self._counterparts()
        direct = {name: name for name in theirs if name in known}
        by_table: dict[str, str] = {}
        ambiguous: list[str] = []
        missing: list[str] = []
        for name in theirs:
            if name in direct:
                continue
            matches = [other for other in counterparts.get(name, ()) if other in known]
            if len(matches) == 1 and matches[0] not in direct:
                by_table[name] = matches[0]
            else:
                (ambiguous if matches else missing).append(name)
        shared = {name for name, count in Counter(by_table.values()).items() if count > 1}
        ambiguous += [name for name, other in by_table.items() if other in shared]
        by_table = {name: other for name, other in by_table.items() if other not in shared}
        mapping = {name: found for name in theirs if (found := (direct | by_table).get(name))}
        if not mapping and theirs:
            raise self._no_overlap(theirs, list(known))
        return Translation(mapping, len(direct), len(by_table), ambiguous, missing)

    def _counterparts(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for first, second in self.pairs:
            if first != second:
                found.setdefault(first, []).append(second)
                found.setdefault(second, []).append(first)
        return found

    def _no_overlap(self, theirs: list[str], ours: list[str]) -> MismatchError:
        head = "; ".join(f"{first} = {second}" for first, second in self.pairs[:3])
        return MismatchError(
            "no gene id of one file is found in the other, as it is or by the table of names",
            file=self.source,
            found=f"{', '.join(theirs[:5])} in the one, {', '.join(ours[:5])} in the other",
            expected=f"names that the table joins, such as {head}",
            remedy="Give a table of names that holds both kinds with --gene-names FILE",
        )


def read_gene_names(path: str | Path) -> GeneNames:
    """Read two columns of gene names, TSV or CSV, with or without a header.

    A name that stands in several rows with different counterparts is kept with all of them and
    counts as ambiguous; `GeneNames.translate` then uses one only if it alone is known.

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "names.tsv"
    >>> _ = table.write_text("systematic\\tcommon\\nYAL001C\\tTFC3\\n")
    >>> read_gene_names(table).pairs
    (('YAL001C', 'TFC3'),)
    """
    source = Path(path)
    pairs: dict[tuple[str, str], None] = {}
    repeated = unnamed = 0
    for _, first, second in _two_columns(source):
        if not (first and second):
            unnamed += 1
        elif (first, second) in pairs:
            repeated += 1
        else:
            pairs[first, second] = None
    if not pairs:
        raise FormatError("no pairs of names in this table", file=source)
    return GeneNames(tuple(pairs), source, repeated, unnamed)


def read_chromosome_names(path: str | Path) -> dict[str, str]:
    """Read chromosome names: theirs in the first column, ours (the genome's) in the second.

    The answer is the ``table`` of `exprimo.core.coordinates.reconcile_chromosomes`.

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "chromosomes.tsv"
    >>> _ = table.write_text("chrI\\tI\\nchrM\\tMito\\n")
    >>> read_chromosome_names(table)
    {'chrI': 'I', 'chrM': 'Mito'}
    """
    source = Path(path)
    names: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, theirs, ours in _two_columns(source):
        if not (theirs and ours):
            raise FormatError("an empty cell", file=source, record=f"line {line}")
        if names.setdefault(theirs, ours) != ours:
            raise FormatError(
                "a chromosome with two names",
                file=source,
                record=f"lines {lines[theirs]} and {line}",
                found=f"{theirs} = {names[theirs]} and {ours}",
                expected="one name",
            )
        lines.setdefault(theirs, line)
    if not names:
        raise FormatError("no pairs of names in this table", file=source)
    return names


def _two_columns(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield (line, first, second), without header, comments and blank lines."""
    with open_text(path, "a table with two columns") as handle:
        lines = [(n, text) for n, text in enumerate(handle, 1) if text.strip() and text[0] != "#"]
    tabs = any("\t" in text for _, text in lines)
    for at, (line, text) in enumerate(lines):
        # Quotes mean nothing in a TSV: gene names such as 5'ETS hold single ones.
        fields = text.split("\t") if tabs else next(csv.reader([text.strip()]))
        if len(fields) != 2:
            raise FormatError(
                "not a row of two columns",
                file=path,
                record=f"line {line}",
                found=f"{len(fields)} columns in {text.rstrip()[:60]!r}",
                expected="two names separated by a tab or a comma",
            )
        first, second = (field.strip() for field in fields)
        if at or not {first.lower(), second.lower()} & _HEADER_WORDS:
            yield line, first, second

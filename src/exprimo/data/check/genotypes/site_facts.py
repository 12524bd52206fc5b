"""What a list of variants holds: kinds of alleles, order, ids; read once, within a bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path

from exprimo.core.coordinates import Interval
from exprimo.core.errors import ExprimoError
from exprimo.data.check.findings import Findings
from exprimo.data.genotypes.alleles.kinds import BREAKEND, NOT_LETTERS, OVERLAPPED, SYMBOLIC
from exprimo.data.genotypes.sites.bcf import bcf_rows
from exprimo.data.genotypes.sites.read import unusable
from exprimo.data.genotypes.sites.rows import Row, content_kind, text_rows, variant_file

# Records and genotypes to go through: half a minute for a file of thousands of people.
MOST_RECORDS = 2_000_000
MOST_CELLS = 1_000_000_000
# Records of a stretch, where only some of a file is looked at closely.
STRETCH = 200
_SHOWN = 8
_SHOWN_IDS = 3
_TOLD = {
    SYMBOLIC: "symbolic alleles",
    BREAKEND: "breakends",
    OVERLAPPED: "alleles *",
}


class SiteScan:
    """Counts the records of a file as they pass.

    Parameters
    ----------
    path
        The file, for messages.
    n_samples
        Samples behind each record, which is longer for them.

    Attributes
    ----------
    problems
        What keeps commands from using the file as it is.
    """

    def __init__(self, path: Path, n_samples: int = 0) -> None:
        self._path = path
        self._most = min(MOST_RECORDS, MOST_CELLS // max(n_samples, 1))
        self._counts = Counter[str]()
        self._chroms: dict[str, None] = {}
        self._last = ("", 0)
        self._ids = set[int]()
        self._twice: dict[str, None] = {}
        self._n_twice = 0
        self._unsorted = ""
        self._other_letters = ""
        self._stopped = False
        self._marks = list[tuple[str, int]]()
        self.problems = list[str]()

    def read(self, rows: Iterable[Row]) -> None:
        """Go through records, up to a bound; what cannot be read is noted and ends it."""
        passing = iter(rows)
        try:
            for row in islice(passing, self._most):
                self._add(row)
            self._stopped = next(passing, None) is not None
        except ExprimoError as error:
            self.problems.append(str(error))

    def _add(self, row: Row) -> None:
        counts = self._counts
        if counts["records"] % STRETCH == 0:
            self._marks.append((row.chrom, row.pos - 1))
        counts["records"] += 1
        counts["multiallelic"] += len(row.alts) > 1
        chrom, pos = self._last
        sorted_here = pos <= row.pos if row.chrom == chrom else row.chrom not in self._chroms
        if not sorted_here and not self._unsorted:
            self._unsorted = f"{row.where}: {row.chrom}:{row.pos} behind {chrom}:{pos}"
        self._chroms[row.chrom] = None
        self._last = (row.chrom, row.pos)
        if row.variant_id:
            key = hash(row.variant_id)
            if key in self._ids:
                self._n_twice += 1
                if len(self._twice) < _SHOWN_IDS:
                    self._twice[row.variant_id] = None
            self._ids.add(key)
        ref = row.ref.upper()
        for alt in row.alts:
            reason = unusable(row.pos, ref, alt.upper())
            counts[reason or _shape(ref, alt)] += 1
            if reason == NOT_LETTERS and not self._other_letters:
                self._other_letters = f"{row.where}, {row.chrom}:{row.pos}: {row.ref} > {alt}"

    def stretches(self, most: int) -> list[Interval]:
        """Give at most so many stretches of `STRETCH` records, evenly spread over the file."""
        if self._unsorted:
            return []
        found = [
            Interval(chrom, start, end)
            for (chrom, start), (other, end) in pairwise(self._marks)
            if chrom == other and start < end
        ]
        step = -(-len(found) // max(most, 1))
        return found[:: max(step, 1)]

    @property
    def n_records(self) -> int:
        """Records that were read."""
        return self._counts["records"]

    def findings(self, *, ordered: bool = True) -> Findings:
        """Give what was found; ``ordered`` says that records must be sorted by position."""
        counts, problems = self._counts, list(self.problems)
        n = counts["records"]
        facts = {
            "variants": f"{n:,} records" + (", the first ones of more" if self._stopped else ""),
            "alleles": f"{counts['SNP']:,} SNPs, {counts['indel']:,} indels, "
            f"{counts['other']:,} other substitutions",
            "multiallelic": f"{counts['multiallelic']:,} records",
            "chromosomes": f"{len(self._chroms):,} ({_some(self._chroms)})",
        }
        for reason, name in _TOLD.items():
            if counts[reason]:
                facts[name] = f"{counts[reason]:,}, which are passed over"
        if not n and not problems:
            problems.append(f"{self._path}: there is no variant.")
        if counts[NOT_LETTERS]:
            problems.append(
                f"{self._path}, {self._other_letters}: alleles of other letters than A, C, G, T, "
                f"N, in {counts[NOT_LETTERS]:,} cases; they are passed over."
            )
        if self._unsorted and ordered:
            problems.append(
                f"{self._path}, {self._unsorted}: not in order of position. Sort it, e.g. with "
                "`bcftools sort`."
            )
        if self._n_twice:
            facts["ids that occur again"] = f"{self._n_twice:,} ({_some(self._twice)})"
        return Findings(facts, problems)


def _shape(ref: str, alt: str) -> str:
    if len(ref) == len(alt) == 1:
        return "SNP"
    return "indel" if len(ref) != len(alt) else "other"


def site_rows(path: Path) -> Iterator[Row]:
    """Read the records of a file of any kind; what it is, is looked at with the first one."""
    kind = content_kind(path)
    return bcf_rows(path) if kind == "BCF" else text_rows(path, kind)


def site_list_facts(path: Path) -> Findings:
    """Tell what a list of variants to be scored holds."""
    source = variant_file(path)
    scan = SiteScan(source)
    scan.read(site_rows(source))
    return scan.findings(ordered=False)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")

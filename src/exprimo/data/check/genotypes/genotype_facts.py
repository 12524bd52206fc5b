"""What files of genotypes hold: header, variants, people; and what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from exprimo.core.errors import ExprimoError
from exprimo.data.check.findings import Findings
from exprimo.data.check.genotypes.builds import build_hint
from exprimo.data.check.genotypes.cohort_facts import cohort_facts
from exprimo.data.check.genotypes.site_facts import SiteScan, site_rows
from exprimo.data.genotypes import open_genotypes
from exprimo.data.genotypes.open import SMALL_FILE
from exprimo.data.genotypes.plink.tables import read_fam, read_psam
from exprimo.data.genotypes.plink.trio import find_trio
from exprimo.data.genotypes.ploidy import FEMALE, MALE
from exprimo.data.genotypes.sites.bcf import bcf_header
from exprimo.data.genotypes.vcf import ends_as_bgzip, index_of, no_index
from exprimo.data.textfile import is_gzip, open_bytes, open_text

_SHOWN = 8
_FIXED = 8
_CONTIG = re.compile(r"##contig=<.*?\bID=([^,>]+)")
_LENGTH = re.compile(r"\blength=(\d+)")


class Header(NamedTuple):
    """What the header of a VCF or BCF says; ``columns`` is empty where the line is missing."""

    contigs: list[str]
    lengths: dict[str, int]
    columns: list[str]

    @property
    def samples(self) -> list[str]:
        """Names behind the column FORMAT."""
        return self.columns[_FIXED + 1 :]


def read_header(path: Path) -> Header:
    """Read the header of a VCF or BCF."""
    with open_bytes(path, "a VCF or BCF") as handle:
        is_bcf = handle.read(3) == b"BCF"
    if is_bcf:
        with open_bytes(path, "a BCF") as handle:
            return _header(bcf_header(handle, path).splitlines())
    lines = []
    with open_text(path, "a VCF") as text:
        for line in text:
            if not line.startswith("#"):
                break
            lines.append(line.rstrip("\r\n"))
    return _header(lines)


def _header(lines: Iterable[str]) -> Header:
    found = Header([], {}, [])
    for line in lines:
        if contig := _CONTIG.match(line):
            found.contigs.append(contig.group(1))
            if length := _LENGTH.search(line):
                found.lengths[contig.group(1)] = int(length.group(1))
        elif line.startswith("#CHROM"):
            found.columns.extend(line.split("\t"))
    return found


def vcf_facts(path: Path) -> Findings:
    """Go through a VCF or BCF: header, records, then genotypes; each within a bound."""
    header = read_header(path)
    facts = {"samples": _samples(header.samples)}
    problems = _header_problems(path, header)
    scan = SiteScan(path, n_samples=len(header.samples))
    scan.read(site_rows(path))
    found = scan.findings()
    facts |= found.facts
    problems += found.problems
    if header.lengths:
        facts["genome build"] = build_hint(header.lengths) or "not known by the contig lengths"
    if header.samples:
        told, wrong = _index(path)
        facts["index"] = told
        problems += wrong
    if is_gzip(path) and _is_bgzip(path) and not ends_as_bgzip(path) and not scan.problems:
        problems.append(
            f"{path}: the file is cut short: the empty block that ends bgzip files is missing. "
            "Fetch or copy the file again."
        )
    # What cannot be read record by record is not read again.
    if header.samples and scan.n_records and not scan.problems:
        indexed = not wrong and facts["index"].endswith((".tbi", ".csi"))
        facts |= _genotypes(path, problems, scan, indexed=indexed)
    return Findings(facts, problems)


def _header_problems(path: Path, header: Header) -> list[str]:
    if not header.columns:
        return [f"{path}: the header has no line #CHROM, which names the samples."]
    problems = []
    if len(header.columns) == _FIXED + 1:
        problems.append(f"{path}: the header has a column FORMAT, but no samples behind it.")
    again = [name for name, n in Counter(header.samples).items() if n > 1]
    if again:
        problems.append(f"{path}: samples of the same name: {_some(again)}. Give each its own.")
    return problems


def _index(path: Path) -> tuple[str, list[str]]:
    kind = "BCF" if _starts_as_bcf(path) else "VCF"
    found = index_of(path, kind)
    if found is not None:
        if found.stat().st_mtime < path.stat().st_mtime:
            return f"{found.name}, older than the file", [
                f"{path}: the index {found.name} is older than the file. Make it anew with "
                "`bcftools index -f`."
            ]
        return found.name, []
    if not is_gzip(path) and path.stat().st_size <= SMALL_FILE:
        return "none needed: a small text file is held in memory", []
    return "none", [str(no_index(path, kind))]


def _starts_as_bcf(path: Path) -> bool:
    with open_bytes(path, "a BCF") as handle:
        return handle.read(3) == b"BCF"


def _is_bgzip(path: Path) -> bool:
    with open(path, "rb") as handle:
        head = handle.read(16)
    return len(head) == 16 and bool(head[3] & 4) and head[12:14] == b"BC"


def plink_facts(path: Path) -> Findings:
    """Go through the trio that a path names: people, variants, then genotypes."""
    trio = find_trio(path)
    if trio is None:
        return Findings({}, [f"{path}: the files of a PLINK trio are not to be found."])
    facts, problems = {"files": _some(file.name for file in trio[2:])}, list[str]()
    try:
        people = (read_fam if trio.kind == "PLINK 1" else read_psam)(trio.people)
        facts["samples"] = _samples(people.names)
        men, women = int((people.sex == MALE).sum()), int((people.sex == FEMALE).sum())
        facts["sex"] = f"{men:,} male, {women:,} female, {len(people.sex) - men - women:,} unknown"
    except ExprimoError as error:
        problems.append(str(error))
    scan = SiteScan(trio.variants)
    if trio.variants.suffix != ".zst":
        scan.read(site_rows(trio.variants))
        found = scan.findings()
        facts |= found.facts
        problems += found.problems
    if trio.variants.suffix == ".pvar" and (lengths := read_header(trio.variants).lengths):
        facts["genome build"] = build_hint(lengths) or "not known by the contig lengths"
    facts |= _genotypes(path, problems, scan, indexed=True)
    return Findings(facts, problems)


def _genotypes(path: Path, problems: list[str], scan: SiteScan, *, indexed: bool) -> dict[str, str]:
    """Summarise the genotypes; what is wrong with them joins ``problems``."""
    try:
        with open_genotypes(path) as genotypes:
            return cohort_facts(genotypes, scan, indexed=indexed)
    except ExprimoError as error:
        if str(error) not in problems:
            problems.append(str(error))
        return {}


def _samples(names: list[str]) -> str:
    if not names:
        return "none: variants without genotypes, which can be scored"
    return f"{len(names):,} ({_some(names)})"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")

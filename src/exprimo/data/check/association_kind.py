"""Associations of variants, weights of scores, and the folders that commands of them write.

Headings are known here by the words that files use most; the commands know more of them, and which
column they took is theirs to say.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError
from exprimo.data.check.findings import Findings
from exprimo.data.tabular import detect_separator, is_number, split_line
from exprimo.data.textfile import open_text

ASSOCIATIONS, PGS, FUSION, PREDICTDB = (
    "associations",
    "scoring file (PGS Catalog)",
    "FUSION weights",
    "PredictDB weights",
)
_HEADINGS = {
    "variant": "variant_id hm_rsid rsid snp snpid markername variant rs_id",
    "gene": "phenotype_id gene_id molecular_trait_id gene",
    "chromosome": "chrom chr chromosome hm_chrom",
    "position": "pos position bp base_pair_location hm_pos genpos ps",
    "effect allele": "effect_allele hm_effect_allele ea a1 allele1 alt",
    "other allele": "other_allele hm_other_allele oa nea a2 allele0 ref",
    "effect": "beta hm_beta b effect slope or odds_ratio log_odds",
    "standard error": "standard_error se stderr std_err slope_se sebeta",
    "z": "z zscore z_score z_stat",
    "p": "p p_value pval pvalue p_val pval_nominal p_bolt_lmm p_wald",
    "-log10 p": "neg_log_10_p_value log10p mlogp mlog10p nlog10p",
    "people": "n n_total samplesize sample_size totalsamplesize obs_ct neff",
}
_MEANINGS = {meaning: frozenset(words.split()) for meaning, words in _HEADINGS.items()}
_FUSION_COLUMNS = (["CHR", "SNP", "CM", "POS", "A1", "A2"], [f"V{at}" for at in range(1, 7)])
# What a folder holds beside summary.json, and no other of them does.
_FOLDERS = {
    "fitted scores": {"weights.parquet", "models.parquet"},
    "scored people": {"scores.parquet"},
    "fine-mapping": {"credible_sets.parquet"},
    "colocalisation": {"pairs.parquet"},
    "stack": {"weights.parquet", "predictions.parquet", "folds.tsv"},
}
EQTL = "eQTL mapping"
GENETIC_FOLDERS = (EQTL, "TWAS", *_FOLDERS)


def meanings(header: Sequence[str]) -> dict[str, str]:
    """Tell which columns of associations are there: meaning -> name.

    Examples
    --------
    >>> meanings(["SNP", "A1", "P-value", "colour"])
    {'variant': 'SNP', 'effect allele': 'A1', 'p': 'P-value'}
    """
    plain: dict[str, str] = {}
    for name in header:
        plain.setdefault(re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_"), name)
    return {
        meaning: next(name for word, name in plain.items() if word in words)
        for meaning, words in _MEANINGS.items()
        if not words.isdisjoint(plain)
    }


def is_associations(header: Sequence[str]) -> bool:
    """Tell a table that says where variants are and how strong they are.

    Examples
    --------
    >>> is_associations(["SNP", "P"]), is_associations(["gene", "p_value", "base_mean"])
    (True, False)
    """
    found = set(meanings(header))
    placed = "variant" in found or {"chromosome", "position"} <= found
    strong = bool(found & {"p", "-log10 p", "z"}) or {"effect", "standard error"} <= found
    return placed and strong


def weights_kind(lines: Sequence[str]) -> str:
    """Give the kind of associations or weights that first lines of text are, or nothing."""
    at = _header_at(lines)
    if at is None:
        return ""
    header = _fields(lines[at])
    if {"effect_allele", "effect_weight"} <= set(header):
        return PGS
    behind = header[1:] if header[:1] == ["gene_id"] else header
    if behind[:6] in _FUSION_COLUMNS and len(behind) > 6:
        return FUSION
    return ASSOCIATIONS if is_associations(header) else ""


def weights_facts(path: Path) -> Findings:
    """Count rows, and say which columns were found; each row must be as long as the header."""
    with path.open("rb") as handle:
        is_parquet = handle.read(4) == b"PAR1"
    header, rows, with_p = _parquet_rows(path) if is_parquet else _text_rows(path)
    facts = {"rows": f"{rows:,}"}
    facts |= {meaning: f"column {name}" for meaning, name in meanings(header).items()}
    if with_p is not None:
        facts["rows with p"] = f"{with_p:,}"
    facts["columns"] = ", ".join(header)
    return Findings(facts, [])


def is_predictdb(path: Path) -> bool:
    """Tell an SQLite file that has PredictDB's tables."""
    return {"weights", "extra"} <= set(_tables(path))


def predictdb_facts(path: Path) -> Findings:
    """Count weights and genes of a PredictDB model."""
    with closing(_opened(path)) as file:
        (n_weights,) = file.execute("SELECT COUNT(*) FROM weights").fetchone()
        (n_genes,) = file.execute("SELECT COUNT(*) FROM extra").fetchone()
        columns = [row[1] for row in file.execute("PRAGMA table_info(weights)")]
    facts = {"weights": f"{n_weights:,}", "genes": f"{n_genes:,}", "columns": ", ".join(columns)}
    return Findings(facts, [])


def genetic_folder_kind(path: Path) -> str:
    """Give the kind of a folder of associations, scores or a stack, or nothing."""
    there = {file.name for file in path.iterdir()}
    if "summary.json" in there:
        for kind, asked in _FOLDERS.items():
            if asked <= there:
                return kind
        if "genes.parquet" in there and "n_significant" in _read(path / "summary.json"):
            return "TWAS"
    if "provenance.json" in there and _read(path / "provenance.json").get("builder") == "eqtl":
        return EQTL
    return ""


def genetic_folder_facts(path: Path) -> Findings:
    """Tell the counts of the summary, of each fold where a folder has folds."""
    facts = {}
    whole = path / "summary.json"
    summaries = [whole] if whole.is_file() else sorted(path.glob("fold*/summary.json"))
    for file in summaries:
        of = "" if file == whole else f"{file.parent.name}: "
        for name, value in _read(file).items():
            if name.startswith("n_") and isinstance(value, int):
                facts[of + name.removeprefix("n_").replace("_", " ")] = f"{value:,}"
    facts["files"] = ", ".join(sorted(file.name for file in path.iterdir()))
    return Findings(facts, [])


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FormatError("not valid JSON, or cut short", file=file, found=error) from error
    return found if isinstance(found, dict) else {}


def _header_at(lines: Sequence[str]) -> int | None:
    """Find the header: the first line of columns, behind lines of notes."""
    for at, line in enumerate(lines):
        # A note of the Catalog, or of VCF; a heading such as #CHROM has columns behind it.
        if line.strip() and not (line.startswith("#") and len(_fields(line)) < 2):
            if line.startswith("##") or (line.startswith("#") and "=" in line):
                continue
            return at
    return None


def _fields(line: str) -> list[str]:
    """Split a line; PLINK aligns columns with spaces."""
    separator = detect_separator(line)
    if separator == " ":
        return line.split()
    return split_line(line.rstrip("\r\n"), separator)


def _text_rows(path: Path) -> tuple[list[str], int, int | None]:
    with open_text(path, "a table") as text:
        numbered = enumerate(text, 1)
        header = next(_fields(line) for _, line in numbered if _header_at([line]) == 0)
        p = meanings(header).get("p")
        at = None if p is None else header.index(p)
        rows = with_p = 0
        for number, fields in _rows(numbered):
            if len(fields) != len(header):
                raise FormatError(
                    "a row of another length than the header",
                    file=path,
                    record=f"line {number}",
                    found=f"{len(fields)} fields",
                    expected=f"{len(header)}",
                )
            rows += 1
            with_p += at is not None and is_number(fields[at])
    return header, rows, None if at is None else with_p


def _rows(numbered: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    return ((number, _fields(line)) for number, line in numbered if line.strip())


def _parquet_rows(path: Path) -> tuple[list[str], int, int | None]:
    file = pq.ParquetFile(path)
    header = list(file.schema_arrow.names)
    p = meanings(header).get("p")
    if p is None:
        return header, file.metadata.num_rows, None
    try:
        # Through pandas a missing number and a NaN are the same.
        known = int(file.read([p]).column(p).to_pandas().notna().sum())
    except (OSError, pa.ArrowInvalid) as error:
        raise FormatError("a parquet file that is damaged", file=path, found=error) from error
    return header, file.metadata.num_rows, known


def _opened(path: Path) -> sqlite3.Connection:
    # Read-only: no journal is written.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _tables(path: Path) -> list[str]:
    try:
        with closing(_opened(path)) as file:
            found = file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except sqlite3.DatabaseError as error:
        raise FormatError("an SQLite file that is damaged", file=path, found=error) from error
    return [str(row[0]) for row in found]

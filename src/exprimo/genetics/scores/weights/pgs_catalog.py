"""Scoring files of the PGS Catalog: a header of # lines, then a row a variant."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.tabular import Table, is_missing, open_table, parse_number
from exprimo.genetics.scores.weights.table import Weights, foreign_weights

# A score that is not a sum of copies is not one of ours.
_NOT_ADDITIVE = ("is_interaction", "is_dominant", "is_recessive", "is_haplotype", "is_diplotype")
_TRUE = {"true", "1", "t", "yes"}


def is_pgs(header: list[str]) -> bool:
    """Tell a scoring file by its columns.

    Examples
    --------
    >>> is_pgs(["rsID", "effect_allele", "effect_weight"]), is_pgs(["gene_id", "weight"])
    (True, False)
    """
    return {"effect_allele", "effect_weight"} <= set(header)


def read_pgs(path: str | Path) -> Weights:
    """Read a scoring file of the PGS Catalog.

    Columns ``rsID, chr_name, chr_position, effect_allele, other_allele, effect_weight``; where the
    Catalog has harmonised them (``hm_chr, hm_pos, hm_rsID, hm_inferOtherAllele``), its places are
    taken, and variants that it could not place are matched by id. The score's name is ``pgs_id``
    of the header, or the file's name.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "s.txt"
    >>> _ = file.write_text("##POLYGENIC SCORE\\n#pgs_id=PGS1\\n#genome_build=GRCh37\\n"
    ...     "rsID\\tchr_name\\tchr_position\\teffect_allele\\tother_allele\\teffect_weight\\n"
    ...     "rs1\\t1\\t55\\tA\\tG\\t0.5\\n")
    >>> weights = read_pgs(file)
    >>> weights.build, weights.table[["gene_id", "pos", "weight"]].values.tolist()
    ('GRCh37', [['PGS1', 55, 0.5]])
    """
    source = Path(path)
    with open_table(source, "a scoring file of the PGS Catalog") as table:
        if not is_pgs(table.header):
            raise FormatError(
                "not a scoring file of the PGS Catalog",
                file=source,
                record="header",
                found=", ".join(table.header[:8]),
                expected="rsID, chr_name, chr_position, effect_allele, other_allele, effect_weight",
            )
        facts = _facts(table.comments)
        harmonised = "hm_pos" in table.header
        rows = _rows(table, source, facts.get("pgs_id") or source.name.split(".")[0], harmonised)
    columns = ["gene_id", "variant_id", "chrom", "pos", "effect_allele", "other_allele", "weight"]
    build = facts.get("HmPOS_build", "") if harmonised else ""
    return foreign_weights(
        pd.DataFrame(rows, columns=columns),
        "PGS Catalog",
        source,
        build or facts.get("genome_build", ""),
    )


def _facts(comments: list[str]) -> dict[str, str]:
    pairs = (line.lstrip("#").partition("=") for line in comments)
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}


def _rows(
    table: Table, source: Path, score: str, harmonised: bool
) -> list[tuple[str, str, str, int, str, str, float]]:
    at = {name: place for place, name in enumerate(table.header)}
    prefix = ("hm_chr", "hm_pos") if harmonised else ("chr_name", "chr_position")
    if not (set(prefix) <= set(at)) and "rsID" not in at:
        raise FormatError(
            "a scoring file without places and without ids",
            file=source,
            found=", ".join(table.header[:8]),
            expected="chr_name and chr_position, or rsID",
        )
    rows = []
    for line, fields in table.rows:

        def cell(name: str, fields: list[str] = fields) -> str:
            text = fields[at[name]] if name in at else ""
            return "" if is_missing(text) else text.strip()

        record = f"line {line}"
        _refuse_not_additive(fields, at, source, record)
        position = cell(prefix[1])
        if position and not position.isdecimal():
            raise FormatError("not a position", file=source, record=record, found=repr(position))
        weight = parse_number(cell("effect_weight"), file=source, record=record)
        other = cell("other_allele") or cell("hm_inferOtherAllele")
        if "/" in other:  # several were inferred, so none is known
            other = ""
        name = cell("hm_rsID") or cell("rsID")
        place = (cell(prefix[0]), int(position)) if position else ("", 0)
        label = name or f"{place[0]}:{place[1]}"
        rows.append((score, label, *place, cell("effect_allele"), other, weight))
    return rows


def _refuse_not_additive(fields: list[str], at: dict[str, int], source: Path, record: str) -> None:
    for name in _NOT_ADDITIVE:
        if name in at and fields[at[name]].strip().lower() in _TRUE:
            raise FormatError(
                "a weight that does not go with the number of copies",
                file=source,
                record=record,
                found=name,
                expected="additive weights only",
                remedy="Use a score of additive weights",
            )

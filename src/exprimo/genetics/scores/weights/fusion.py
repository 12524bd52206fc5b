"""FUSION: weights of expression as a table saved from R; R's own binary files are refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.tabular import Table, open_table, parse_number
from exprimo.data.textfile import is_gzip
from exprimo.genetics.scores.weights.table import Weights, foreign_weights

# The six columns of `snps` in a .wgt.RDat, which has none of these names, and as R calls them.
_NAMED = ("CHR", "SNP", "CM", "POS", "A1", "A2")
_PLAIN = ("V1", "V2", "V3", "V4", "V5", "V6")
_R_MAGIC = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n")
EXPORT = (
    'load("GENE.wgt.RDat"); write.table(data.frame(snps, wgt.matrix), "GENE.tsv", '
    'sep="\\t", quote=FALSE, row.names=FALSE)'
)


def is_r_data(path: Path) -> bool:
    """Tell R's saved workspaces by their first bytes, packed or not."""
    opener = gzip.open if is_gzip(path) else open
    try:
        with opener(path, "rb") as handle:
            head = bytes(handle.read(5))
    except (OSError, EOFError):
        return False
    # bzip2 and xz are R's other ways of packing; nothing in them is read.
    packed = path.name.lower().endswith((".rdat", ".rda", ".rdata"))
    return head in _R_MAGIC or packed


def refuse_r_data(path: Path) -> FormatError:
    """Make the error for R's binary form: what to run to get what is read."""
    return FormatError(
        "a workspace saved by R, which only R reads safely",
        file=path,
        expected="a table with CHR (or V1), SNP, CM, POS, A1, A2 and a column for each model",
        remedy=f"Export it in R: {EXPORT}",
    )


def is_fusion(header: list[str]) -> bool:
    """Tell an exported table by its first columns, or those behind a gene_id.

    Examples
    --------
    >>> is_fusion(["V1", "V2", "V3", "V4", "V5", "V6", "enet"]), is_fusion(["rsID", "A1"])
    (True, False)
    """
    columns = header[1:] if header[:1] == ["gene_id"] else header
    return tuple(columns[:6]) in (_NAMED, _PLAIN) and len(columns) > 6


def read_fusion(path: str | Path) -> Weights:
    """Read FUSION weights that were exported from R as a table.

    Each column behind the six of ``snps`` is a model (``enet``, ``lasso``, ``blup``, ``top1``, ...)
    with weights per copy of A1. Zero weights and NA are left out. The gene is the column
    ``gene_id`` in front, or else the file's name up to the first ``.wgt`` or ending.

    Parameters
    ----------
    path
        Text with a header, plain or gzip. ``.wgt.RDat`` itself is R's binary form and refused.
    """
    source = Path(path)
    if source.is_file() and is_r_data(source):
        raise refuse_r_data(source)
    with open_table(source, "FUSION weights as a table") as table:
        if not is_fusion(table.header):
            raise FormatError(
                "not a table of FUSION weights",
                file=source,
                record="header",
                found=", ".join(table.header[:8]),
                expected=", ".join(_NAMED) + ", then a column for each model",
                remedy=f"Export it in R: {EXPORT}",
            )
        rows = _rows(table, source)
    columns = ["gene_id", "chrom", "variant_id", "pos", "effect_allele", "other_allele"]
    return foreign_weights(
        pd.DataFrame(rows, columns=[*columns, "model", "weight"]), "FUSION", source
    )


def _rows(table: Table, source: Path) -> list[tuple[str, str, str, int, str, str, str, float]]:
    ahead = 1 if table.header[0] == "gene_id" else 0
    gene = source.name.split(".wgt")[0].split(".tsv")[0].split(".txt")[0]
    models = table.header[ahead + 6 :]
    rows = []
    for line, fields in table.rows:
        chrom, name, _, position, effect, other = fields[ahead : ahead + 6]
        if not position.isdecimal():
            raise FormatError(
                "not a position", file=source, record=f"line {line}, {name}", found=repr(position)
            )
        for model, text in zip(models, fields[ahead + 6 :], strict=True):
            weight = parse_number(text, file=source, record=f"line {line}, {model}")
            if weight == weight and weight != 0:  # neither missing nor nothing
                place = (fields[0] if ahead else gene, chrom, name, int(position))
                rows.append((*place, effect, other, model, weight))
    return rows

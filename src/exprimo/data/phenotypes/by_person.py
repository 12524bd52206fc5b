"""Expression of genes for the people that are asked for, from a BED file or a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.phenotypes.expression_bed import read_expression_bed
from exprimo.data.tabular import open_table
from exprimo.data.targets import read_targets

_CHROM_HEADINGS = ("chr", "chrom", "chromosome")


def read_expression(path: str | Path, people: Sequence[str]) -> pd.DataFrame:
    """Read numbers per gene and person.

    Parameters
    ----------
    path
        An expression BED (`read_expression_bed`), or a table with a header, one row a gene, genes
        in the column ``gene_id`` or the first, and a column for each person.
    people
        Those wanted; who has no column is missing throughout.

    Returns
    -------
    DataFrame
        Index ``gene_id`` (without version), one float column a person, in the order asked for;
        NaN where there is no value.

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "expression.tsv"
    >>> _ = table.write_text("gene_id\\tann\\tbob\\ng1\\t0.5\\tNA\\n")
    >>> read_expression(table, ["bob", "ann"]).loc["g1"].tolist()
    [nan, 0.5]
    """
    with open_table(path, "expression of genes by person") as table:
        header = table.header
    present = [name for name in people if name in header]
    if not present:
        raise MismatchError(
            "no person of the genotypes has a column of expression",
            file=path,
            found=", ".join(header[:8]),
            expected=", ".join(list(people)[:6]),
            remedy="Name people alike in both files",
        )
    if header[0].lower() in _CHROM_HEADINGS:
        bed = read_expression_bed(path, missing="allow")
        found = pd.DataFrame(bed.values, index=bed.genes["gene_id"], columns=list(bed.people))
    else:
        found = read_targets(path, present)
    found.index = pd.Index([strip_version(gene) for gene in found.index], name="gene_id")
    if not found.index.is_unique:
        raise FormatError(
            "two rows have the same gene id",
            file=path,
            found=found.index[found.index.duplicated()][0],
            expected="one row a gene, versions of ids aside",
        )
    return found.reindex(columns=list(people))

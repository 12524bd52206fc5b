"""Expression of genes over people from a matrix, and where the genes lie from a gene table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.annotation import read_annotation, read_tss_table, tss_table
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.phenotypes.expression_bed import PersonalExpression
from exprimo.data.targets import read_targets
from exprimo.data.textfile import open_text

NO_PLACE = "genes that the gene table lacks"


def gene_places(path: str | Path) -> pd.DataFrame:
    """Read where genes begin, from an annotation or a table of TSSs.

    Parameters
    ----------
    path
        GTF, GFF3 or BED (the TSS of the canonical transcript), or a table with the columns
        ``gene_id, chrom, tss, strand`` in which ``tss`` is 1-based.

    Returns
    -------
    DataFrame
        ``gene_id, chrom, tss`` (0-based) ``, strand, transcript_id``, one row a gene.

    Examples
    --------
    >>> import tempfile
    >>> bed = Path(tempfile.mkdtemp()) / "genes.bed"
    >>> _ = bed.write_text("chrI\\t10\\t40\\tYAL001C\\t0\\t-\\n")
    >>> gene_places(bed)[["gene_id", "tss", "strand"]].values.tolist()
    [['YAL001C', 39, '-']]
    """
    with open_text(Path(path), "a gene table") as lines:
        header = next(iter(lines), "").rstrip("\r\n").split("\t")
    if "gene_id" in header and "tss" in header:
        return read_tss_table(path)
    return tss_table(read_annotation(path))


def read_expression_matrix(
    path: str | Path, places: str | Path
) -> tuple[PersonalExpression, dict[str, int]]:
    """Read a matrix of genes by people, and place and sort its genes by a gene table.

    Parameters
    ----------
    path
        A table with a header: genes in the column ``gene_id`` or the first, every other column a
        person; no cell may be empty.
    places
        As `gene_places` takes it. An id that is not there is looked up without its version.

    Returns
    -------
    The expression, chromosomes in the order of the gene table, genes from ``tss`` to ``tss + 1``;
    and how many genes were left out for which reason.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "m.tsv").write_text("gene_id\\tann\\tbob\\ng2\\t1\\t2\\ng1\\t3\\t4\\n")
    >>> _ = (folder / "g.bed").write_text("1\\t10\\t40\\tg1\\t0\\t+\\n1\\t50\\t90\\tg2\\t0\\t-\\n")
    >>> found, dropped = read_expression_matrix(folder / "m.tsv", folder / "g.bed")
    >>> found.genes.values.tolist(), found.values.tolist(), dropped
    ([['g1', '1', 10, 11], ['g2', '1', 89, 90]], [[3.0, 4.0], [1.0, 2.0]], {})
    """
    source = Path(path)
    matrix = read_targets(source)
    _refuse_missing(matrix, source)
    table = gene_places(places).set_index("gene_id")
    known = set(table.index)
    ids = [str(gene) for gene in matrix.index]
    keys = [gene if gene in known else strip_version(gene) for gene in ids]
    placed = np.array([key in known for key in keys])
    if not placed.any():
        raise MismatchError(
            "no gene of the matrix is in the gene table",
            file=source,
            found=", ".join(ids[:5]),
            expected=", ".join(list(table.index[:5])),
            remedy="Use the same gene ids in both",
        )
    kept = [key for key, there in zip(keys, placed, strict=True) if there]
    at = table.loc[kept]
    rank = {chrom: n for n, chrom in enumerate(dict.fromkeys(table["chrom"]))}
    tss = at["tss"].to_numpy(np.int64)
    order = np.lexsort((tss, at["chrom"].map(rank).to_numpy()))
    genes = pd.DataFrame(
        {
            "gene_id": [gene for gene, there in zip(ids, placed, strict=True) if there],
            "chrom": at["chrom"].to_numpy(),
            "start": tss,
            "end": tss + 1,
        }
    )
    values = matrix.to_numpy(np.float64)[placed][order]
    people = tuple(str(name) for name in matrix.columns)
    missing = int((~placed).sum())
    return (
        PersonalExpression(genes.iloc[order].reset_index(drop=True), people, values, source),
        {NO_PLACE: missing} if missing else {},
    )


def _refuse_missing(matrix: pd.DataFrame, source: Path) -> None:
    empty = np.argwhere(matrix.isna().to_numpy())
    if len(empty):
        gene, person = empty[0]
        raise FormatError(
            "a value is missing",
            file=source,
            record=f"gene {matrix.index[gene]}, person {matrix.columns[person]}",
            found=f"{len(empty)} empty cells",
            expected="a finite number",
            remedy="Leave out the gene or the person, or fill the value in",
        )

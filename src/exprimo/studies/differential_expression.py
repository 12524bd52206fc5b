"""``exprimo dge``: from counts and a sample sheet to tested genes, labels and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.data.counts import join_counts, read_counts
from exprimo.data.samples import read_samples
from exprimo.labels import DgeConfig, find_differential, write_tables
from exprimo.labels.folder import DGE_FORMAT
from exprimo.report import write_dge_figures


class DgeFolder(NamedTuple):
    """Where a test for differential expression lies, and its summary."""

    path: Path
    results: Path
    labels: Path
    summary: Mapping[str, Any]
    lines: tuple[str, ...]
    """The summary in sentences."""


def dge(
    counts: str | Path | Sequence[str | Path],
    samples: str | Path,
    out: str | Path,
    *,
    round_fractions: bool = False,
    transcripts: str | Path | None = None,
    ignore_version: bool = False,
    **settings: Any,
) -> DgeFolder:
    """Test every gene for differential expression and call those that change.

    Parameters
    ----------
    counts
        A table of counts, a folder or tar of HTSeq files, or a folder of salmon or kallisto
        quantifications; several are joined by gene.
    samples
        The sample sheet, matched by name, in any order.
    out
        The folder to write, which must not exist.
    round_fractions
        Round estimated counts to whole numbers.
    transcripts, ignore_version
        For quantifications: a table of transcripts and genes, or a GTF; whether version numbers
        of the ids differ between the two.
    settings
        Fields of `DgeConfig`: ``design``, ``contrast``, ``alpha``, ``lfc``, ``padj``, ...

    Examples
    --------
    >>> exprimo.dge("counts.tsv", "samples.csv", "DGE", design="~ status",
    ...             contrast=("status", "IS", "C")).summary["calls"]   # doctest: +SKIP
    """
    config = DgeConfig.checked(settings)
    refuse_existing(out)
    sources = [Path(counts)] if isinstance(counts, (str, Path)) else [Path(one) for one in counts]
    tables = [
        read_counts(
            source,
            round_fractions=round_fractions,
            transcripts=transcripts,
            ignore_version=ignore_version,
        )
        for source in sources
    ]
    found = find_differential(join_counts(tables), read_samples(samples), config)
    with atomic_directory(out) as folder:
        config.save(folder / "config.toml")
        write_tables(found, folder)
        files = [path for path in (*sources, Path(samples)) if path.is_file()]
        write_json(folder / "provenance.json", describe_origin(files, format_version=DGE_FORMAT))
        write_dge_figures(folder)
    path = Path(out)
    return DgeFolder(
        path,
        path / "results.tsv",
        path / "labels.tsv",
        found.summary,
        tuple(_sentences(found.summary, path)),
    )


def _sentences(summary: Mapping[str, Any], path: Path) -> list[str]:
    calls, formal = summary["calls"], summary["formal_test"]
    by = "Wald's test" if summary["test"] == "Wald" else f"likelihood ratio, {summary['reduced']}"
    lines = [
        f"Wrote {path}",
        f"  {summary['contrast']['text']} ({by}, design {summary['design']})",
        f"  {calls['n_called']:,} genes changed: {calls['n_up']:,} up, {calls['n_down']:,} down "
        f"(|log2 fold change| > {calls['lfc']:g}, adjusted p < {calls['padj']:g})",
        f"  {summary['n_tested']:,} of {summary['n_genes']:,} genes tested: "
        f"{summary['n_all_zero']:,} have no read, {summary['n_outliers']:,} an outlying count, "
        f"{summary['n_filtered']:,} too few reads",
    ]
    if formal is not None:
        lines.append(
            f"  {formal['n_called']:,} pass a test of |log2 fold change| > "
            f"{formal['lfc_null']:g} itself"
        )
    return lines + [f"  note: {note}" for note in summary["warnings"]]

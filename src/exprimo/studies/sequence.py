"""The study kind ``sequence``: a table of sequences, or promoters, to a benchmark and report."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from exprimo.core.config import Config
from exprimo.core.files.atomic import refuse_existing
from exprimo.features import dataset_promoters, dataset_table
from exprimo.report import build_report
from exprimo.report.methods.reading import FOLDER
from exprimo.studies.benchmarking import (
    BenchmarkConfig,
    Benchmarked,
    ComparisonConfig,
    run_benchmark,
)
from exprimo.studies.benchmarking.plan import answer_split
from exprimo.studies.interpretation import Interpretation, check_sources, interpret_study
from exprimo.studies.interpreting import EXPLAINED, explain_genes, run_to_explain


class TableSource(Config):
    """A table with one sequence per row."""

    table: str
    """The file: TSV or CSV, plain or gzip."""
    sequence: str
    """Column of the sequences."""
    target: str
    """Column of the value to predict."""
    chrom: str | None = None
    """Column of the chromosome, for splits by chromosome."""
    start: str | None = None
    """Column of the start on the chromosome."""
    strand: str | None = None
    """Column of the strand."""
    example_id: str | None = None
    """Column of unique names; unset: the row's number."""
    group: str | None = None
    """Column of groups that a split may keep together (column:group)."""
    prefix: str = ""
    """Bases that stand before every sequence."""
    suffix: str = ""
    """Bases that stand behind every sequence."""


class PromoterSource(Config):
    """Promoters, cut from a genome."""

    fasta: str
    """The genome."""
    genes: str
    """GTF, GFF3 or BED."""
    targets: str
    """Table with gene_id and the value to predict."""
    target: str
    """Column of the value to predict."""
    upstream: int = Field(500, ge=0)
    """Bases before the TSS."""
    downstream: int = Field(100, ge=0)
    """Bases from the TSS on."""
    tss: str = "canonical"
    """canonical, most5prime, or a table of your own."""
    gene_names: str | None = None
    """Two-column table that joins the gene names of the two files."""
    chrom_style: str = "auto"
    """auto, or a two-column table (annotation's name, genome's name)."""


class SequenceStudy(Config):
    """A study of sequences. Paths are relative to this file. Run it with: exprimo run FILE"""

    kind: Literal["sequence"] = "sequence"
    """What this file describes."""
    out: str = "results"
    """The folder to write: dataset.h5, benchmark/, interpretation/, report.html."""
    table: TableSource | None = None
    """Sequences from a table; or give [promoters], or dataset."""
    promoters: PromoterSource | None = None
    """Sequences from a genome."""
    dataset: str | None = None
    """A dataset that was built before, an .h5 file."""
    truth: str | None = None
    """The truth folder of a simulated world: does an explanation find the bases that act?"""
    benchmark: ComparisonConfig = ComparisonConfig()
    """What is compared."""
    interpretation: Interpretation | None = None
    """What the best network looks at, by several methods; unset: left out."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("table", "promoters", "dataset") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                "a study needs exactly one of [table], [promoters] and dataset, "
                f"and {' and '.join(given) or 'none'} is given"
            )
        return self


def run_sequence_study(
    study: SequenceStudy, home: Path, *, out: str | Path | None = None, resume: bool = False
) -> Benchmarked:
    """Build the dataset, compare the models, write the report.

    Parameters
    ----------
    home
        The folder that paths in the study are relative to.
    out
        Overrides ``study.out``.
    resume
        Keep what an interrupted run has finished.
    """
    folder = Path(out) if out is not None else home / study.out
    truth = home / study.truth if study.truth is not None else None
    if study.interpretation is not None:
        check_sources(study.interpretation, home, truth)
        if not resume:
            refuse_existing(folder / FOLDER)
    dataset = _dataset(study, home, folder, resume)
    comparison = study.benchmark.model_dump()
    config = BenchmarkConfig.checked({**comparison, "dataset": str(dataset)})
    benchmark = run_benchmark(config, folder / "benchmark", resume=resume)
    explain_genes(
        benchmark,
        dataset,
        benchmark.path / EXPLAINED,
        split=answer_split(benchmark.scores["split"]),
        seed=config.seed,
        annotation=home / study.promoters.genes if study.promoters else None,
        threads=config.machine.threads,
    )
    _interpret(study, home, folder / FOLDER, benchmark, dataset, truth)
    report = build_report(benchmark.path, folder / "report.html")
    return benchmark._replace(report=report)


def _interpret(
    study: SequenceStudy,
    home: Path,
    folder: Path,
    benchmark: Benchmarked,
    dataset: Path,
    truth: Path | None,
) -> None:
    """Explain the network that is best on validation, where it is asked for and there is one."""
    if study.interpretation is None:
        return
    split = answer_split(benchmark.scores["split"])
    run = run_to_explain(benchmark, split, study.benchmark.seed, None)
    if run is None:
        return
    interpret_study(
        run,
        dataset,
        folder,
        study.interpretation,
        home=home,
        split=split,
        truth=truth,
        threads=study.benchmark.machine.threads,
    )


def _dataset(study: SequenceStudy, home: Path, folder: Path, resume: bool) -> Path:
    if study.dataset is not None:
        return home / study.dataset
    path = folder / "dataset.h5"
    if path.exists() and resume:
        return path
    if study.table is not None:
        source = study.table.model_dump(exclude={"table"})
        dataset_table(home / study.table.table, out=path, **source)
    elif study.promoters is not None:
        dataset_promoters(out=path, **source_paths(study.promoters, home))
    return path


def source_paths(source: PromoterSource, home: Path) -> dict[str, Any]:
    """Give the settings of a source with its files found from ``home``."""
    values = source.model_dump()
    for name in ("fasta", "genes", "targets"):
        values[name] = home / values[name]
    if values["gene_names"] is not None:
        values["gene_names"] = home / values["gene_names"]
    for name, words in (("tss", ("canonical", "most5prime")), ("chrom_style", ("auto",))):
        if values[name] not in words:
            values[name] = home / values[name]
    return values

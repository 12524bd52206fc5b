"""What can be refused before any stage has run: names, files, the design, another build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.core.errors import ConfigError
from exprimo.data.annotation import read_annotation
from exprimo.data.counts import Counts, join_counts, read_counts
from exprimo.data.fasta import Genome
from exprimo.data.motifs import read_motifs
from exprimo.data.samples import match_samples, read_samples
from exprimo.data.textfile import require_file
from exprimo.features.genome_fit import check_genome_fits
from exprimo.features.join_targets import join_targets
from exprimo.features.promoter_sites import OFF_GENOME, reconcile, tss_sites, with_targets
from exprimo.generate.registry import get_family
from exprimo.labels import DgeConfig
from exprimo.labels.design import (
    check_replicates,
    contrast_vector,
    default_contrast,
    design_matrix,
    reduced_of,
)
from exprimo.models import get_spec
from exprimo.splits.chromosomes import find_chromosomes
from exprimo.splits.names import parse_strategy
from exprimo.studies.benchmarking import BenchmarkConfig
from exprimo.studies.benchmarking.plan import own_imbalance, plan_runs
from exprimo.studies.differential.config import (
    SHUFFLES,
    CountSource,
    DifferentialStudy,
    ImbalanceComparison,
)
from exprimo.studies.differential.plan import (
    OF_ROWS,
    TASKS,
    main_benchmark,
    other_benchmark,
    settled_models,
)

# Columns of a dataset of promoters: what a split may go by.
_COLUMNS = (
    "gene_id", "chrom", "start", "end", "strand", "tss", "clipped", "gene_name", "target_gene_id",
)  # fmt: skip


def check_settings(study: DifferentialStudy) -> None:
    """Refuse models, options, splits and ways of treating classes that no stage could use.

    Examples
    --------
    >>> from exprimo.studies.differential.config import Promoters
    >>> study = DifferentialStudy(
    ...     counts=CountSource(files=("c.tsv",), samples="s.tsv"),
    ...     dge=DgeConfig(design="~ status"),
    ...     promoters=Promoters(fasta="g.fa", genes="g.gtf"),
    ... )
    >>> check_settings(study)
    """
    main = main_benchmark(study, "dataset.h5")
    plan_runs(main, "classification")
    for name in study.targets.also:
        plan_runs(other_benchmark(study, name, "dataset.h5"), TASKS[name])
    if all(main.role(name) == "baseline" for name in main.models):
        raise ConfigError(
            "no model to hold against the baselines",
            record="benchmark.models",
            found=", ".join(study.benchmark.models) or "none",
            expected="at least one that is no baseline, such as cnn",
        )
    for key in ("target", "above"):
        if getattr(main, key) not in (None, "changed"):
            raise ConfigError(
                "the target of a differential-promoter study is made from the counts",
                record=f"benchmark.{key}",
                found=getattr(main, key),
                expected="nothing; other targets are named in targets.also",
            )
    _check_options(study)
    for strategy in main.splits:
        _check_split(strategy)
    _check_imbalance(study, main)


def _check_options(study: DifferentialStudy) -> None:
    known = settled_models(study)
    main = study.benchmark
    for key in (*OF_ROWS, "rivals"):
        for row in getattr(main, key):
            get_spec(main.entry(row))
            if row not in known:
                raise ConfigError(
                    f"{key} of a model that is not compared",
                    record=f"benchmark.{key}",
                    found=row,
                    expected=", ".join(known),
                )
    for row, options in main.options.items():
        get_spec(main.entry(row)).config.checked(options)


def _check_split(strategy: str) -> None:
    if strategy == "auto":
        return
    for factor in parse_strategy(strategy):
        if factor.column is not None and factor.column not in _COLUMNS:
            raise ConfigError(
                "promoters have no such column to split by",
                record="benchmark.splits",
                found=strategy,
                expected=f"homology, chromosome, gene, random, or column:NAME of "
                f"{', '.join(_COLUMNS)}",
            )


def _check_imbalance(study: DifferentialStudy, main: BenchmarkConfig) -> None:
    wanted, models = study.imbalance, main.models
    if not wanted.compares:
        return
    _check_generators(wanted)
    for name in wanted.models:
        if name not in models and name not in ("gc_content", "kmer_linear"):
            get_spec(main.entry(name))
            raise ConfigError(
                "the comparison of imbalance names a model that the benchmark does not train",
                record="imbalance.models",
                found=name,
                expected=", ".join(dict.fromkeys([*models, "gc_content", "kmer_linear"])),
                remedy="Add it to benchmark.models, or set imbalance.strategies = [] and "
                "imbalance.generators = []",
            )
        if (own := own_imbalance(name, main)) != "none":
            raise ConfigError(
                "ways of treating the rarer class are compared with doing nothing",
                record="benchmark.fit.imbalance, or a preset",
                found=f"{own} for {name}",
                expected="none",
                remedy="Leave it out, or set imbalance.strategies = [] and "
                "imbalance.generators = []",
            )


def _check_generators(wanted: ImbalanceComparison) -> None:
    for name in wanted.generators:
        if name != SHUFFLES:
            get_family(name, others=(SHUFFLES,))
    for name, options in wanted.generator_options.items():
        if name not in wanted.generators or name == SHUFFLES:
            raise ConfigError(
                "options of a generator that is not compared",
                record="imbalance.generator_options",
                found=name,
                expected=", ".join(one for one in wanted.generators if one != SHUFFLES) or "none",
            )
        get_family(name).options.checked(options)


def check_files(study: DifferentialStudy, home: Path, source: dict[str, Any]) -> None:
    """Refuse files that are not there, motifs that cannot be read, and a truth without a world."""
    counts = study.counts
    for name in counts.files:
        if not (home / name).exists():
            require_file(home / name, "counts (counts.files)")
    require_file(home / counts.samples, "a sample sheet (counts.samples)")
    if counts.transcripts is not None:
        require_file(home / counts.transcripts, "transcripts and genes (counts.transcripts)")
    require_file(source["fasta"], "a genome (promoters.fasta)")
    require_file(source["genes"], "an annotation (promoters.genes)")
    for key in ("gene_names", "tss", "chrom_style"):
        if isinstance(source[key], Path):
            require_file(source[key], f"a table (promoters.{key})")
    if study.motifs.file is not None:
        read_motifs(home / study.motifs.file)
    if study.truth is not None:
        for name in ("differential.tsv", "world.json"):
            require_file(home / study.truth / name, "the truth of a simulated world (truth)")


def check_inputs(study: DifferentialStudy, home: Path, source: dict[str, Any]) -> None:
    """Refuse counts, samples, genes and a genome that do not belong together.

    The files are read once more by the stages that use them: a study that trains for an hour
    can spare the seconds, and a wrong build is told before the first of them.
    """
    counts = read_study_counts(study.counts, home)
    counts, sheet = match_samples(counts, read_samples(home / study.counts.samples))
    _check_design(study.dge, sheet)
    _check_promoters(study, source, counts)


def read_study_counts(source: CountSource, home: Path) -> Counts:
    """Read and join the tables of counts that a study names."""
    return join_counts(
        [
            read_counts(
                home / name,
                round_fractions=source.round_fractions,
                transcripts=home / source.transcripts if source.transcripts else None,
                ignore_version=source.ignore_version,
            )
            for name in source.files
        ]
    )


def _check_design(dge: DgeConfig, sheet: pd.DataFrame) -> None:
    design = design_matrix(dge.design, sheet, reference=dge.reference, factors=dge.factors)
    check_replicates(design)
    if dge.contrast:
        contrast_vector(design, dge.contrast[0] if len(dge.contrast) == 1 else dge.contrast)
    else:
        default_contrast(design)
    if dge.reduced is not None:
        reduced_of(design, dge.reduced)


def _check_promoters(study: DifferentialStudy, source: dict[str, Any], counts: Counts) -> None:
    """Join as the dataset will be, with the reads of each gene for a target."""
    reads = pd.DataFrame({"reads": counts.matrix.sum(axis=1)})
    with Genome.open(source["fasta"]) as genome:
        annotation = read_annotation(source["genes"])
        joined = join_targets(
            annotation, counts.source, ["reads"], source["gene_names"], lambda *_: reads
        )
        style = source["chrom_style"]
        chroms = reconcile(annotation.chromosomes, genome, style, annotation.source)
        annotation = annotation.with_chromosomes(chroms)
        check_genome_fits(annotation, genome)
        dropped = {OFF_GENOME: annotation.notes["genes_off_genome"]}
        sites = tss_sites(annotation, genome, source["tss"], style, dropped)
        known = sorted(set(with_targets(sites, joined, dropped)["chrom"]))
    for option in ("test_chroms", "val_chroms"):
        wanted = getattr(study.benchmark, option)
        find_chromosomes(wanted, known, option=f"benchmark.{option}", file=source["genes"])

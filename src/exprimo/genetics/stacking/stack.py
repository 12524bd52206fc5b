"""From files to a judged stack: features, expression and folds in, predictions and scores out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import atomic_directory
from exprimo.core.files.provenance import describe_origin
from exprimo.data.phenotypes import PersonalExpression, read_expression_bed
from exprimo.genetics.cohort import PreparedFolds, folds_of, prepare_folds, read_strands
from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.scores.polygenic.covariates import note_left_out, sets_of_folds
from exprimo.genetics.stacking.cis import score_cis
from exprimo.genetics.stacking.config import Design, StackConfig
from exprimo.genetics.stacking.designs import FloatArray, GenePredictions, IntArray, stack_genes
from exprimo.genetics.stacking.inputs.leaks import ledger_of_folds, refuse_leaks, what_was_learned
from exprimo.genetics.stacking.inputs.people import (
    GenotypeFiles,
    Matched,
    matched,
    shared_genes,
)
from exprimo.genetics.stacking.inputs.tables import (
    Features,
    join_features,
    read_feature_table,
)
from exprimo.genetics.stacking.judging import Judgement, judge_predictors
from exprimo.genetics.stacking.writing import write_stack


class StackDone(NamedTuple):
    """What was stacked.

    Attributes
    ----------
    path
        The folder.
    n_genes, n_people, n_folds, n_features
        What it rests on.
    dropped
        Reason -> how many people or genes were left out for it.
    scores
        Predictor -> how well it does: members, stacks, and rivals on cis-genotypes.
    leaks
        What was allowed to leak; empty otherwise.
    notes
        What should be known of it.
    """

    path: Path
    n_genes: int
    n_people: int
    n_folds: int
    n_features: int
    dropped: Mapping[str, int]
    scores: Mapping[str, Judgement]
    leaks: tuple[str, ...]
    notes: tuple[str, ...] = ()


def stack(
    expression: str | Path,
    features: Sequence[str | Path],
    out: str | Path,
    *,
    genotypes: str | Path | None = None,
    covariates: str | Path | None = None,
    design: Design = "gene",
    folds: int = 5,
    folds_file: str | Path | None = None,
    gene_folds: int = 5,
    gene: Sequence[str] = (),
    samples: Sequence[str] | Path | None = None,
    fasta: str | Path | None = None,
    genes: str | Path | None = None,
    chrom_style: str | Path = "auto",
    ledgers: Sequence[str | Path] = (),
    allow_leak: bool = False,
    rivals: Mapping[str, Any] | None = None,
    seed: int = 0,
    threads: int | None = 1,
    **settings: Any,
) -> StackDone:
    """Stack learners on features of people, nested and out of fold, beside cis-genotype scores.

    Parameters
    ----------
    expression
        An expression BED: ``#chr start end gene_id`` and a column for each person.
    features
        Tables with a row for each person, or for each gene and person: personal predictions,
        outputs of tracks, scores, covariates. See `read_feature_table`. May be empty where scores
        on cis-genotypes are features (``cis_features=("p+t", "elastic_net")``).
    out
        A new folder: ``predictions.parquet``, ``genes.parquet``, ``weights.parquet``,
        ``summary.json``, ``folds.tsv``, ``ledger.parquet``.
    genotypes
        VCF, BCF or PLINK: baseline score, P+T and elastic net on the variants around each gene
        are then judged beside, on the same people and folds.
    covariates
        Projected out of expression, by the training people of each fold.
    design
        ``gene``: each gene across people. ``genes``: all genes in one model, folds by person and
        by gene. ``people-by-genes``: rows are people, columns are features of all genes.
    folds, folds_file, seed
        Folds of people: so many, or a table ``sample, fold``.
    gene_folds
        Folds of genes in the design ``genes``.
    gene
        These genes only.
    samples
        These people only: names, or a file with one a line.
    fasta, chrom_style
        What REF alleles are checked against; ``"auto"``, or a table: name in the genotypes, name
        in the others.
    genes
        GTF, GFF3 or BED that tells strands, for windows that are not symmetric.
    ledgers
        What features learned from, where no ledger lies beside their table.
    allow_leak
        Judge features that learned from the people they are judged on, and stamp the result.
    rivals
        Settings of the scores on cis-genotypes, see `ScoresConfig`.
    threads
        Of the matrix products.
    settings
        Of the stack, see `StackConfig`.

    Examples
    --------
    >>> done = stack("e.bed", ["personal.parquet"], "stack/")  # doctest: +SKIP
    >>> done.scores["stack_linear"].r2.value  # doctest: +SKIP
    """
    plan = _Plan(
        _checked(settings, features, genotypes),
        ScoresConfig.checked({**(rivals or {}), "seed": seed}),
        design, gene_folds, genes, seed,
    )  # fmt: skip
    measured = _by_name(read_expression_bed(expression))
    tables = [read_feature_table(path) for path in features]
    sources = [expression, *features, *_given(covariates, folds_file, genes, *ledgers)]
    files = GenotypeFiles(genotypes, fasta, chrom_style)
    with (
        atomic_directory(out) as folder,
        threadpool_limits(threads, user_api="blas"),
        matched(measured, tables, files, covariates, samples) as found,
    ):
        fold = folds_of(found.people, folds, seed, folds_file)
        leaks = refuse_leaks(
            what_was_learned(tables, ledgers), found.people, fold.tolist(), allow=allow_leak
        )
        names, rows, dropped = shared_genes(found.expression, tables, gene)
        joined = join_features(tables, names, found.people, int(fold.max()) + 1)
        prepared = plan.prepared(found, fold)
        n_features, done = plan.stacked(found, prepared, joined, names, rows, fold)
        per_gene, scores = judge_predictors(done, names, fold, seed=seed)
        summary = StackDone(
            Path(out), len(names), len(found.people), len(np.unique(fold)), n_features,
            {**found.dropped, **dropped}, scores,
            tuple(f"{leak.fitted}: {len(leak.keys)} {leak.unit}s" for leak in leaks),
            (*prepared.notes, *note_left_out(found.covariates, sets_of_folds(fold, 0, seed))),
        )  # fmt: skip
        origin = describe_origin(sources, genotypes=str(genotypes or ""), **plan.facts())
        learned = ledger_of_folds(found.people, fold.tolist()).merged(prepared.ledger)
        write_stack(
            folder, done, per_gene, summary._asdict(), names, found.people, fold, learned, origin
        )
    return summary


class _Plan(NamedTuple):
    """How features are stacked and judged."""

    config: StackConfig
    rivals: ScoresConfig
    design: Design
    gene_folds: int
    genes: str | Path | None
    seed: int

    def facts(self) -> dict[str, Any]:
        """Give what the provenance says of it."""
        return {
            "design": self.design,
            "seed": self.seed,
            "settings": self.config.model_dump(mode="json"),
            "rivals": self.rivals.model_dump(mode="json"),
        }

    def prepared(self, found: Matched, fold: IntArray) -> PreparedFolds:
        """Transform expression and add hidden factors, by the training people of each fold."""
        return prepare_folds(
            found.people, found.expression.values, found.covariates, fold,
            transforms=self.config.transforms, hidden=self.config.hidden, everybody=False,
            seed=self.seed,
        )  # fmt: skip

    def stacked(
        self,
        found: Matched,
        prepared: PreparedFolds,
        features: Features,
        genes: Sequence[str],
        rows: IntArray,
        fold: IntArray,
    ) -> tuple[int, GenePredictions]:
        """Stack, with scores on cis-genotypes before and beside; give the number of features."""
        cis = None
        if found.cohort is not None:
            strands = None if self.genes is None else read_strands(self.genes, found.expression)
            cis = score_cis(
                found.cohort, prepared, genes, fold, self.rivals,
                features=self.config.cis_features, n_inner=self.config.inner_folds,
                strands=strands, seed=self.seed,
            )  # fmt: skip
            features = cis.joined(features)
        done = stack_genes(
            features, _of_rows(prepared, rows), fold, self.config, design=self.design,
            covariates=_alone(prepared.covariates), gene_folds=self.gene_folds, seed=self.seed,
        )  # fmt: skip
        return len(features.names), done if cis is None else cis.beside(done)


def _checked(
    settings: Mapping[str, Any],
    features: Sequence[str | Path],
    genotypes: str | Path | None,
) -> StackConfig:
    config = StackConfig.checked(settings)
    if not features and not config.cis_features:
        raise ConfigError("a stack without features", remedy="Give --features or --cis-feature")
    if config.cis_features and genotypes is None:
        raise ConfigError("scores on cis-genotypes without genotypes", remedy="Give --genotypes")
    return config


def _by_name(measured: PersonalExpression) -> PersonalExpression:
    """Order people by name: then nothing that is dealt out follows the order of the columns."""
    return measured.of(sorted(measured.people))


def _alone(each: tuple[FloatArray, ...]) -> FloatArray | Sequence[FloatArray]:
    """Give the one array of all folds by itself."""
    return each[0] if len(each) == 1 else each


def _of_rows(prepared: PreparedFolds, rows: IntArray) -> FloatArray | Sequence[FloatArray]:
    return _alone(tuple(values[rows] for values in prepared.values))


def _given(*paths: str | Path | None) -> Iterator[str | Path]:
    yield from (path for path in paths if path is not None)

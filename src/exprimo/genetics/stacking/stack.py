"""From files to a judged stack: features, expression and folds in, predictions and scores out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.files.atomic import atomic_directory
from exprimo.core.files.provenance import describe_origin
from exprimo.core.ledger import Ledger
from exprimo.data.phenotypes import PersonalExpression, read_covariates, read_expression_bed
from exprimo.data.phenotypes.covariates import people_of_covariates
from exprimo.genetics.cohort import Cohort, folds_of, open_cohort
from exprimo.genetics.cohort.matching import match_people
from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.stacking.config import Design, StackConfig
from exprimo.genetics.stacking.designs import FloatArray, IntArray, stack_genes
from exprimo.genetics.stacking.judging import Judgement, judge_predictors
from exprimo.genetics.stacking.leaks import ledger_beside, refuse_leaks
from exprimo.genetics.stacking.rivals import with_rivals
from exprimo.genetics.stacking.tables import FeatureTable, join_features, read_feature_table
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
    """

    path: Path
    n_genes: int
    n_people: int
    n_folds: int
    n_features: int
    dropped: Mapping[str, int]
    scores: Mapping[str, Judgement]
    leaks: tuple[str, ...]


class _Matched(NamedTuple):
    """Expression and covariates of the people whom all files have; genotypes where given."""

    people: tuple[str, ...]
    expression: PersonalExpression
    covariates: FloatArray
    cohort: Cohort | None
    dropped: dict[str, int]


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
        outputs of tracks, scores, covariates. See `read_feature_table`.
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
    config = StackConfig.checked(settings)
    judged = ScoresConfig.checked({**(rivals or {}), "seed": seed})
    if not features:
        raise ConfigError("a stack without features", remedy="Give --features")
    measured = read_expression_bed(expression)
    tables = [read_feature_table(path) for path in features]
    sources = [expression, *features, *_given(covariates, folds_file, *ledgers)]
    with (
        atomic_directory(out) as folder,
        threadpool_limits(threads, user_api="blas"),
        _matched(measured, tables, genotypes, covariates) as found,
    ):
        fold = folds_of(found.people, folds, seed, folds_file)
        leaks = refuse_leaks(
            _ledgers(tables, ledgers), found.people, fold.tolist(), allow=allow_leak
        )
        genes, rows, dropped = _shared_genes(found.expression, tables)
        values = found.expression.values[rows]
        joined = join_features(tables, genes, found.people, int(fold.max()) + 1)
        done = stack_genes(
            joined, values, fold, config, design=design, covariates=found.covariates,
            gene_folds=gene_folds, seed=seed,
        )  # fmt: skip
        if found.cohort is not None:
            done = with_rivals(done, found.cohort, genes, fold, judged)
        per_gene, scores = judge_predictors(done, genes, fold, seed=seed)
        stamped = tuple(f"{leak.fitted}: {len(leak.keys)} {leak.unit}s" for leak in leaks)
        summary = StackDone(
            Path(out), len(genes), len(found.people), len(np.unique(fold)), len(joined.names),
            {**found.dropped, **dropped}, scores, stamped,
        )  # fmt: skip
        origin = describe_origin(
            sources, design=design, seed=seed, settings=config.model_dump(mode="json")
        )
        write_stack(folder, done, per_gene, summary._asdict(), genes, found.people, fold, origin)
    return summary


def _given(*paths: str | Path | None) -> Iterator[str | Path]:
    yield from (path for path in paths if path is not None)


def _ledgers(tables: Sequence[FeatureTable], more: Sequence[str | Path]) -> list[Ledger]:
    found = [Ledger.load(path) for path in more]
    for table in tables:
        beside = ledger_beside(table.path)
        if beside is not None:
            learned = Ledger.load(beside).learned
            # Weights of everybody lie beside held-out predictions, which do not come from them.
            kept = {
                name: units
                for name, units in learned.items()
                if not (table.held_out and name.endswith("of everybody"))
            }
            found.append(Ledger(kept))
    return found


@contextmanager
def _matched(
    measured: PersonalExpression,
    tables: Sequence[FeatureTable],
    genotypes: str | Path | None,
    covariates: str | Path | None,
) -> Iterator[_Matched]:
    """Match people by name over all files."""
    common = set(tables[0].frame["individual"])
    for table in tables[1:]:
        common &= set(table.frame["individual"])
    if not common:
        heads = [f"{one.path}: {', '.join(one.frame['individual'].head(5))}" for one in tables]
        raise MismatchError("nobody is in all feature tables", found="; ".join(heads))
    described = None
    if covariates is not None:
        described = people_of_covariates(covariates, (*sorted(common), *measured.people))
    people, dropped = match_people(
        sorted(common),
        measured.people,
        described,
        files=("features", str(measured.source), str(covariates)),
    )
    counts = {reason.replace("genotypes", "features"): n for reason, n in dropped.items()}
    if genotypes is None:
        values = np.empty((len(people), 0))
        if covariates is not None:
            values = read_covariates(covariates, people).values
        yield _Matched(people, measured.of(people), values, None, counts)
        return
    with open_cohort(genotypes, measured, covariates, samples=people, constant="drop") as cohort:
        for reason, n in cohort.dropped.items():
            counts[reason] = counts.get(reason, 0) + n
        yield _Matched(cohort.people, cohort.expression, cohort.covariates, cohort, counts)


def _shared_genes(
    expression: PersonalExpression, tables: Sequence[FeatureTable]
) -> tuple[list[str], IntArray, dict[str, int]]:
    """Give genes that vary and that all tables of genes have, and their rows of expression."""
    known = [set(table.frame["gene_id"]) for table in tables if table.of_genes]
    names = expression.genes["gene_id"].tolist()
    has = np.array([all(name in genes for genes in known) for name in names])
    varies = np.ptp(expression.values, axis=1) > 0
    rows = np.flatnonzero(has & varies)
    if not len(rows):
        heads = [f"{one.path}: {', '.join(one.frame['gene_id'].head(3))}"
                 for one in tables if one.of_genes]  # fmt: skip
        raise MismatchError(
            "no gene that varies is in all tables of genes",
            file=expression.source,
            found="; ".join(heads) or "constant genes",
            expected=f"genes such as {', '.join(names[:3])}",
        )
    dropped = {
        "genes without features": int((~has).sum()),
        "genes that do not vary": int((has & ~varies).sum()),
    }
    return [names[row] for row in rows], rows, {why: n for why, n in dropped.items() if n}

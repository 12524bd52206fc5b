"""Scores of all genes: fitted inside the training people of each fold, judged on the others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.ledger import Ledger, Unit
from exprimo.core.progress import task
from exprimo.data.phenotypes import read_expression_bed
from exprimo.genetics.cohort import (
    CisWindow,
    Cohort,
    PreparedFolds,
    cis_windows,
    folds_of,
    open_cohort_of,
    prepare_folds,
    read_strands,
    refuse_untestable,
)
from exprimo.genetics.cohort.folds import FOLD_LEAK
from exprimo.genetics.overlap.sources import P_VALUE, with_column_sources
from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.scores.fitting.gene import GeneScores, Judged, fit_gene, judge
from exprimo.genetics.scores.fitting.heritable import HeritableGenes, mean_heritability
from exprimo.genetics.scores.fitting.tables import ScoreTables
from exprimo.genetics.scores.polygenic.config import ELASTIC_NET
from exprimo.genetics.scores.polygenic.covariates import note_left_out, sets_of_folds
from exprimo.genetics.scores.weights.read import LEDGER, PROVENANCE, SCORES_FORMAT
from exprimo.genetics.scores.weights.table import ALL

FOLDS, SUMMARY = "folds.tsv", "summary.json"
_DRAWS = 2000


class FittedScores(NamedTuple):
    """What was fitted, and how well each model predicts people that were left out.

    Attributes
    ----------
    path
        The folder.
    n_people, n_genes
        How many.
    models
        Model -> ``r2`` (mean over genes of 1 - RSS / TSS), its ``low`` and ``high`` (95% interval,
        genes resampled), ``median_r2``, ``pearson_r`` (mean over genes), ``n_nothing`` (genes where
        no fold selected a variant; they count as 0).
    dropped
        People and genes left out, by reason.
    heritability
        Of all people, so a description and not a predictor: ``h2`` (mean over genes), its ``low``
        and ``high`` (95% interval, genes resampled), ``median_h2``, ``n_genes``, ``n_people``.
        None where it was not asked for.
    notes
        What should be known of it.
    """

    path: Path
    n_people: int
    n_genes: int
    models: Mapping[str, Mapping[str, float]]
    dropped: Mapping[str, int]
    heritability: Mapping[str, float] | None = None
    notes: tuple[str, ...] = ()


def fit_scores(
    genotypes: str | Path,
    expression: str | Path,
    out: str | Path,
    *,
    covariates: str | Path | None = None,
    samples: Sequence[str] | Path | None = None,
    fasta: str | Path | None = None,
    genes: str | Path | None = None,
    chrom_style: str | Path = "auto",
    threads: int | None = 1,
    **settings: Any,
) -> FittedScores:
    """Fit scores of genes from the variants around them; write weights and honest predictions.

    Everything that is estimated (effects, clumps, thresholds, scales, penalties, what covariates
    explain) is estimated on the training people of a fold. The folder holds ``weights.parquet``
    (a row a weight; ``fold`` is the fold left out, -1: none), ``models.parquet``,
    ``predictions.parquet``, ``genes.parquet`` (R² and r by gene and model), ``folds.tsv``,
    ``ledger.parquet`` (who trained), ``heritability.parquet`` (cis-heritability of all people, by
    REML: what is reachable), ``summary.json`` and ``provenance.json``.

    Parameters
    ----------
    genotypes, expression, covariates, samples
        As `exprimo.genetics.cohort.open_cohort` takes them.
    out
        A new folder.
    fasta
        Genome that REF alleles are checked against.
    genes
        GTF, GFF3 or BED that tells strands, for windows that are not symmetric.
    chrom_style
        ``"auto"``, or a table of two columns: name in the genotypes, name in the others.
    threads
        Of the matrix products, which are small.
    settings
        Fields of `ScoresConfig`: ``models``, ``upstream``, ``downstream``, ``maf``, ``folds``,
        ``folds_file``, ``seed``, ``gene``, ``transforms``, ``hidden``, ``polygenic``,
        ``inner_folds``, ``heritability``.

    Examples
    --------
    >>> fit_scores("g.vcf.gz", "e.bed.gz", "SCORES", models=["p+t"])  # doctest: +SKIP
    """
    config = ScoresConfig.checked(settings)
    refuse_existing(out)
    sources = [Path(path) for path in (expression, covariates, genes) if path is not None]
    # By name: then nothing that is dealt out follows the order of the columns.
    measured = read_expression_bed(expression)
    opened = open_cohort_of(
        genotypes, measured.of(sorted(measured.people)), covariates, fasta=fasta,
        chrom_style=chrom_style, samples=samples, constant="drop",
    )  # fmt: skip
    with opened as cohort:
        folds = folds_of(cohort.people, config.folds, config.seed, config.folds_file)
        strands = None if genes is None else read_strands(genes, cohort.expression)
        prepared = prepare_folds(
            cohort.people, cohort.expression.values, cohort.covariates, folds,
            transforms=config.transforms, hidden=config.hidden, seed=config.seed,
        )  # fmt: skip
        facts = describe_origin(
            sources,
            format_version=SCORES_FORMAT,
            genotypes=str(cohort.genotypes.path),
            effect_allele="alt",
            covariates=list(cohort.covariate_names),
            config=config.model_dump(mode="json"),
            dropped=dict(cohort.dropped),
        )
        # Weights say which variants are associated, whichever way they were estimated.
        origin = with_column_sources(facts, {"weight": [P_VALUE, "expression"]})
        heritable = HeritableGenes(prepared.of_fold(ALL)[1]) if config.heritability else None
        work = _Work(cohort, folds, prepared, strands, config, heritable)
        with atomic_directory(out) as folder, threadpool_limits(threads, user_api="blas"):
            fitted = _fit_all(work, folder, origin)
            described = None
            if heritable is not None:
                heritable.write(folder, facts)
                described = mean_heritability(heritable.table(), len(cohort.people), config.seed)
            who = pd.DataFrame({"sample": cohort.people, "fold": folds})
            who.to_csv(folder / FOLDS, sep="\t", index=False, lineterminator="\n")
            work.ledger().save(folder / LEDGER)
            done = FittedScores(
                Path(out), len(cohort.people), fitted["gene_id"].nunique(),
                summarise(fitted, config.seed), dict(cohort.dropped), described,
                (*prepared.notes, *work.notes()),
            )  # fmt: skip
            _write(folder / PROVENANCE, origin)
            _write(folder / SUMMARY, {**done._asdict(), "path": str(out)})
    return done


def training_ledger(people: Sequence[str], folds: npt.NDArray[np.int64]) -> Ledger:
    """Record whom the weights of each fold were learned from.

    Examples
    --------
    >>> ledger = training_ledger(["ann", "bob"], np.array([0, 1]))
    >>> sorted(ledger.learned), sorted(ledger.learned["weights without fold 0"]["individual"])
    (['weights of everybody', 'weights without fold 0', 'weights without fold 1'], ['bob'])
    """
    learned = {
        fitted_name(int(k)): frozenset(np.asarray(people, dtype=object)[folds != k].tolist())
        for k in np.unique(folds)
    }
    learned[fitted_name(ALL)] = frozenset(people)
    return Ledger({name: {"individual": keys} for name, keys in learned.items()})


def fitted_name(fold: int) -> str:
    """Name the weights of a fold in the ledger."""
    return "weights of everybody" if fold == ALL else f"weights without fold {fold}"


def summarise(genes: pd.DataFrame, seed: int) -> dict[str, dict[str, float]]:
    """Summarise ``gene_id, model, n_selected, r2, pearson_r`` over genes, by model."""
    found = {}
    for model, rows in genes.groupby("model", sort=False):
        # A gene may have no R² or r: constant where it is judged, or folds of too few people.
        r2, r = (rows[name].dropna().to_numpy(np.float64) for name in ("r2", "pearson_r"))
        low = high = np.nan
        if len(r2):
            draws = np.random.default_rng(seed).integers(0, len(r2), (_DRAWS, len(r2)))
            low, high = np.percentile(r2[draws].mean(axis=1), [2.5, 97.5])
        found[str(model)] = {
            "r2": float(r2.mean()) if len(r2) else np.nan,
            "low": float(low),
            "high": float(high),
            "median_r2": float(np.median(r2)) if len(r2) else np.nan,
            "pearson_r": float(r.mean()) if len(r) else np.nan,
            "n_nothing": int((rows["n_selected"] == 0).sum()),
        }
    return found


class _Work(NamedTuple):
    """What every gene is fitted with."""

    cohort: Cohort
    folds: npt.NDArray[np.int64]
    prepared: PreparedFolds
    strands: Mapping[str, str] | None
    config: ScoresConfig
    heritable: HeritableGenes | None

    def ledger(self) -> Ledger:
        """Record whom weights, transforms, hidden factors and heritabilities learned from."""
        ledger = training_ledger(self.cohort.people, self.folds).merged(self.prepared.ledger)
        if self.heritable is None:
            return ledger
        everybody: Mapping[Unit, frozenset[str]] = {"individual": frozenset(self.cohort.people)}
        return ledger.merged(Ledger({"heritability of everybody": everybody}))

    def refuse_leaks(self) -> None:
        """Refuse folds whose training people, as recorded, are among those held out."""
        people, ledger = self.cohort.people, self.ledger()
        for k in np.unique(self.folds):
            held = frozenset(who for who, fold in zip(people, self.folds, strict=True) if fold == k)
            own = {name: of for name, of in ledger.learned.items() if name.endswith(f"fold {k}")}
            Ledger(own).check({"individual": held}, ("individual",), remedy=FOLD_LEAK)

    def notes(self) -> tuple[str, ...]:
        """Say which covariates were left out of some sets, and where inner folds are fewer."""
        config = self.config
        _, covariates = self.prepared.of_fold(ALL)
        sets = sets_of_folds(self.folds, config.polygenic.inner_folds, config.polygenic.seed)
        told = note_left_out(covariates, sets)
        fewest = len(self.folds) - int(np.bincount(self.folds).max())
        if ELASTIC_NET not in config.models or fewest >= 2 * config.inner_folds:
            return told
        return (
            *told,
            f"elastic_net: {fewest // 2} inner folds and not {config.inner_folds}, for "
            f"{fewest} training people",
        )

    def windows(self, tally: MutableMapping[str, int]) -> Iterator[CisWindow]:
        """Give the genes' windows, and count variants."""
        config = self.config
        return cis_windows(
            self.cohort,
            upstream=config.upstream,
            downstream=config.downstream,
            maf=config.maf,
            strands=self.strands,
            genes=config.gene or None,
            tally=tally,
        )

    def scores(self, window: CisWindow, row: int) -> GeneScores:
        """Fit one gene, that of a row of the expression."""
        at = window.variants["start"].to_numpy(np.int64)
        given = (window.dosage, at)
        if self.prepared.same:
            values, covariates = self.prepared.of_fold(ALL)
            return fit_gene(*given, values[row], covariates, self.folds, self.config)
        each = np.stack([values[row] for values in self.prepared.values])
        return fit_gene(*given, each, self.prepared.covariates, self.folds, self.config)


def _fit_all(work: _Work, folder: Path, origin: Mapping[str, Any]) -> pd.DataFrame:
    """Fit and judge every gene, write the tables; give its headline of each."""
    work.refuse_leaks()
    cohort, config = work.cohort, work.config
    place = {gene: at for at, gene in enumerate(cohort.expression.genes["gene_id"])}
    everybody, _ = work.prepared.of_fold(ALL)
    rows: list[dict[str, Any]] = []
    tally: dict[str, int] = {}
    tested = 0
    with (
        ScoreTables(folder, cohort.people, work.folds, origin) as tables,
        task("Fitting scores", len(config.gene) or len(place)) as progress,
    ):
        for window in work.windows(tally):
            row = place[window.gene_id]
            scores = work.scores(window, row)
            judged: dict[str, Judged] = {m: judge(scores, m, work.folds) for m in config.models}
            tables.write(window.gene_id, window.variants, scores, judged)
            if work.heritable is not None:
                work.heritable.add(window.gene_id, window.dosage, everybody[row])
            tested += bool(len(window.dosage))
            for model, found in judged.items():
                n = sum(np.count_nonzero(fit[model].weights) for _, fit in scores.fits[:-1])
                rows.append(
                    {"gene_id": window.gene_id, "model": model, "n_selected": n, **found._asdict()}
                )
            progress.advance()
        if not tested:
            refuse_untestable(tally, len(config.gene) or len(place), cohort.genotypes.path)
    return pd.DataFrame(rows)


def _write(path: Path, facts: Mapping[str, Any]) -> None:
    text = json.dumps(dict(facts), indent=2, default=str)
    path.write_text(text + "\n", encoding="utf-8")

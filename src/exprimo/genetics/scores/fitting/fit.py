"""Scores of all genes: fitted inside the training people of each fold, judged on the others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.ledger import Ledger
from exprimo.core.progress import task
from exprimo.data.fasta.genome import Genome
from exprimo.data.names import read_chromosome_names
from exprimo.genetics.cohort import Cohort, cis_windows, folds_of, open_cohort
from exprimo.genetics.overlap.sources import P_VALUE, with_column_sources
from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.scores.fitting.gene import Judged, fit_gene, judge
from exprimo.genetics.scores.fitting.tables import ScoreTables
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
    """

    path: Path
    n_people: int
    n_genes: int
    models: Mapping[str, Mapping[str, float]]
    dropped: Mapping[str, int]


def fit_scores(
    genotypes: str | Path,
    expression: str | Path,
    out: str | Path,
    *,
    covariates: str | Path | None = None,
    samples: Sequence[str] | Path | None = None,
    fasta: str | Path | None = None,
    chrom_style: str | Path = "auto",
    **settings: Any,
) -> FittedScores:
    """Fit scores of genes from the variants around them; write weights and honest predictions.

    Everything that is estimated (effects, clumps, thresholds, scales, penalties, what covariates
    explain) is estimated on the training people of a fold. The folder holds ``weights.parquet``
    (a row a weight; ``fold`` is the fold left out, -1: none), ``models.parquet``,
    ``predictions.parquet``, ``genes.parquet`` (R² and r by gene and model), ``folds.tsv``,
    ``ledger.parquet`` (who trained), ``summary.json`` and ``provenance.json``.

    Parameters
    ----------
    genotypes, expression, covariates, samples
        As `exprimo.genetics.cohort.open_cohort` takes them.
    out
        A new folder.
    fasta
        Genome that REF alleles are checked against.
    chrom_style
        ``"auto"``, or a table of two columns: name in the genotypes, name in the others.
    settings
        Fields of `ScoresConfig`: ``models``, ``upstream``, ``downstream``, ``maf``, ``folds``,
        ``folds_file``, ``seed``, ``genes``, ``polygenic``, ``inner_folds``.

    Examples
    --------
    >>> fit_scores("g.vcf.gz", "e.bed.gz", "SCORES", models=["p+t"])  # doctest: +SKIP
    """
    config = ScoresConfig.checked(settings)
    refuse_existing(out)
    sources = [Path(expression), *([Path(covariates)] if covariates is not None else [])]
    names = None if chrom_style == "auto" else read_chromosome_names(chrom_style)
    with ExitStack() as stack:
        genome = None if fasta is None else stack.enter_context(Genome.open(fasta))
        cohort = stack.enter_context(
            open_cohort(
                genotypes, expression, covariates,
                genome=genome, samples=samples, chrom_table=names, constant="drop",
            )
        )  # fmt: skip
        folds = folds_of(cohort.people, config.folds, config.seed, config.folds_file)
        facts = describe_origin(
            sources,
            format_version=SCORES_FORMAT,
            genotypes=str(cohort.genotypes.path),
            effect_allele="alt",
            config=config.model_dump(mode="json"),
            dropped=dict(cohort.dropped),
        )
        # Weights say which variants are associated, whichever way they were estimated.
        origin = with_column_sources(facts, {"weight": [P_VALUE, "expression"]})
        with atomic_directory(out) as folder:
            genes = _fit_all(cohort, folds, folder, config, origin)
            who = pd.DataFrame({"sample": cohort.people, "fold": folds})
            who.to_csv(folder / FOLDS, sep="\t", index=False, lineterminator="\n")
            training_ledger(cohort.people, folds).save(folder / LEDGER)
            done = FittedScores(
                Path(out), len(cohort.people), genes["gene_id"].nunique(),
                summarise(genes, config.seed), dict(cohort.dropped),
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
        r2 = rows["r2"].to_numpy(np.float64)
        draws = np.random.default_rng(seed).integers(0, len(r2), (_DRAWS, len(r2)))
        low, high = np.nanpercentile(np.nanmean(r2[draws], axis=1), [2.5, 97.5])
        found[str(model)] = {
            "r2": float(np.nanmean(r2)),
            "low": float(low),
            "high": float(high),
            "median_r2": float(np.nanmedian(r2)),
            "pearson_r": float(np.nanmean(rows["pearson_r"])),
            "n_nothing": int((rows["n_selected"] == 0).sum()),
        }
    return found


def _fit_all(
    cohort: Cohort,
    folds: npt.NDArray[np.int64],
    folder: Path,
    config: ScoresConfig,
    origin: Mapping[str, Any],
) -> pd.DataFrame:
    ledger = training_ledger(cohort.people, folds)
    for k in np.unique(folds):
        held = frozenset(name for name, fold in zip(cohort.people, folds, strict=True) if fold == k)
        own = Ledger({fitted_name(int(k)): ledger.learned[fitted_name(int(k))]})
        own.check({"individual": held}, ("individual",))
    place = {gene: at for at, gene in enumerate(cohort.expression.genes["gene_id"])}
    rows: list[dict[str, Any]] = []
    total = len(config.genes) or len(place)
    windows = cis_windows(
        cohort,
        upstream=config.upstream,
        downstream=config.downstream,
        maf=config.maf,
        genes=config.genes or None,
    )
    with (
        ScoreTables(folder, cohort.people, folds, origin) as tables,
        task("Fitting scores", total) as progress,
    ):
        for window in windows:
            y = cohort.expression.values[place[window.gene_id]]
            at = window.variants["start"].to_numpy(np.int64)
            scores = fit_gene(window.dosage, at, y, cohort.covariates, folds, config)
            judged: dict[str, Judged] = {m: judge(scores, m, folds) for m in config.models}
            tables.write(window.gene_id, window.variants, scores, judged)
            for model, found in judged.items():
                n = sum(np.count_nonzero(fit[model].weights) for _, fit in scores.fits[:-1])
                rows.append(
                    {"gene_id": window.gene_id, "model": model, "n_selected": n, **found._asdict()}
                )
            progress.advance()
    return pd.DataFrame(rows)


def _write(path: Path, facts: Mapping[str, Any]) -> None:
    text = json.dumps(dict(facts), indent=2, default=str)
    path.write_text(text + "\n", encoding="utf-8")

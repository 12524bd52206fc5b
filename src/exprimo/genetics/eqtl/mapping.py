"""One cohort's genes mapped: pairs, permutations, significance across genes, further signals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from exprimo.core.files.provenance import exprimo_version
from exprimo.core.ledger import Ledger
from exprimo.core.progress import track
from exprimo.core.run import write_json
from exprimo.genetics.cohort import CisWindow, Cohort, cis_windows, prepared, refuse_untestable
from exprimo.genetics.cohort.preparing import HIDDEN_NOTE
from exprimo.genetics.eqtl.conditional import Limits, independent_signals
from exprimo.genetics.eqtl.config import EqtlConfig
from exprimo.genetics.eqtl.gene import GeneRow, judged
from exprimo.genetics.eqtl.projection import Projection, projection
from exprimo.genetics.eqtl.sliding import SlidingPrepared
from exprimo.genetics.eqtl.statistics.association import Associations, Prepared, associate_genes
from exprimo.genetics.eqtl.statistics.permutations import orders_by_name
from exprimo.genetics.eqtl.statistics.significance import q_values, threshold_across_genes
from exprimo.genetics.eqtl.tables import PairTables, gene_table, write_table
from exprimo.genetics.eqtl.workers import in_order

EQTL_FORMAT = 1
# Genes in one task where there are no permutations: each alone is done too soon to hand over.
_GENES_AT_ONCE = 8


class MappedPeople(NamedTuple):
    """What one cohort gave.

    Attributes
    ----------
    path
        Folder: ``nominal/CHROM.parquet``, ``genes.parquet``, ``independent.parquet``,
        ``summary.json``, ``ledger.parquet``.
    n_people, n_genes, n_pairs
        Of what was tested.
    n_untested
        Genes without a variant that could be tested.
    n_egenes
        Genes called at the false discovery rate; None without permutations.
    n_signals
        Conditionally independent signals of them; None where they were not looked for.
    pi0, correction
        Share of genes without an eQTL, and how q-values were made.
    df
        Degrees of freedom of each regression.
    dropped, variants
        People and genes left out, and variants read and left out, by reason.
    skipped
        ALT alleles of the genotypes that are none of bases, or not the genome's, by reason.
    notes
        What else should be known.
    covariates
        Names of what was taken out, a word's column as ``name=word``; hidden factors last.
    """

    path: Path
    n_people: int
    n_genes: int
    n_pairs: int
    n_untested: int
    n_egenes: int | None
    n_signals: int | None
    pi0: float
    correction: str
    df: int
    dropped: dict[str, int]
    variants: dict[str, int]
    skipped: dict[str, int]
    notes: tuple[str, ...]
    covariates: tuple[str, ...] = ()


def map_cohort(
    cohort: Cohort,
    folder: Path,
    config: EqtlConfig | None = None,
    *,
    strands: Mapping[str, str] | None = None,
    genes: Sequence[str] | None = None,
    origin: Mapping[str, Any] | None = None,
    threads: int = 1,
) -> MappedPeople:
    """Map the cis-eQTLs of a cohort and write the tables into a folder.

    Genotypes are read once, and once more around the eGenes; memory holds one window.

    Parameters
    ----------
    cohort
        Of ``open_cohort``; its expression is transformed, and hidden factors added, as asked.
    folder
        Where the files go; the caller makes it atomically.
    config
        Settings.
    strands
        Gene -> ``"+"`` or ``"-"``, which an asymmetric window follows.
    genes
        Only these; None: all.
    origin
        Provenance that each table keeps.
    threads
        Genes at once. Numbers do not depend on it where each product keeps to one thread.
    """
    config = EqtlConfig() if config is None else config
    cohort, learned = prepared(
        cohort, transforms=config.transforms, hidden=config.hidden, seed=config.seed
    )
    space = projection(cohort.covariates, cohort.covariate_names)
    shuffled = orders_by_name(cohort.people, config.permutations, config.seed)
    known = {"format_version": EQTL_FORMAT, "exprimo": exprimo_version(), **(origin or {})}
    work = _Work(cohort, config, space, shuffled, strands, genes, threads)
    variants: dict[str, int] = {}
    rows, n_pairs, untested = _first_pass(work, folder, known, variants)
    skipped = dict(cohort.genotypes.skipped)
    if not rows:
        refuse_untestable(variants, len(untested), cohort.genotypes.path)
    found = gene_table(rows)
    notes = [f"{len(untested)} genes without a variant to test"] if untested else []
    notes += [HIDDEN_NOTE] if config.hidden != 0 else []
    n_egenes = n_signals = None
    pi0, correction = np.nan, "none"
    if config.permutations:
        found, called = _called(found, config)
        n_egenes, pi0, correction = called.n_egenes, called.pi0, called.correction
        notes += called.notes
        if config.conditional:
            n_signals = _further(work, found, called.limit, folder, known)
    write_table(folder / "genes.parquet", found, known)
    mapped = Ledger({"eqtl": {"individual": frozenset(cohort.people)}})
    mapped.merged(learned).save(folder / "ledger.parquet")
    done = MappedPeople(
        folder, len(cohort.people), len(found), n_pairs, len(untested), n_egenes, n_signals,
        pi0, correction, space.df, dict(cohort.dropped), variants, skipped, tuple(notes),
        tuple(cohort.covariate_names),
    )  # fmt: skip
    facts = {name: value for name, value in done._asdict().items() if name != "path"}
    write_json(folder / "summary.json", {**known, "config": config.model_dump(), **facts})
    return done


class _Work(NamedTuple):
    """What every gene is mapped with."""

    cohort: Cohort
    config: EqtlConfig
    space: Projection
    orders: npt.NDArray[np.uint32]
    strands: Mapping[str, str] | None
    genes: Sequence[str] | None
    threads: int

    def windows(self, **more: Any) -> Iterator[CisWindow]:
        """Give the genes' windows."""
        config = self.config
        return cis_windows(
            self.cohort,
            upstream=config.upstream,
            downstream=config.downstream,
            maf=config.maf,
            min_count=config.min_count,
            strands=self.strands,
            **more,
        )

    def expression(self) -> dict[str, npt.NDArray[np.float64]]:
        """Give each gene's expression, (people,)."""
        measured = self.cohort.expression
        return dict(zip(measured.genes["gene_id"], measured.values, strict=True))


class _Ready(NamedTuple):
    """A gene to be mapped."""

    window: CisWindow
    prepared: Prepared
    expression: npt.NDArray[np.float64]


class _Mapped(NamedTuple):
    """A gene and its pairs; ``row`` is None where no variant could be tested."""

    window: CisWindow
    found: Associations
    row: GeneRow | None


def _first_pass(
    work: _Work, folder: Path, origin: Mapping[str, Any], tally: dict[str, int]
) -> tuple[list[GeneRow], int, list[str]]:
    """Map every gene; give the rows of genes, the number of pairs, and genes left out."""
    rows: list[GeneRow] = []
    untested: list[str] = []
    n_pairs = 0
    n_genes = len(work.cohort.expression.genes if work.genes is None else work.genes)
    genes = chain.from_iterable(in_order(_genes(work, tally), work.threads))
    with _pair_tables(work, folder, origin) as pairs:
        for window, found, row in track(genes, "Mapping genes", total=n_genes):
            if row is None:
                untested.append(window.gene_id)
                continue
            rows.append(row)
            n_pairs += int(np.count_nonzero(~np.isnan(found.r)))
            if pairs is not None:
                pairs.add(window, found)
    return rows, n_pairs, untested


def _pair_tables(
    work: _Work, folder: Path, origin: Mapping[str, Any]
) -> AbstractContextManager[PairTables | None]:
    if not work.config.nominal:
        return nullcontext()
    return PairTables(folder / "nominal", origin, aside=work.threads > 1)


def _genes(work: _Work, tally: dict[str, int]) -> Iterator[Callable[[], list[_Mapped]]]:
    """Give some genes at a time as a task; their windows are read and prepared before."""
    expression = work.expression()
    sliding = SlidingPrepared(work.space)
    at_once = 1 if len(work.orders) else _GENES_AT_ONCE
    waiting: list[_Ready] = []
    for window in work.windows(tally=tally, genes=work.genes):
        waiting.append(_Ready(window, sliding.of(window), expression[window.gene_id]))
        if len(waiting) == at_once:
            yield partial(_mapped, work, waiting)
            waiting = []
    if waiting:
        yield partial(_mapped, work, waiting)


def _mapped(work: _Work, genes: list[_Ready]) -> list[_Mapped]:
    _, prepared, values = zip(*genes, strict=True)
    found = associate_genes(prepared, np.stack(values), work.space)
    return [
        _Mapped(
            gene.window,
            of_gene,
            judged(gene.window, gene.prepared, of_gene, gene.expression, work.space, work.orders),
        )
        for gene, of_gene in zip(genes, found, strict=True)
    ]


class _Called(NamedTuple):
    """Which genes are eGenes."""

    n_egenes: int
    limit: float | None
    pi0: float
    correction: str
    notes: list[str]


def _called(genes: pd.DataFrame, config: EqtlConfig) -> tuple[pd.DataFrame, _Called]:
    """Add ``qval`` and ``pval_nominal_threshold``, as tensorQTL does."""
    beta = genes["pval_beta"].to_numpy()
    p = np.where(np.isnan(beta), genes["pval_perm"].to_numpy(), beta)
    notes = []
    if np.isnan(beta).any():
        unfit = int(np.isnan(beta).sum())
        notes.append(f"no beta distribution fits {unfit} genes: their permutations are counted")
    found = q_values(p, config.correction)
    if found.note:
        notes.append(found.note)
    between = threshold_across_genes(p, found.q, config.fdr)
    threshold = np.full(len(p), np.nan)
    if between is not None:
        shapes = genes[["beta_shape1", "beta_shape2"]].to_numpy()
        threshold = special.betaincinv(shapes[:, 0], shapes[:, 1], between)
    called = found.q <= config.fdr
    limit = float(p[called].max()) if called.any() else None
    table = genes.assign(qval=found.q, pval_nominal_threshold=threshold)
    return table, _Called(int(called.sum()), limit, found.pi0, found.method, notes)


def _further(
    work: _Work,
    genes: pd.DataFrame,
    limit: float | None,
    folder: Path,
    origin: Mapping[str, Any],
) -> int:
    """Find further signals of the eGenes, and write them; give their number."""
    rows: list[GeneRow] = []
    if limit is not None:
        called = genes["qval"] <= work.config.fdr
        egenes = genes.loc[called, "phenotype_id"].tolist()
        found = in_order(_searches(work, egenes, limit), work.threads)
        for signals in track(found, "Looking for further signals", total=len(egenes)):
            rows += signals
    write_table(folder / "independent.parquet", gene_table(rows, "rank"), origin)
    return len(rows)


def _searches(
    work: _Work, egenes: list[str], limit: float
) -> Iterator[Callable[[], list[GeneRow]]]:
    """Give each eGene as a task."""
    expression = work.expression()
    limits = Limits(limit, work.config.most_signals)
    for window in work.windows(genes=egenes):
        values = expression[window.gene_id]
        yield partial(independent_signals, window, values, work.space, work.orders, limits)

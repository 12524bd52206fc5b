"""Fine-map genes of people, and write what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field
from threadpoolctl import threadpool_limits

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.ledger import Ledger
from exprimo.core.progress import task
from exprimo.core.run import write_json
from exprimo.data.genotypes.alleles import OnMismatch
from exprimo.genetics.cohort import CisWindow, Cohort, cis_windows, folds_of, open_cohort_of
from exprimo.genetics.eqtl.projection import Projection
from exprimo.genetics.finemap.designs import spaces_of
from exprimo.genetics.finemap.signals import SIGNALS_FILE, SignalTable
from exprimo.genetics.finemap.susie import Program, Susie, SusieSettings, preset, susie
from exprimo.genetics.finemap.tables import NO_FOLD, FinemapTables

FINEMAP_FORMAT = 1


class FinemapConfig(SusieSettings):
    """How genes are fine-mapped."""

    upstream: int = Field(1_000_000, ge=0)
    """Bases before the TSS, along the chromosome."""
    downstream: int = Field(1_000_000, ge=0)
    """Bases behind the TSS."""
    maf: float = Field(0.01, ge=0, le=0.5)
    """Leave out variants whose minor allele is rarer among the people."""
    min_count: float = Field(1.0, ge=0)
    """Leave out variants with fewer copies of the minor allele."""
    min_pip: float = Field(0.001, ge=0, le=1)
    """Variants outside of credible sets are written from this probability on."""


class FineMapped(NamedTuple):
    """What was fine-mapped.

    Attributes
    ----------
    path
        The folder: ``variants.parquet``, ``credible_sets.parquet``, ``genes.parquet``,
        ``signals.parquet``, ``ledger.parquet``, ``summary.json``.
    n_people, n_genes
        People, and genes that have variants.
    n_mapped
        Genes with a credible set.
    n_sets, median_size
        Credible sets, and the median of their numbers of variants (NaN without sets).
    n_sets_dropped
        Sets left out because their variants are not in LD.
    n_not_converged
        Fits that were stopped.
    n_folds
        Folds; 0: all people at once.
    dropped
        Reason -> people, genes or covariates left out.
    variants
        Variants that were read, and left out by reason.
    """

    path: Path
    n_people: int
    n_genes: int
    n_mapped: int
    n_sets: int
    median_size: float
    n_sets_dropped: int
    n_not_converged: int
    n_folds: int
    dropped: dict[str, int]
    variants: dict[str, int]


def finemap_window(
    dosage: npt.NDArray[np.float32],
    trait: npt.NDArray[np.float64],
    space: Projection,
    settings: SusieSettings | None = None,
) -> Susie:
    """Fine-map one window: missing dosages become the mean, covariates are projected out.

    Parameters
    ----------
    dosage
        (variants, people); NaN missing.
    trait
        (people,).
    space
        What covariates and the intercept span, of the same people.
    settings
        See `SusieSettings`.
    """
    known = ~np.isnan(dosage)
    filled = np.where(known, dosage, np.float32(0)).astype(np.float64)
    mean = filled.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    filled = np.where(known, filled, mean[:, None])
    left = space.residuals(filled)
    # What covariates explain wholly leaves rounding errors, which scaling would make a variant.
    spread = np.einsum("ij,ij->i", filled - mean[:, None], filled - mean[:, None])
    kept = np.einsum("ij,ij->i", left, left)
    left[kept <= 1e-10 * np.maximum(spread, 1e-10)] = 0.0
    # The first column of the basis is the intercept's.
    return susie(
        left.T,
        space.residuals(trait[None, :])[0],
        covariates=space.basis.shape[1] - 1,
        settings=settings,
    )


def finemap_eqtl(
    genotypes: str | Path,
    expression: str | Path,
    out: str | Path,
    *,
    covariates: str | Path | None = None,
    fasta: str | Path | None = None,
    on_ref_mismatch: OnMismatch = "error",
    gene: Sequence[str] = (),
    egenes: str | Path | None = None,
    fdr: float = 0.05,
    samples: Sequence[str] | Path | None = None,
    chrom_style: str | Path = "auto",
    folds: int | None = None,
    folds_file: str | Path | None = None,
    seed: int = 0,
    threads: int | None = None,
    like: Program | None = None,
    **settings: Any,
) -> FineMapped:
    """Fine-map the expression of genes with SuSiE: probabilities and credible sets.

    Parameters
    ----------
    genotypes, expression, covariates
        VCF, BCF or PLINK; a sorted expression BED; a table. As `map_eqtl` takes them.
    out
        A new folder.
    fasta
        What REF alleles are checked against.
    on_ref_mismatch
        Where REF is not the genome's: ``"error"``, ``"skip"`` the variant, or ``"swap"`` REF with
        the ALT that is.
    gene
        These genes only.
    egenes, fdr
        Folder of an eQTL mapping, or its table of genes: only those with a q-value up to ``fdr``.
        A credible set means something where there is an eQTL.
    samples
        These people only.
    chrom_style
        ``"auto"``, or a table: name in the genotypes, name in the expression.
    folds, folds_file, seed
        Fine-map the training people of each fold, instead of all; a column ``fold`` tells which
        fold was left out (-1: none).
    threads
        Of the matrix products; None: as the machine has.
    like
        ``"tensorqtl"`` or ``"susier"``: settings that give its numbers; see `PRESETS`.
    settings
        As `FinemapConfig` has them.

    Examples
    --------
    >>> import exprimo
    >>> exprimo.finemap_eqtl("G.vcf.gz", "E.bed.gz", "FINEMAP", egenes="EQTL")  # doctest: +SKIP
    """
    config = FinemapConfig.checked({**preset(like), **settings})
    if folds is not None and folds_file is not None:
        raise ConfigError("folds are given twice", found="--folds and --folds-file")
    refuse_existing(out)
    chosen = _chosen_genes(gene, egenes, fdr)
    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(threads, user_api="blas"))
        cohort = stack.enter_context(
            open_cohort_of(
                genotypes, expression, covariates,
                fasta=fasta, on_ref_mismatch=on_ref_mismatch, chrom_style=chrom_style,
                samples=samples, constant="drop",
            )
        )  # fmt: skip
        parts = _parts(cohort, folds, folds_file, seed)
        spaces, left_out = spaces_of(cohort, parts, covariates)
        dropped, tally = {**cohort.dropped, **left_out}, dict[str, int]()
        folder = stack.enter_context(atomic_directory(out))
        origin = _origin([genotypes, expression, covariates, fasta, egenes, folds_file], config)
        tables = FinemapTables()
        fits = _mapped(cohort, parts, spaces, config, chosen, dropped, tally)
        with SignalTable(folder / SIGNALS_FILE, origin) as signals:
            for fold, name, variants, found in fits:
                tables.add(fold, name, variants, found, config.min_pip)
                signals.add(fold, name, variants, found)
        if not tables.genes:
            raise InputError(
                "no gene can be fine-mapped", file=expression, found=str(dropped),
                expected="genes that vary, with variants in their windows",
            )  # fmt: skip
        origin = {**origin, "dropped": dropped}
        done = _summary(tables, Path(out), len(cohort.people), len(parts), dropped, tally)
        tables.write(folder, origin)
        _ledger(cohort, parts).save(folder / "ledger.parquet")
        facts = {name: value for name, value in done._asdict().items() if name != "path"}
        write_json(folder / "summary.json", {**facts, "origin": origin})
    return done


def _origin(files: Sequence[str | Path | None], config: FinemapConfig) -> dict[str, Any]:
    return describe_origin(
        [one for one in files if one is not None and Path(one).is_file()],
        kind="finemap",
        format_version=FINEMAP_FORMAT,
        settings=config.model_dump(mode="json"),
    )


def _chosen_genes(
    gene: Sequence[str], egenes: str | Path | None, fdr: float
) -> tuple[str, ...] | None:
    """Give the genes asked for; None: all."""
    if egenes is None:
        return tuple(dict.fromkeys(gene)) or None
    given = Path(egenes)
    file = given / "genes.parquet" if given.is_dir() else given
    try:
        table = pq.read_table(file.absolute(), columns=["phenotype_id", "qval"]).to_pandas()
    except (OSError, ValueError, pa.ArrowInvalid) as error:
        raise FormatError(
            "not a table of genes with q-values", file=file, found=error,
            remedy="Give the folder of exprimo eqtl map, run with permutations",
        ) from error  # fmt: skip
    called = table.loc[table["qval"] <= fdr, "phenotype_id"].tolist()
    if gene:
        called = [one for one in called if one in set(gene)]
    if not called:
        raise InputError(
            "no gene has an eQTL", file=file, found=f"q-values from {table['qval'].min():.3g}",
            expected=f"a q-value up to {fdr}", remedy="Name genes with --gene, or raise --fdr",
        )  # fmt: skip
    return tuple(called)


def _ledger(cohort: Cohort, parts: dict[int, npt.NDArray[np.intp]]) -> Ledger:
    """Note whose genotypes and expression each fit saw."""
    return Ledger(
        {
            "fine-mapping" if fold == NO_FOLD else f"fine-mapping, fold {fold} left out": {
                "individual": frozenset(cohort.people[at] for at in people)
            }
            for fold, people in parts.items()
        }
    )


def _parts(
    cohort: Cohort, folds: int | None, folds_file: str | Path | None, seed: int
) -> dict[int, npt.NDArray[np.intp]]:
    """Give the training people of each fold; all people where there are no folds."""
    if folds is None and folds_file is None:
        return {NO_FOLD: np.arange(len(cohort.people))}
    file = None if folds_file is None else Path(folds_file)
    fold_of = folds_of(cohort.people, folds or 5, seed, file)
    return {int(fold): np.flatnonzero(fold_of != fold) for fold in np.unique(fold_of)}


def _mapped(
    cohort: Cohort,
    parts: dict[int, npt.NDArray[np.intp]],
    spaces: dict[int, Projection],
    config: FinemapConfig,
    genes: Sequence[str] | None,
    dropped: dict[str, int],
    tally: dict[str, int],
) -> Iterator[tuple[int, str, pd.DataFrame, Susie]]:
    row_of = {gene: at for at, gene in enumerate(cohort.expression.genes["gene_id"])}
    windows = cis_windows(
        cohort,
        upstream=config.upstream,
        downstream=config.downstream,
        maf=config.maf,
        min_count=config.min_count,
        genes=genes,
        tally=tally,
    )
    with task("Fine-mapping", len(genes or row_of)) as steps:
        for window in windows:
            steps.advance(note=window.gene_id)
            values = cohort.expression.values[row_of[window.gene_id]]
            for fold, people in parts.items():
                reason = _unfit(window, values[people], spaces[fold])
                if reason is not None:
                    dropped[reason] = dropped.get(reason, 0) + 1
                    continue
                found = finemap_window(
                    window.dosage[:, people], values[people], spaces[fold], config
                )
                yield fold, window.gene_id, window.variants, found


def _unfit(window: CisWindow, values: npt.NDArray[np.float64], space: Projection) -> str | None:
    """Say why a gene cannot be fine-mapped; None where it can."""
    if not len(window.variants):
        return "genes without variants"
    left = space.residuals(values[None, :])
    if np.ptp(values) == 0 or float((left**2).sum()) <= 1e-10 * float(values.var() * len(values)):
        return "genes that do not vary beside the covariates"
    return None


def _summary(
    tables: FinemapTables,
    path: Path,
    n_people: int,
    n_parts: int,
    dropped: dict[str, int],
    tally: dict[str, int],
) -> FineMapped:
    """Count what was found."""
    sizes = [size for one in tables.sets for size in one["size"]]
    folds = {row["fold"] for row in tables.genes}
    return FineMapped(
        path,
        n_people,
        len({row["phenotype_id"] for row in tables.genes}),
        len({row["phenotype_id"] for row in tables.genes if row["num_sets"]}),
        len(sizes),
        float(np.median(sizes)) if sizes else float("nan"),
        sum(row["sets_dropped"] for row in tables.genes),
        sum(not row["converged"] for row in tables.genes),
        0 if folds == {NO_FOLD} else n_parts,
        dropped,
        tally,
    )

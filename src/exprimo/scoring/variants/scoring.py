"""``exprimo variants``: a model, variants and a genome give a table of effects."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.files.atomic import atomic_file, refuse_existing
from exprimo.core.files.origin import with_column_sources
from exprimo.core.files.provenance import describe_origin
from exprimo.scoring.resolve import is_run
from exprimo.scoring.shards import ExecutorName, run_shards
from exprimo.scoring.variants.background import (
    BACKGROUND_FILE,
    KIND,
    SCORES_FORMAT,
    check_same_scores,
)
from exprimo.scoring.variants.config import VariantsConfig
from exprimo.scoring.variants.plan import Center
from exprimo.scoring.variants.scores import OF_ALL_TRACKS, ScoreKind, meaning
from exprimo.scoring.variants.table import SOURCES
from exprimo.scoring.variants.work import VariantWork
from exprimo.scoring.variants.writing.writers import check_scores_path, scores_writer

_TSS_BINS = 3


class ScoredVariants(NamedTuple):
    """What `variants` wrote.

    Attributes
    ----------
    path
        The table.
    n_variants
        Variants that were read, one per ALT allele.
    n_pairs, n_windows
        Pairs of a variant and a window, and windows.
    n_rows
        Rows of the table: pairs x tracks.
    n_outside
        Variants that lie in no window, and so have no row.
    n_known_shards, n_shards
        Shards that an earlier, stopped call had made, and all.
    skipped, decided
        Reason -> number of alleles that were left out, or changed, when they were read.
    background
        What the quantiles are taken against; None: there is no column quantile.
    notes
        What a reader should know besides.
    """

    path: Path
    n_variants: int
    n_pairs: int
    n_windows: int
    n_rows: int
    n_outside: int
    n_known_shards: int
    n_shards: int
    skipped: Mapping[str, int]
    decided: Mapping[str, int]
    background: Path | None
    notes: tuple[str, ...]


def variants(
    model: str | Path,
    out: str | Path,
    *,
    variants: str | Path,
    fasta: str | Path,
    genes: str | Path | None = None,
    gene: Sequence[str] = (),
    center: Center | None = None,
    score: ScoreKind = "difference",
    tracks: Sequence[str] = (),
    track_table: str | Path | None = None,
    bins: int | Literal["all"] | None = None,
    background: str | Path | None = None,
    as_background: bool = False,
    on_ref_mismatch: Literal["error", "skip", "swap"] = "error",
    tss: str | Path = "canonical",
    chrom_style: str | Path = "auto",
    upstream: int | None = None,
    strands: bool = False,
    shifts: int = 0,
    precision: Literal["auto", "fp32", "bf16"] = "fp32",
    way: Literal["auto", "whole"] = "auto",
    shard_size: int | None = None,
    executor: ExecutorName = "local",
    address: str | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> ScoredVariants:
    """Score what variants do to what a model predicts: ALT minus REF.

    Each variant is put alone into a window of the reference. The window keeps its length and
    the anchor (the TSS, or the variant's first base) its place; an indel moves what lies beyond
    it away from the anchor, and bins are compared with those that show the same DNA (see
    `exprimo.scoring.variants.windows.partner_bins`). A call that was stopped goes on when it is
    repeated.

    Parameters
    ----------
    model
        A Run's folder, or a pretrained model (``NAME`` or ``NAME:FILE``).
    out
        ``.parquet``, ``.tsv``, ``.tsv.gz`` or ``.vcf.gz`` (sorted, with its index). One row per
        variant, window and track: ``variant_id, chrom, pos`` (from 1), ``ref, alt, gene_id,
        track, ref_pred, alt_pred, raw_score, ref_match, contains_unknown``. What stands there
        already is refused.
    variants
        VCF, BCF, .pvar, .bim, a table with chrom, pos, ref, alt, or ids chrom:pos:ref:alt.
    fasta
        Genome: FASTA, plain, gzip or bgzip.
    genes, gene
        Annotation, or a table with gene_id, chrom, tss (from 1), strand; and ids or names of the
        genes to take from it; none: all.
    center
        ``tss``: one window per gene, with the variants that change it; a variant outside of
        every window is counted. ``variant``: one window around each variant, on the forward
        strand; ``gene_id`` is the gene of the nearest TSS, if there are genes. By default
        ``tss`` where genes are given.
    score
        ``difference``: ALT - REF, mean over the bins. ``absolute``: the mean of its size.
        ``tss``: the difference in the three bins around the anchor. ``lfc``: log2((ALT + 1) /
        (REF + 1)) of the means, for coverage. ``published``: the sum over all bins of the mean
        over tracks, **REF minus ALT**. ``matrix``: the sum over all bins and tracks, with a
        column ``absolute_score`` for the sum of sizes. The last two have one row, track
        ``all``.
    tracks, track_table
        What to predict: names of a Run's outputs; numbers, ranges or words for a backbone.
    bins
        Bins around the anchor, or ``all``; by default 3, and all for ``published`` and
        ``matrix``.
    background
        A ``.parquet`` that this function made of common variants, in the same way: adds
        ``quantile`` (see `Background`). By default the one that is stored with a Run, where it
        fits.
    as_background
        Store the table with the model, which is a Run, as its background.
    on_ref_mismatch
        ``error``; ``skip`` leaves variants out whose REF is not what the genome has; ``swap``
        exchanges REF and ALT where ALT is (``ref_match`` is then False).
    tss
        ``canonical``, ``most5prime``, or a table with gene_id, chrom, tss (from 1), strand.
    chrom_style
        ``auto``, or a two-column table: name in the files, name in the genome.
    upstream
        Bases before the TSS in the model's window, where the model does not say it.
    strands, shifts
        Average over both strands, and over shifts of so many bases either way.
    precision
        ``bf16`` is faster where the machine computes in it, and coarser than many effects.
    way
        ``auto``: of a substitution only what it can reach is computed, where the model is a
        ``cnn``; the same up to rounding. ``whole``: every window whole.
    shard_size
        Pairs in a shard, which is the most that a stop loses.
    executor, address
        ``local``, or ``ray`` with the address of a cluster.

    Examples
    --------
    >>> exprimo.variants("RUN", "SCORES.parquet", variants="V.vcf", fasta="g.fa",
    ...                  genes="g.gtf")                          # doctest: +SKIP
    """
    check_scores_path(out)
    refuse_existing(out)
    config = VariantsConfig.checked(
        {
            "model": str(model),
            "variants": str(variants),
            "fasta": str(fasta),
            "genes": _text(genes),
            "gene": tuple(gene),
            "tss": str(tss),
            "chrom_style": str(chrom_style),
            "on_ref_mismatch": on_ref_mismatch,
            "center": _center(center, genes, gene),
            "score": score,
            "tracks": tuple(tracks),
            "track_table": _text(track_table),
            "bins": _bins(bins, score),
            "upstream": upstream,
            "average": {"strands": strands, "shifts": shifts},
            "precision": precision,
            "way": way,
            "shard_size": shard_size,
            "machine": {"device": device, "threads": threads},
        }
    )
    given = None if background is None else Path(background)
    return _score(config, Path(out), given, as_background, executor, address)


def _center(center: Center | None, genes: str | Path | None, gene: Sequence[str]) -> Center:
    """Choose what stands in the middle of the windows, where the user did not."""
    if gene and center == "variant":
        raise ConfigError(
            "windows around variants are not chosen by gene",
            record=", ".join(gene[:5]),
            remedy="Leave out the genes that are named, or score around their TSSs: --center tss",
        )
    return center or ("variant" if genes is None else "tss")


def _score(
    config: VariantsConfig,
    out: Path,
    background: Path | None,
    as_background: bool,
    executor: ExecutorName,
    address: str | None,
) -> ScoredVariants:
    kept = _kept_background(config, out) if as_background else None
    work = VariantWork(config)
    try:
        notes = _choose_background(work, background, as_background)
        return _write(work, out, executor, address, kept, notes)
    finally:
        work.close()


def _write(
    work: VariantWork,
    out: Path,
    executor: ExecutorName,
    address: str | None,
    kept: Path | None,
    notes: tuple[str, ...],
) -> ScoredVariants:
    config, plan = work.config, work.plan
    settings = config.model_dump(mode="json")
    joined = run_shards(
        "variants",
        settings,
        out,
        executor=executor,
        address=address,
        unit="variants",
        worker=work,
        write=scores_writer(out, work.genome.lengths),
        origin=_origin(work, settings),
    )
    if kept is not None:
        with atomic_file(kept) as partial:
            shutil.copyfile(out, partial)
    background = None if config.background is None else Path(config.background)
    return ScoredVariants(
        out,
        len(work.sites),
        len(plan.place),
        len(plan.places),
        joined.n_rows,
        plan.n_outside,
        joined.n_known,
        joined.n_shards,
        work.skipped,
        work.decided,
        background,
        notes,
    )


def _origin(work: VariantWork, settings: dict[str, Any]) -> dict[str, Any]:
    config = work.config
    files = (config.variants, config.fasta, config.genes, config.background)
    origin = describe_origin(
        [path for path in files if path is not None and Path(path).is_file()],
        kind=KIND,
        format_version=SCORES_FORMAT,
        model=work.model.name,
        identity=work.identity(),
        score=meaning(work.kind),
        settings=settings,
        variants={
            "read": len(work.sites),
            "outside": work.plan.n_outside,
            "skipped": work.skipped,
            "decided": work.decided,
        },
    )
    return with_column_sources(origin, SOURCES)


def _text(path: str | Path | None) -> str | None:
    return None if path is None else str(path)


def _bins(bins: int | Literal["all"] | None, score: str) -> int | Literal["all"]:
    if score in OF_ALL_TRACKS or score == "tss":
        fixed: int | Literal["all"] = _TSS_BINS if score == "tss" else "all"
        if bins not in (None, fixed):
            raise ConfigError(
                f"the score {score} is of a fixed number of bins",
                record="bins",
                found=bins,
                expected=fixed,
                remedy="Leave the bins out, or take the score difference",
            )
        return fixed
    return _TSS_BINS if bins is None else bins


def _kept_background(config: VariantsConfig, out: str | Path) -> Path:
    """Give where a background is kept, if this model can have one."""
    if not is_run(config.model):
        raise ConfigError(
            "only a Run keeps a background",
            record=config.model,
            remedy="Keep the table yourself, and name it with --background",
        )
    if check_scores_path(out) != ".parquet":
        raise ConfigError("a background is a .parquet", found=str(out))
    return Path(config.model) / BACKGROUND_FILE


def _choose_background(
    work: VariantWork, named: Path | None, as_background: bool
) -> tuple[str, ...]:
    """Take the background that was named, or the Run's own where it fits; say if it does not."""
    if as_background:
        if named is not None:
            raise ConfigError("a background is not compared with another")
        return ()
    if named is not None:
        work.compare_with(named)
        return ()
    own = Path(work.config.model) / BACKGROUND_FILE
    if not own.is_file():
        return ()
    try:
        check_same_scores(own, work.identity())
    except MismatchError as other:
        return (f"no quantiles: the background of this Run is of another {other.record}",)
    work.compare_with(own)
    return ()

"""``exprimo personal``: genotypes, a genome and a model give predictions for each person."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.files.atomic import refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.data.fasta import Genome
from exprimo.data.genotypes import Genotypes
from exprimo.data.genotypes.plink.trio import find_trio
from exprimo.features.haplotypes import Unphased
from exprimo.scoring.personal.asking import config_of, sites_of, windows_of
from exprimo.scoring.personal.assembly import HaplotypeRows, People, assemble
from exprimo.scoring.personal.config import Machine, PersonalConfig
from exprimo.scoring.personal.cost import PersonalCost, measure_cost
from exprimo.scoring.personal.plan import (
    HaplotypePlan,
    cut_into_shards,
    plan_haplotypes,
    shard_size,
)
from exprimo.scoring.personal.sources import Sources, open_model, opened_files
from exprimo.scoring.personal.spool import open_spool
from exprimo.scoring.personal.work import PersonalWork
from exprimo.scoring.shards import ExecutorName, run_shards
from exprimo.scoring.shards.tables import writer_for


class PersonalPredictions(NamedTuple):
    """What `personal` wrote.

    Attributes
    ----------
    path
        The table.
    n_genes, n_people, tracks
        What its rows are of.
    n_haplotypes
        Distinct haplotypes; each was predicted once.
    n_rows
        Rows written.
    n_shards, n_known
        Shards of the work, and how many of them an earlier, stopped call had finished.
    dropped
        Reason -> genes that were left out.
    skipped
        Reason -> alleles of people that were not applied.
    n_with_unknown
        Distinct haplotypes in which N stands.
    """

    path: Path
    n_genes: int
    n_people: int
    tracks: tuple[str, ...]
    n_haplotypes: int
    n_rows: int
    n_shards: int
    n_known: int
    dropped: dict[str, int]
    skipped: dict[str, int]
    n_with_unknown: int


def personal(
    model: str | Path,
    out: str | Path,
    *,
    genotypes: str | Path,
    fasta: str | Path,
    genes: str | Path,
    gene: Sequence[str] = (),
    samples: Sequence[str] | Path | None = None,
    haplotypes: HaplotypeRows = "each",
    unphased: Unphased = "error",
    seed: int = 0,
    tracks: Sequence[str] = (),
    track_table: str | Path | None = None,
    bins: int | Literal["all"] = 3,
    strands: bool = False,
    shifts: int = 0,
    upstream: int | None = None,
    on_ref_mismatch: Literal["error", "skip", "swap"] = "error",
    tss: str | Path = "canonical",
    chrom_style: str | Path = "auto",
    precision: Literal["auto", "fp32", "bf16"] = "fp32",
    executor: ExecutorName = "local",
    address: str | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> PersonalPredictions:
    """Predict every gene for every person from that person's own two sequences.

    One gene across people and one person across genes are both the table of genes x people.
    Each distinct haplotype of a gene is predicted once. A call that was stopped goes on when it
    is repeated.

    Parameters
    ----------
    model
        A Run's folder, or a pretrained model (``NAME`` or ``NAME:FILE``) that reads DNA alone.
    out
        ``.parquet`` or ``.tsv``: ``gene_id, individual, haplotype`` (1 or 2, as the genotypes
        order them), ``track, prediction``, for random phasings ``prediction_sd``, and
        ``haplotype_id``, which is the same for equal sequences and missing where phasings differ.
        A person with one copy has one row, one without any has none. What stands there already
        is refused.
    genotypes
        VCF, BCF, or the prefix of a PLINK trio.
    fasta, genes
        Genome and annotation.
    gene
        Ids or names of genes; none: all that lie on chromosomes with genotypes.
    samples
        Names of people in the order wanted, or a file with one a line; None: all.
    haplotypes
        ``each``: a row for each copy. ``mean``: one for each person, the mean over the copies,
        without the columns of haplotypes.
    unphased, seed
        Where two heterozygous variants of a window have no common phase: ``"error"``; a number of
        random phasings, whose mean and standard deviation are given; ``"mixture"``: effects of
        single variants add up, weighted by dosage (needs ``haplotypes="mean"``).
    tracks, track_table, bins, strands, shifts, upstream
        See `open_sequence_model`; of several bins the mean is given.
    on_ref_mismatch
        Where REF is not the genome's: ``error``, ``skip`` or ``swap``.
    tss, chrom_style
        As in `dataset_promoters`; a table of chromosome names serves genotypes too.
    precision
        ``fp32``; ``bf16`` is faster on large networks and hides small differences.
    executor, address
        ``local``, or ``ray`` with the address of a cluster.
    device, threads
        Where it is computed.

    Examples
    --------
    >>> exprimo.personal("RUN", "P.parquet", genotypes="V.vcf.gz", fasta="genome.fa",
    ...                  genes="genes.gtf", gene=["APOE"])       # doctest: +SKIP
    """
    target = Path(out)
    writer_for(target)
    refuse_existing(target)
    if unphased == "mixture" and haplotypes == "each":
        raise ConfigError(
            "a mixture of effects predicts people, not haplotypes",
            record="unphased",
            found="mixture",
            remedy="Ask for one row a person: --haplotypes mean",
        )
    config = config_of(
        model, genotypes, fasta, samples=samples, unphased=unphased, seed=seed, tracks=tracks,
        track_table=track_table, bins=bins, strands=strands, shifts=shifts, upstream=upstream,
        on_ref_mismatch=on_ref_mismatch, chrom_style=chrom_style, precision=precision,
        device=device, threads=threads,
    )  # fmt: skip
    asked = _Asked(target, genes, tuple(gene), str(tss), haplotypes, executor, address)
    return _predicted(config, asked)


def plan_personal(
    model: str | Path,
    *,
    genotypes: str | Path,
    fasta: str | Path,
    genes: str | Path,
    gene: Sequence[str] = (),
    tss: str | Path = "canonical",
    **settings: Any,
) -> PersonalCost:
    """Find the distinct haplotypes, predict a few of them, and say what all will cost.

    Parameters
    ----------
    model, genotypes, fasta, genes, gene, tss, settings
        As for `personal`, without what concerns its output and the executor.
    """
    config = config_of(model, genotypes, fasta, **settings)
    with opened_files(config) as files, tempfile.TemporaryDirectory() as folder:
        sources, _ = _asked_of(config, *files, genes, gene, str(tss))
        with open_spool(Path(folder) / "plan", sources.length) as spool:
            plan = plan_haplotypes(sources, spool)
        _in_shards(sources, plan)
        return measure_cost(sources, plan)


class _Asked(NamedTuple):
    """What is asked beside the settings that predictions depend on."""

    out: Path
    genes: str | Path
    gene: tuple[str, ...]
    tss: str
    haplotypes: HaplotypeRows
    executor: ExecutorName
    address: str | None


def _predicted(config: PersonalConfig, asked: _Asked) -> PersonalPredictions:
    # The driver of a cluster plans, and leaves the devices to the workers.
    here = config.model_copy(update={"machine": Machine(device="cpu")})
    used = here if asked.executor == "ray" else config
    with opened_files(used) as files:
        sources, dropped = _asked_of(used, *files, asked.genes, asked.gene, asked.tss)
        with open_spool(asked.out, sources.length) as spool:
            plan = plan_haplotypes(sources, spool)
            sources = _in_shards(sources, plan)
            people = People(
                sources.genotypes.samples,
                sources.model.tracks,
                asked.haplotypes,
                isinstance(config.unphased, int),
            )
            settings = sources.config.model_copy(update={"machine": config.machine})
            done = run_shards(
                "personal",
                settings.model_dump(mode="json"),
                asked.out,
                executor=asked.executor,
                address=asked.address,
                unit="haplotypes",
                worker=PersonalWork(sources, spool.codes),
                assemble=lambda tables: assemble(tables, spool.carriers, plan.windows, people),
                origin=_origin(sources, asked.genes, plan, dropped),
            )
    return PersonalPredictions(
        path=asked.out,
        n_genes=len(sources.config.windows),
        n_people=len(people.names),
        tracks=tuple(people.tracks),
        n_haplotypes=plan.n_haplotypes,
        n_rows=done.n_rows,
        n_shards=done.n_shards,
        n_known=done.n_known,
        dropped=dropped,
        skipped=plan.skipped,
        n_with_unknown=plan.with_unknown,
    )


def _asked_of(
    config: PersonalConfig,
    genome: Genome,
    genotypes: Genotypes,
    genes: str | Path,
    gene: Sequence[str],
    tss: str,
) -> tuple[Sources, dict[str, int]]:
    """Find the genes that are asked for; only then load the model, which takes far longer."""
    sites, dropped = sites_of(config, genome, genotypes, genes, gene, tss)
    sources = Sources(config, genome, genotypes, open_model(config))
    windows, dropped = windows_of(sources, sites, dropped)
    return sources.with_config(windows=windows), dropped


def _in_shards(sources: Sources, plan: HaplotypePlan) -> Sources:
    if not plan.n_haplotypes:
        raise InputError(
            "nobody has a copy of these genes",
            file=sources.genotypes.path,
            found=", ".join(window.gene_id for window in plan.windows[:5]),
        )
    counts = [window.distinct for window in plan.windows]
    shards = cut_into_shards(counts, shard_size(sources.model))
    return sources.with_config(windows=plan.windows, shards=shards)


def _origin(
    sources: Sources, genes: str | Path, plan: HaplotypePlan, dropped: dict[str, int]
) -> dict[str, Any]:
    config, model = sources.config, sources.model
    trio = find_trio(Path(config.genotypes))
    files = [Path(config.genotypes)] if trio is None else list(trio[2:])
    settings = config.model_dump(mode="json", exclude={"windows", "shards", "machine", "samples"})
    return describe_origin(
        [config.fasta, genes, *files],
        builder="personal",
        model={"name": model.name, "digest": model.digest},
        window={"upstream": model.upstream, "downstream": model.downstream},
        n_haplotypes=plan.n_haplotypes,
        dropped=dropped,
        skipped=plan.skipped,
        settings=settings,
    )

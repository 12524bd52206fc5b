"""The scoring of variants as work that falls into shards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.errors import InputError
from exprimo.core.files.provenance import sha256_file
from exprimo.data.fasta import Genome
from exprimo.data.genotypes.sites import read_sites
from exprimo.data.names import read_chromosome_names
from exprimo.features.haplotypes.writing.sites import gene_sites
from exprimo.scoring.sequences import SequenceModel, open_sequence_model
from exprimo.scoring.variants.background import Background, is_signed
from exprimo.scoring.variants.config import VariantsConfig
from exprimo.scoring.variants.passes import PairScorer
from exprimo.scoring.variants.plan import plan_around_tss, plan_around_variants
from exprimo.scoring.variants.scores import OF_ALL_TRACKS, score_kind
from exprimo.scoring.variants.table import ALL_TRACKS, score_table
from exprimo.scoring.variants.windows.alleles import Alleles

# A shard is what a stop may lose: minutes of a long window, seconds of a short one.
_SHARD_BASES = 6_000_000
_FEWEST, _MOST = 16, 20_000


class VariantWork:
    """A list of variants, the windows that they meet, and the model that reads them.

    Attributes
    ----------
    config
        What was asked for.
    model, genome
        Open.
    sites
        The variants: chrom, start, ref, alt, variant_id, ref_match.
    skipped, decided
        Reason -> number of alleles that were left out, or changed, when they were read.
    plan
        Which variant is put into which window.
    n_shards, shard_items, digests
        See `exprimo.scoring.shards.Worker`.
    """

    def __init__(self, config: VariantsConfig) -> None:
        self.config = config
        self.genome = Genome.open(config.fasta)
        try:
            self._prepare(config)
        except BaseException:
            self.genome.close()
            raise

    def _prepare(self, config: VariantsConfig) -> None:
        # A model may take long to open: what is wrong with the files is said before.
        self.sites, self.skipped, self.decided = _sites(config, self.genome)
        tss = _starts(config, self.genome)
        self.model = model = open_model(config)
        self.kind = score_kind(config.score, positive=model.positive)
        self.tracks = (ALL_TRACKS,) if self.kind in OF_ALL_TRACKS else model.tracks
        alleles = Alleles.of(self.sites)
        window = {"upstream": model.upstream, "downstream": model.downstream}
        if config.center == "variant" or tss is None:
            self.plan = plan_around_variants(self.sites, tss)
        else:
            self.plan = plan_around_tss(self.sites, alleles, tss, **window)
        if not len(self.plan.place):
            raise _none_inside(config, len(self.sites), model)
        self.scorer = PairScorer(
            model, self.genome, self.plan, alleles, self.kind, whole=config.way == "whole"
        )
        least = _SHARD_BASES // (model.upstream + model.downstream)
        size = config.shard_size or max(_FEWEST, min(_MOST, least))
        n_pairs = len(self.plan.place)
        self._shards = [
            slice(start, min(start + size, n_pairs)) for start in range(0, n_pairs, size)
        ]
        self.n_shards = len(self._shards)
        self.shard_items: Sequence[int] = [part.stop - part.start for part in self._shards]
        self.digests = self._digests()

    def identity(self) -> dict[str, Any]:
        """Say what makes two scores comparable, as JSON would give it back."""
        config, model = self.config, self.model
        facts = {
            "model_digest": model.digest,
            "score": self.kind,
            "center": config.center,
            "tracks": list(model.tracks),
            "bins": [model.first_bin, model.bin_size, model.n_bins],
            "window": [model.upstream, model.downstream],
            "average": config.average.model_dump(mode="json"),
        }
        known: dict[str, Any] = json.loads(json.dumps(facts))
        return known

    def compare_with(self, background: Path) -> None:
        """Take quantiles against a table of scores, which is read and checked at once."""
        self.config = self.config.model_copy(update={"background": str(background)})
        self.digests = self._digests()
        self.background = Background.read(background, self.identity())

    @cached_property
    def background(self) -> Background | None:
        """The background, if one was given; read when first asked for."""
        path = self.config.background
        return None if path is None else Background.read(path, self.identity())

    def run(self, shard: int) -> pd.DataFrame:
        """Score the pairs of one shard."""
        pairs = self._shards[shard]
        scored = list(self.scorer.score(pairs.start, pairs.stop))
        table = score_table(self.sites, self.plan, pairs, scored, self.tracks)
        if self.background is not None:
            at = table.columns.get_loc("ref_match")
            found = self.background.quantiles(table, signed=is_signed(self.kind))
            table.insert(int(at), "quantile", found.astype(np.float32))  # type: ignore[arg-type]  # one column of this name
        return table

    def close(self) -> None:
        """Let go of the genome."""
        self.genome.close()

    def _digests(self) -> dict[str, str]:
        config = self.config
        files = (config.variants, config.genes, config.background)
        found = {path: sha256_file(path) for path in files if path and Path(path).is_file()}
        # A genome is large: its chromosomes tell it from another.
        lengths = json.dumps(self.genome.lengths)
        known = {config.fasta: sha256(lengths.encode()).hexdigest(), "model": self.model.digest}
        return found | known


def open_model(config: VariantsConfig) -> SequenceModel:
    """Open the model that was asked for."""
    return open_sequence_model(
        config.model,
        tracks=config.tracks,
        track_table=config.track_table,
        bins=config.bins,
        upstream=config.upstream,
        average=config.average,
        device=config.machine.device,
        threads=config.machine.threads,
        precision=config.precision,
    )


def open_variants(settings: Mapping[str, Any]) -> VariantWork:
    """Open the work that settings describe; the shards' opener."""
    return VariantWork(VariantsConfig.checked(settings))


def _sites(
    config: VariantsConfig, genome: Genome
) -> tuple[pd.DataFrame, dict[str, int], dict[str, int]]:
    table = None if config.chrom_style == "auto" else read_chromosome_names(config.chrom_style)
    sites = read_sites(
        config.variants,
        genome=genome,
        on_ref_mismatch=config.on_ref_mismatch,
        chrom_table=table,
    )
    if sites.variants.empty:
        raise InputError(
            "no variant of the list can be scored",
            file=config.variants,
            found=", ".join(f"{count:,} {reason}" for reason, count in sites.skipped.items()),
        )
    return sites.variants, sites.skipped, sites.decided


def _starts(config: VariantsConfig, genome: Genome) -> pd.DataFrame | None:
    if config.center == "variant" and config.genes is None:
        return None
    if config.genes is None:
        raise InputError(
            "windows around TSSs need an annotation",
            expected="--genes with GTF, GFF3 or BED",
            remedy="Give one, or put each variant in the middle: --center variant",
        )
    sites, _ = gene_sites(
        config.genes, genome, gene=config.gene, tss=config.tss, chrom_style=config.chrom_style
    )
    return sites


def _none_inside(config: VariantsConfig, n_sites: int, model: SequenceModel) -> InputError:
    return InputError(
        "no variant lies in any window",
        file=config.variants,
        found=f"{n_sites:,} variants",
        expected=f"some within {model.upstream:,} bases before and {model.downstream:,} behind "
        "the TSS of a gene",
        remedy="Check that variants and genes are of one genome build",
    )

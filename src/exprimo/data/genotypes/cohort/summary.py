"""What a cohort looks like: one pass over its genotypes, then matrices of a few variants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import Interval
from exprimo.core.errors import InputError
from exprimo.core.progress import task
from exprimo.data.genotypes.cohort.collect import Collector
from exprimo.data.genotypes.cohort.components import Components, principal_components
from exprimo.data.genotypes.cohort.kinship import (
    DUPLICATE,
    SECOND,
    chance_kinship,
    related_pairs,
)
from exprimo.data.genotypes.cohort.tally import GenotypeCodes
from exprimo.data.genotypes.cohort.thinning import unlinked
from exprimo.data.genotypes.view import Block, Genotypes

# Genotypes read at once, and kept for relatives and components: a byte each.
_BLOCK_GENOTYPES = 1 << 24
_KEPT_GENOTYPES = 1 << 28
# Pairs of samples times variants: some two minutes on one core.
_MOST_PRODUCTS = 3e12


class CohortSummary(NamedTuple):
    """A cohort, in numbers.

    Attributes
    ----------
    counts
        What was counted -> number: ``variants`` (rows, one per ALT allele), ``records``,
        ``multiallelic records``, ``without variation``, ``singletons``, ``listed twice``, ...
    samples
        One row a sample: ``sample, n_called, n_missing, missing_share, het, hom_ref, hom_alt,
        het_share, f`` (autosomal, biallelic; F = (O - E) / (N - E) of homozygotes),
        ``x_het_share``, ``x_haploid_share``.
    maf_spectrum
        ``above, up_to, n_variants``: variants by frequency of the rarer allele.
    missingness
        ``above, up_to, n_variants``: variants by share of missing genotypes.
    hardy
        ``p_below, n_variants, expected``: autosomal, varying variants out of Hardy-Weinberg
        proportions, and the number expected at most (the exact test is conservative).
    ploidy
        ``sample, chromosome, n_haploid, n_het, n_hom, oddity``: samples whose copies of a
        chromosome contradict one another. Empty where none does.
    related
        Pairs as `related_pairs` gives them, above what chance gives. None where this was not or
        could not be told; ``notes`` says why.
    components
        Of the samples, in their order; None where there are too few samples or variants.
    n_unlinked
        Variants that the components rest on.
    span
        Bases from the first to the last variant that relatives are looked for with, summed over
        chromosomes.
    notes
        What was left out, bounded or could not be told.
    """

    counts: dict[str, int]
    samples: pd.DataFrame
    maf_spectrum: pd.DataFrame
    missingness: pd.DataFrame
    hardy: pd.DataFrame
    ploidy: pd.DataFrame
    related: pd.DataFrame | None
    components: Components | None
    n_unlinked: int
    span: int
    notes: tuple[str, ...]


def summarise_cohort(
    genotypes: Genotypes,
    *,
    n_components: int = 10,
    min_maf: float = 0.01,
    most_variants: int = 50_000,
    stop_after: int | None = None,
    stretches: Sequence[Interval] | None = None,
    seed: int = 0,
) -> CohortSummary:
    """Go once through the genotypes of a cohort; memory does not grow with the variants.

    Parameters
    ----------
    genotypes
        An opened file.
    n_components
        Principal components.
    min_maf
        Of variants that relatives and components are computed from.
    most_variants
        So many of those at most, evenly spread over the file; fewer with many samples (268
        million genotypes are kept at most).
    stop_after
        Rows to go through at most; the notes say so.
    stretches
        Parts of the file to go through instead of all of it, in its order, through its index.
    seed
        Of the components of more than 3,000 samples.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from exprimo.data.genotypes import open_genotypes
    >>> file = Path(tempfile.mkdtemp()) / "g.vcf"
    >>> _ = file.write_text(
    ...     "##fileformat=VCFv4.2\\n##contig=<ID=1>\\n"
    ...     '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\\n'
    ...     "#CHROM\\tPOS\\tID\\tREF\\tALT\\tQUAL\\tFILTER\\tINFO\\tFORMAT\\tann\\tbob\\n"
    ...     "1\\t5\\trs1\\tA\\tC\\t.\\t.\\t.\\tGT\\t0|1\\t1|1\\n"
    ...     "1\\t9\\trs2\\tG\\tC\\t.\\t.\\t.\\tGT\\t.|.\\t0|1\\n")
    >>> with open_genotypes(file) as genotypes:
    ...     found = summarise_cohort(genotypes)
    >>> found.counts["variants"], found.samples[["sample", "n_missing", "het"]].values.tolist()
    (2, [['ann', 1, 1], ['bob', 0, 1]])
    """
    n_samples = len(genotypes.samples)
    if not n_samples:
        raise InputError("no sample to summarise", file=genotypes.path)
    limit = min(most_variants, max(_KEPT_GENOTYPES // n_samples, 2))
    collector = Collector(genotypes.chromosomes, genotypes.samples, limit, min_maf)
    at_once = int(np.clip(_BLOCK_GENOTYPES // n_samples, 64, 10_000))
    notes = list[str]()
    n_blocks = None if stop_after is None else -(-stop_after // at_once)
    blocks = _parts(genotypes, stretches) if stretches else genotypes.blocks(at_once)
    with task(f"Reading {genotypes.path.name}") as bar:
        for block in islice(blocks, n_blocks):
            collector.add(block)
            bar.advance(len(block.variants))
    if stop_after is not None and collector.counts["variants"] >= stop_after:
        notes.append(f"only the first {collector.counts['variants']:,} variants were looked at")
    if not collector.counts["variants"]:
        raise InputError("no variant to summarise", file=genotypes.path)
    codes, chrom, start = collector.even.variants()
    if collector.even.seen > len(codes):
        notes.append(
            f"relatives and components from {len(codes):,} of {collector.even.seen:,} autosomal "
            f"variants with a frequency of {min_maf:g} or more, evenly spread"
        )
    chosen = unlinked(codes, chrom, start)
    n_unlinked = int(chosen.sum())
    related = _related(codes, chosen, genotypes.samples, notes)
    components = None
    if n_samples > 2 and n_unlinked > 1:
        components = principal_components(codes[chosen], n_components, seed=seed)
    return CohortSummary(
        counts=dict(collector.counts),
        samples=collector.samples_table(),
        maf_spectrum=collector.maf_spectrum(),
        missingness=collector.missingness(),
        hardy=collector.hardy_table(),
        ploidy=collector.ploidy_table(),
        related=related,
        components=components,
        n_unlinked=n_unlinked,
        span=_span(chrom, start),
        notes=tuple(notes),
    )


def _parts(genotypes: Genotypes, stretches: Sequence[Interval]) -> Iterator[Block]:
    """Give the variants that begin in each stretch; records are numbered on."""
    n_records = 0
    for chrom, start, end, _ in stretches:
        block = genotypes.region(chrom, start, end)
        # A long deletion may reach in from before, where it was counted.
        inside = block.variants["start"].to_numpy() >= start
        table = block.variants[inside].reset_index(drop=True)
        table["record"] += n_records
        n_records = int(table["record"].max()) + 1 if len(table) else n_records
        yield Block(table, block.alleles[inside], block.phased[inside], None, None)


def _span(chrom: npt.NDArray[np.int64], start: npt.NDArray[np.int64]) -> int:
    """Add up what lies between the first and the last variant of each chromosome."""
    return sum(int(np.ptp(start[chrom == number])) for number in np.unique(chrom))


def _related(
    codes: GenotypeCodes,
    chosen: npt.NDArray[np.bool_],
    samples: tuple[str, ...],
    notes: list[str],
) -> pd.DataFrame | None:
    """Find relatives where the variants can tell them from strangers, and time allows."""
    n_pairs = len(samples) * (len(samples) - 1) // 2
    if not n_pairs:
        return None
    chance, n_unlinked = chance_kinship(codes[chosen], n_pairs), int(chosen.sum())
    if chance > DUPLICATE:
        notes.append(
            f"{n_unlinked:,} unlinked variants are too few to tell relatives from strangers"
        )
        return None
    if n_pairs * len(codes) > _MOST_PRODUCTS:
        notes.append(f"the {n_pairs:,} pairs of samples were not compared: too many")
        return None
    if chance > SECOND:
        notes.append(
            f"with {n_unlinked:,} unlinked variants, only pairs with a kinship above "
            f"{chance:.3f} stand out from strangers"
        )
    return related_pairs(codes, samples, at_least=max(SECOND, chance))

"""Both haplotypes of a window for any number of people, each distinct one once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import promoter_interval
from exprimo.core.sequence import Codes
from exprimo.data.fasta import Genome
from exprimo.data.genotypes.view import Genotypes
from exprimo.features.haplotypes.distinct import HaplotypeLists, distinct_haplotypes, one_by_one
from exprimo.features.haplotypes.edits import Integers
from exprimo.features.haplotypes.kernels import fill_windows
from exprimo.features.haplotypes.one_variant import check_window
from exprimo.features.haplotypes.phase import Unphased, check_unphased
from exprimo.features.haplotypes.region import Region, read_region


class WindowHaplotypes(NamedTuple):
    """The distinct sequences of a window, and who has which.

    Attributes
    ----------
    codes
        (distinct, upstream + downstream), gene orientation, TSS base at index ``upstream``.
    index
        Int32, (samples, 2, phasings): row of ``codes``; -1 where there is no such copy.
        ``phasings`` is 1 where phase is known.
    weights
        Float32, (samples, distinct), for ``unphased="mixture"`` alone: the prediction for a
        person, as a mean over both copies, is ``weights @ predictions``. ``index`` is all -1 then.
        NaN for a person without any copy.
    applied
        Variants that change someone's window: ``variant_id, chrom, start, ref, alt, n_carriers``.
    skipped
        Reason -> number of alleles of people that were not applied. What the reader left out
        (symbolic alleles and the like) is counted by ``genotypes.skipped``.
    contains_unknown
        Bool, (distinct,): whether N stands in it.
    """

    codes: Codes
    index: npt.NDArray[np.int32]  # type: ignore[assignment]  # a field, not the method of tuples
    weights: npt.NDArray[np.float32] | None
    applied: pd.DataFrame
    skipped: dict[str, int]
    contains_unknown: npt.NDArray[np.bool_]


class PlannedWindow(NamedTuple):
    """The haplotypes of a window, known but not built; see `WindowHaplotypes`."""

    length: int
    index: npt.NDArray[np.int32]  # type: ignore[assignment]  # a field, not the method of tuples
    weights: npt.NDArray[np.float32] | None
    applied: pd.DataFrame
    skipped: dict[str, int]
    contains_unknown: npt.NDArray[np.bool_]
    region: Region
    lists: HaplotypeLists

    @property
    def n_distinct(self) -> int:
        """How many different sequences there are."""
        return len(self.contains_unknown)

    def build(self, rows: Integers | None = None) -> Codes:
        """Give some of the distinct sequences, or all, (rows, length)."""
        wanted = np.arange(self.n_distinct) if rows is None else np.asarray(rows, dtype=np.int64)
        out = np.empty((len(wanted), self.length), dtype=np.uint8)
        members, at, shift = self.lists
        fill_windows(self.region.reference, self.region.edits, members, at, wanted, shift, out)
        return out


def plan_window(
    genome: Genome,
    genotypes: Genotypes,
    chrom: str,
    tss: int,
    strand: str,
    *,
    upstream: int,
    downstream: int,
    unphased: Unphased = "error",
    seed: int = 0,
) -> PlannedWindow:
    """Find the distinct haplotypes of a window without building them.

    Memory is that of the genotypes of the window. Arguments are those of `window_haplotypes`.
    """
    chosen = check_unphased(unphased)
    check_window(genome, chrom, upstream, downstream)
    window = promoter_interval(chrom, tss, strand, upstream=upstream, downstream=downstream)
    region = read_region(genome, genotypes, window, tss)
    if chosen == "mixture":
        found = one_by_one(region, genotypes.samples, upstream, upstream + downstream)
    else:
        found = distinct_haplotypes(
            region, genotypes, chosen, seed, upstream, upstream + downstream
        )
    return PlannedWindow(
        upstream + downstream,
        found.index,
        found.weights,
        found.applied,
        found.skipped,
        found.contains_unknown,
        region,
        found.lists,
    )


def window_haplotypes(
    genome: Genome,
    genotypes: Genotypes,
    chrom: str,
    tss: int,
    strand: str,
    *,
    upstream: int,
    downstream: int,
    unphased: Unphased = "error",
    seed: int = 0,
) -> WindowHaplotypes:
    """Build both haplotypes of a window for all people of the genotypes.

    Before it is cut, a haplotype equals ``bcftools consensus -H 1`` or ``-H 2``. Then the TSS base
    is put at index ``upstream`` and bases are taken from the edited chromosome on both sides of
    it: an indel shifts what lies beyond it, and never the TSS. Where a deletion takes the TSS base
    away, the next base downstream that is left stands there; of replaced bases each pairs with a
    new one from the left. N stands beyond the ends of the chromosome. A missing genotype is read
    as the reference, and counted.

    Parameters
    ----------
    genome
        An opened FASTA file.
    genotypes
        Opened with this genome, so that names and REF agree.
    chrom, tss, strand
        Chromosome as the genome names it, 0-based position of the TSS base, ``+`` or ``-``.
    upstream, downstream
        Bases before the TSS, and from the TSS base on; together no more than the chromosome has.
    unphased
        ``"error"``: refuse a person with two heterozygous variants in the window whose common
        phase is not known. ``"mixture"``: for everyone, the reference window and one window per
        variant, with weights by dosage, so that effects of variants add up. A number: so many
        random phasings.
    seed
        Of the random phasings.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from exprimo.core.sequence import decode
    >>> from exprimo.data.genotypes.open import open_genotypes
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "g.fa").write_text(">1\\nAACCGGTTAACC\\n")
    >>> _ = (folder / "g.vcf").write_text(
    ...     "##fileformat=VCFv4.2\\n##contig=<ID=1>\\n"
    ...     '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\\n'
    ...     "#CHROM\\tPOS\\tID\\tREF\\tALT\\tQUAL\\tFILTER\\tINFO\\tFORMAT\\tann\\tbob\\n"
    ...     "1\\t4\\trs1\\tCG\\tC\\t.\\t.\\t.\\tGT\\t0|1\\t0|0\\n")
    >>> with (Genome.open(folder / "g.fa") as genome,
    ...       open_genotypes(folder / "g.vcf", genome=genome) as genotypes):
    ...     made = window_haplotypes(genome, genotypes, "1", 6, "+", upstream=3, downstream=2)
    >>> [decode(row) for row in made.codes], made.index[..., 0].tolist()
    (['CGGTT', 'CCGTT'], [[0, 1], [0, 0]])
    """
    plan = plan_window(
        genome,
        genotypes,
        chrom,
        tss,
        strand,
        upstream=upstream,
        downstream=downstream,
        unphased=unphased,
        seed=seed,
    )
    return WindowHaplotypes(
        plan.build(),
        plan.index,
        plan.weights,
        plan.applied,
        plan.skipped,
        plan.contains_unknown,
    )

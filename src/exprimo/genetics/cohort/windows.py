"""Variants near each gene, streamed: neighbouring genes share one read of the genotypes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.genetics.cohort.cohort import Cohort
from exprimo.genetics.cohort.sliding import Columns, SlidingVariants

Strands = Mapping[str, str]


class CisWindow(NamedTuple):
    """The variants near one gene.

    Attributes
    ----------
    gene_id, chrom
        Which gene; the chromosome's name in the genotypes.
    tss
        0-based: the start in the expression BED, or the last base where the gene is known to be
        on the reverse strand.
    columns
        Name -> (variants,): those of `exprimo.data.genotypes.Block.variants`, with
        ``tss_distance`` (start - tss, along the chromosome, as tensorQTL has it), ``af`` (of ALT,
        among the people whose dosage is known), ``ma_samples`` (people with the minor allele),
        ``ma_count`` (its copies).
    dosage
        Float32, (variants, people), of ALT; NaN missing. Genes share it: not to be written to.
    place
        Number of the first variant, counted along the chromosome over those that passed the
        filters: what windows share has the same numbers.
    """

    gene_id: str
    chrom: str
    tss: int
    columns: Columns
    dosage: npt.NDArray[np.float32]
    place: int = 0

    @property
    def variants(self) -> pd.DataFrame:
        """The columns as a table, made anew each time it is asked for."""
        return pd.DataFrame(dict(self.columns))


def cis_windows(
    cohort: Cohort,
    *,
    upstream: int = 1_000_000,
    downstream: int = 1_000_000,
    maf: float = 0.01,
    min_count: float = 1.0,
    strands: Strands | None = None,
    genes: Collection[str] | None = None,
    tally: MutableMapping[str, int] | None = None,
) -> Iterator[CisWindow]:
    """Give the variants near each gene, gene by gene in the order of the expression.

    The genotypes are read once, in stretches; memory holds one window and one stretch. A gene
    without variants has a window without rows. A variant is in the window where its first base is
    at most ``upstream`` before and ``downstream`` behind the TSS.

    Parameters
    ----------
    cohort
        From `open_cohort`.
    upstream, downstream
        Bases. An expression BED has no strand: these lie along the chromosome (upstream: lower
        positions), unless ``strands`` tells that a gene runs the other way.
    maf, min_count
        Leave out variants with a rarer minor allele, or fewer copies of it, among all people of
        the cohort. Variants without variation are always left out. Expression is not asked, so
        filtering by people who are tested later leaks nothing.
    strands
        Gene -> ``"+"`` or ``"-"``; genes that are not named count as ``"+"``.
    genes
        Only these.
    tally
        Where to count variants that were read, and those left out, by reason.

    Examples
    --------
    >>> with open_cohort("g.vcf.gz", "e.bed.gz", "covariates.tsv") as cohort:  # doctest: +SKIP
    ...     for window in cis_windows(cohort, upstream=100_000, downstream=100_000):
    ...         print(window.gene_id, len(window.variants))
    """
    if min(upstream, downstream) < 0 or not 0 <= maf <= 0.5 or min_count < 0:
        raise ConfigError(
            "not a window or a filter of variants",
            found=f"{upstream} up, {downstream} down, MAF {maf}, count {min_count}",
            expected="bases and counts from 0, a MAF of 0 to 0.5",
        )
    places = _windows(cohort, upstream, downstream, strands, genes)
    counts: MutableMapping[str, int] = {} if tally is None else tally
    for chrom in dict.fromkeys(places["chrom"]):
        here = places[places["chrom"] == chrom]
        # No later gene of this chromosome needs what lies before this.
        needed = np.minimum.accumulate(here["first"].to_numpy()[::-1])[::-1]
        sliding = SlidingVariants(cohort.genotypes, chrom, maf, min_count, counts)
        for gene, tss, first, last, floor in zip(
            here["gene_id"], here["tss"], here["first"], here["last"], needed, strict=True
        ):
            near = sliding.window(int(first), int(last), int(floor))
            columns = {**near.columns, "tss_distance": near.columns["start"] - int(tss)}
            yield CisWindow(gene, chrom, int(tss), columns, near.dosage, near.place)


def refuse_untestable(tally: Mapping[str, int], genes: int, file: str | Path) -> None:
    """Refuse that no gene has a variant that could be tested.

    Parameters
    ----------
    tally
        Of `cis_windows`, after all windows: variants read, and those left out, by reason.
    genes
        How many genes were asked for.
    file
        The genotypes.

    Examples
    --------
    >>> refuse_untestable({"read": 80, "without variation": 80}, 20, "g.vcf")
    Traceback (most recent call last):
    exprimo.core.errors.InputError: g.vcf: no gene has a variant to test. Found: 80 variants read \
(80 without variation), none to test in the windows of 20 genes. Expected: variants near a gene \
that differ between these people. Widen the window, or keep rarer variants: --window, --maf, \
--min-count.
    """
    gone = [f"{count:,} {reason}" for reason, count in tally.items() if reason != "read" and count]
    why = f" ({', '.join(gone)})" if gone else ""
    raise InputError(
        "no gene has a variant to test",
        file=file,
        found=f"{tally.get('read', 0):,} variants read{why}, none to test in the windows of "
        f"{genes:,} genes",
        expected="variants near a gene that differ between these people",
        remedy="Widen the window, or keep rarer variants: --window, --maf, --min-count",
    )


def _windows(
    cohort: Cohort,
    upstream: int,
    downstream: int,
    strands: Strands | None,
    genes: Collection[str] | None,
) -> pd.DataFrame:
    """Give gene_id, chrom, tss, first, last (half-open, by first base) of each gene."""
    table = cohort.expression.genes
    if genes is not None:
        wanted = frozenset(genes)
        unknown = sorted(wanted - frozenset(table["gene_id"]))
        if unknown:
            raise MismatchError(
                "genes without expression",
                file=cohort.expression.source,
                found=f"{len(unknown)}: {', '.join(unknown[:5])}",
                expected=f"genes such as {', '.join(table['gene_id'].iloc[:3])}",
            )
        table = table[table["gene_id"].isin(wanted)]
    strand = pd.Series("+", index=table.index)
    if strands is not None:
        strand = table["gene_id"].map(strands).fillna("+")
        wrong = sorted(set(strand) - {"+", "-"})
        if wrong:
            raise ConfigError("not a strand", found=", ".join(wrong), expected="+ or -")
    reverse = (strand == "-").to_numpy()
    tss = np.where(reverse, table["end"] - 1, table["start"]).astype(np.int64)
    before = np.where(reverse, downstream, upstream)
    behind = np.where(reverse, upstream, downstream)
    return pd.DataFrame(
        {
            "gene_id": table["gene_id"].to_numpy(),
            "chrom": table["chrom"].to_numpy(),
            "tss": tss,
            "first": np.maximum(tss - before, 0),
            "last": tss + behind + 1,
        }
    )

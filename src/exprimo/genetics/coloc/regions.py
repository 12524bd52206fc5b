"""Genes whose signals and a trait's are of the same variants, one region after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import MismatchError
from exprimo.core.progress import track
from exprimo.data.annotation.identifiers import strip_version
from exprimo.genetics.alleles import match_variants
from exprimo.genetics.associations import (
    Places,
    Region,
    association_files,
    of_one_trait,
    places_of,
    read_associations,
)
from exprimo.genetics.coloc.signals import Signals, read_signals, signals_file, whole_signal
from exprimo.genetics.coloc.traits import Floats

NOT_IN_BOTH = "genes without a variant in both tables"
UNKNOWN = "genes asked for without associations"


class Asked(NamedTuple):
    """What is to be compared.

    Attributes
    ----------
    eqtl, gwas
        Tables of associations, folders of an eQTL mapping, or folders of fine-mapping.
    genes, region
        These only; none: all.
    eqtl_columns, gwas_columns
        Meaning -> column of the tables.
    """

    eqtl: Path
    gwas: Path
    genes: Sequence[str]
    region: Region | None
    eqtl_columns: Mapping[str, str] | None
    gwas_columns: Mapping[str, str] | None


class Shared(NamedTuple):
    """A gene's signals and the trait's, of the variants that both have, in one order.

    Attributes
    ----------
    gene
        Its id.
    ours, theirs
        Of expression and of the trait, (signals, variants) alike.
    sign
        (variants,): -1 where the two count different alleles.
    covered
        Share of each signal's posterior that lies on these variants, of ours and of theirs.
    counts
        How variants were matched.
    """

    gene: str
    ours: Signals
    theirs: Signals
    sign: Floats
    covered: tuple[Floats, Floats]
    counts: dict[str, int]


def shared_regions(asked: Asked, counts: dict[str, int]) -> Iterator[Shared]:
    """Give the regions of all genes that both have; count those that only one has."""
    for ours, theirs in _sides(asked, counts):
        for gene, here in ours:
            near = theirs.near(gene, here.rows)
            files = (str(asked.eqtl), str(asked.gwas))
            try:
                if near is None:
                    raise MismatchError("no variant near this gene", file=asked.gwas)
                # An effect's sign does not enter, so unclear strands do no harm.
                matched = match_variants(here.rows, near.rows, ambiguous="keep", files=files)
            except MismatchError:
                counts[NOT_IN_BOTH] = counts.get(NOT_IN_BOTH, 0) + 1
                continue
            yield Shared(
                gene,
                here.of(matched.ours),
                near.of(matched.theirs),
                matched.sign,
                (here.covered(matched.ours), near.covered(matched.theirs)),
                matched.counts,
            )


class _Others:
    """Signals of the trait: by gene, of one trait for every gene, or cut out of a table."""

    def __init__(self, by_gene: Mapping[str, Signals], table: pd.DataFrame | None) -> None:
        self._by_gene = by_gene
        self._table = None
        if table is not None:
            self._table = table.sort_values("pos", kind="stable").reset_index(drop=True)
            self._pos = self._table["pos"].to_numpy()

    def near(self, gene: str, rows: pd.DataFrame) -> Signals | None:
        if self._table is None:
            only = len(self._by_gene) == 1
            return next(iter(self._by_gene.values())) if only else self._by_gene.get(gene)
        near = self._table
        if places_of(rows) is not None and (self._pos > 0).all():
            low = int(np.searchsorted(self._pos, rows["pos"].min()))
            high = int(np.searchsorted(self._pos, rows["pos"].max(), side="right"))
            near = near.iloc[low:high]
            near = near[near["chrom"].isin(rows["chrom"].unique())]
        return whole_signal(near) if len(near) else None


def _sides(
    asked: Asked, counts: dict[str, int]
) -> Iterator[tuple[Iterator[tuple[str, Signals]], _Others]]:
    """Give genes and what they are compared with: of a mapping, one chromosome after another."""
    first = signals_file(asked.eqtl)
    if first is not None:
        places = _places(read_signals(first, asked.genes, asked.region))
        genes = read_signals(first, asked.genes, asked.region)
        yield track(genes, "Colocalising"), _others(asked, places, counts, required=True)
        return
    files = association_files(asked.eqtl)
    met: set[str] = set()
    # A mapping has a file for each chromosome: one at a time is in memory, with the trait's part.
    for file in track(files, "Colocalising", total=len(files)):
        required = len(files) == 1
        read = read_associations(
            file, columns=asked.eqtl_columns, region=asked.region, genes=asked.genes or None,
            required=required,
        )  # fmt: skip
        add_counts(counts, read.dropped)
        found = read.rows
        if found.empty:
            continue
        met.update(found["gene_id"].unique())
        others = _others(asked, places_of(found), counts, required=required, like=found)
        groups = found.groupby("gene_id", sort=False)
        yield ((str(gene), whole_signal(rows)) for gene, rows in groups), others
    add_counts(
        counts, {UNKNOWN: len({*map(strip_version, asked.genes)} - {*map(strip_version, met)})}
    )
    if not met:
        read_associations(
            asked.eqtl, columns=asked.eqtl_columns, region=asked.region, genes=asked.genes or None
        )


def _others(
    asked: Asked,
    places: Places | None,
    counts: dict[str, int],
    *,
    required: bool,
    like: pd.DataFrame | None = None,
) -> _Others:
    """Read the trait's signals, or its associations at these places."""
    file = signals_file(asked.gwas)
    if file is not None:
        return _Others(dict(read_signals(file, (), asked.region)), None)
    read = read_associations(
        asked.gwas, columns=asked.gwas_columns, region=asked.region, places=places,
        required=required,
    )  # fmt: skip
    add_counts(counts, read.dropped)
    rows = of_one_trait(read.rows, asked.gwas, asked.genes)
    if like is not None and len(rows) and places is not None and places_of(rows) is not None:
        reconcile_chromosomes(
            like["chrom"].unique(), rows["chrom"].unique(),
            our_file=str(asked.eqtl), their_file=str(asked.gwas),
        )  # fmt: skip
    return _Others({}, rows)


def add_counts(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts to those there are; of 0 nothing is said."""
    for reason, count in more.items():
        if count:
            counts[reason] = counts.get(reason, 0) + count


def _places(genes: Iterator[tuple[str, Signals]]) -> Places | None:
    """Gather the positions of all genes' variants."""
    found: dict[str, list[npt.NDArray[np.int64]]] = {}
    for _, signals in genes:
        of_gene = places_of(signals.rows)
        if of_gene is None:
            return None
        for chrom, positions in of_gene.items():
            found.setdefault(chrom, []).append(positions)
    return {chrom: np.unique(np.concatenate(parts)) for chrom, parts in found.items()}

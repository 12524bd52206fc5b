"""Every derived input that a model reads, attached to a dataset."""

from __future__ import annotations

from collections.abc import Callable, Collection

from exprimo.core.dataset import Dataset
from exprimo.features.chromatin.kmer_bins import attach_kmer_bins
from exprimo.features.derived.gene_keys import attach_gene_keys

_MADE_BY: dict[str, Callable[[Dataset], object]] = {
    "kmer_bins": attach_kmer_bins,
    "gene": attach_gene_keys,
}


def derive_inputs(dataset: Dataset, names: Collection[str]) -> None:
    """Attach those of the named inputs that can be derived and do not stand in the file.

    Examples
    --------
    >>> with Dataset.open("D.h5") as data:                      # doctest: +SKIP
    ...     derive_inputs(data, ("signal", "kmer_bins"))
    """
    for name in names:
        if name in _MADE_BY and name not in dataset.inputs:
            _MADE_BY[name](dataset)
